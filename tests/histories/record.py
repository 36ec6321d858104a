"""Recording: play a shape on a real server, and tell whether its history differs from the recorded ones."""

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

from temporalio.client import Client

from tests.histories.shapes import SHAPES
from tests.workflow.harness import running_worker

_MACHINE = ("identity", "stackTrace", "binaryChecksum")
RECORDED = Path(__file__).with_name("recorded")


async def play(client: Client, name: str) -> str:
    """The history of one shape as JSON, an event a line, without the names of the machine that played it."""
    answers, played = SHAPES[name]
    async with running_worker(client, f"record-{name}", answers) as harness:
        chat = await played(harness)
        await asyncio.sleep(0.3)  # what still runs beside, such as the last workflow task
        history = await chat.handle.fetch_history()
    text = re.sub(r'"\d+@[^"]+"', '"worker"', history.to_json())  # the sticky task queue
    events = _scrubbed(json.loads(text)["events"])
    lines = ",\n".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events)
    return f'{{"events":[\n{lines}\n]}}\n'


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _scrubbed(item) for name, item in value.items() if name not in _MACHINE}
    return [_scrubbed(item) for item in value] if isinstance(value, list) else value


def recordings(name: str) -> list[Path]:
    """Those of one shape, oldest first: `question.json`, then `question.2.json`."""
    return sorted(RECORDED.glob(f"{name}.json")) + sorted(RECORDED.glob(f"{name}.*.json"))


def outline(history: str) -> list[str]:
    """What a workflow was told and what it did, without times, ids and words: each event, and the keys of its JSON.

    When its tasks and activities were started is left out: that is chance.
    """
    return [
        f"{event['eventType'].removeprefix('EVENT_TYPE_')} {_keys(event)}"
        for event in json.loads(history)["events"]
        if "WORKFLOW_TASK" not in event["eventType"] and "TASK_STARTED" not in event["eventType"]
    ]


def _keys(event: dict[str, Any]) -> str:
    attributes: dict[str, Any] = next((value for name, value in event.items() if name.endswith("Attributes")), {})
    payloads = [
        payload
        for field in ("input", "result", "signalInput")
        for payload in (attributes.get(field) or {}).get("payloads", [])
    ]
    named = attributes.get("activityType", {}).get("name") or attributes.get("signalName") or ""
    return " ".join([named, *(str(_shape(json.loads(base64.b64decode(one["data"])))) for one in payloads)]).strip()


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted({str(_shape(item)) for item in value})
    return type(value).__name__
