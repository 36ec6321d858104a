"""What somebody who runs workers and pages sees of them from outside: health, logs, metrics, traces."""

import asyncio
import gzip
import json
import shutil
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client

from agent.goals import goal_for
from agent.local.server import free_ports
from tests.e2e.conftest import ROOT, RunningPage
from tests.e2e.workers import Workers, running_workers
from tests.workflow.harness import wait_until
from tools import load


class Collector:
    """Takes spans as OpenTelemetry's collector does, at a port of its own."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path == "/v1/traces":
                    collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(names["service.name"])
            for scope in resource.scope_spans:
                self.spans += scope.spans

    def of(self, chat_id: str, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name and chat_id in str(span.attributes)]


@dataclass
class Seen:
    """Workers, and where they answer."""

    workers: Workers
    health: str
    metrics: str
    collector: Collector

    async def health_of(self, path: str) -> tuple[int, str]:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{self.health}{path}")
        return answer.status_code, answer.text

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the log; fails where one is no object."""
        return [json.loads(line) for line in self.workers.log.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def seen(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    ports = free_ports()
    health, metrics = f"127.0.0.1:{ports.ui}", f"127.0.0.1:{ports.http}"
    collector = Collector()
    environment = {
        "HEALTH_ADDRESS": health,
        "METRICS_ADDRESS": metrics,
        "LOG_FORMAT": "json",
        "WORKER_GRACE": "5",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    with running_workers(server, tmp_path_factory.mktemp("workers"), environment) as workers:
        yield Seen(workers, health, metrics, collector)
    collector.server.shutdown()
    collector.server.server_close()


async def test_worker_that_works_is_ready_and_each_line_of_its_log_an_object(seen: Seen, temporal: Client) -> None:
    chat = await seen.workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
    await chat.say("an event in San Francisco in March")
    assert await seen.health_of("/healthz") == (200, "alive\n")
    assert await seen.health_of("/readyz") == (200, "ready\n")
    assert [line["logger"] for line in seen.lines()][:2] == ["worker", "worker"]
    assert seen.lines()[1]["message"].startswith("Worker for ")
    about = [line for line in seen.lines() if line.get("chat") == chat.id]
    assert [line["message"].partition(" after ")[0] for line in about][:2] == ["plan: done", "plan: done"]


async def test_chat_is_one_trace_with_its_models_and_tools_and_without_words(seen: Seen, temporal: Client) -> None:
    chat = await seen.workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
    view = await chat.say("an event in San Francisco in March")
    assert view.waiting
    await chat.person.chats.confirm(chat.id, view.waiting.id)
    found = seen.collector

    def is_told() -> bool:
        return len(found.of(chat.id, "chat scripted")) >= 3 and bool(found.of(chat.id, "execute_tool FindEvents"))

    await wait_until(is_told)
    names = ("chat scripted", "execute_tool FindEvents", "RunActivity:plan", "RunActivity:FindEvents")
    spans = [span for name in names for span in found.of(chat.id, name)]
    assert len({span.trace_id for span in spans}) == 1
    [tool], [run] = (found.of(chat.id, name) for name in ("execute_tool FindEvents", "RunActivity:FindEvents"))
    assert tool.parent_span_id == run.span_id
    assert found.services == {"steadfast-worker"}
    assert not [span.name for span in found.spans if "Query" in span.name]
    assert "San Francisco" not in str(found.spans)


@asynccontextmanager
async def prometheus(scraped: str, directory: Path) -> AsyncIterator[str]:
    """A real Prometheus that scrapes this address each second; the address of its API."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("no Prometheus on this machine; Debian: apt-get install prometheus")
    address = f"127.0.0.1:{free_ports().ui}"
    config = directory / "prometheus.yml"
    jobs = f"[{{job_name: worker, scrape_interval: 1s, static_configs: [{{targets: ['{scraped}']}}]}}]"
    config.write_text(f"scrape_configs: {jobs}\n")
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={address}",
        "--log.level=error",
    )
    try:
        yield f"http://{address}/api/v1"
    finally:
        process.kill()
        await process.wait()


async def value_of(api: str, query: str, seconds: float = 60) -> float:
    """What Prometheus knows of it, as soon as it knows anything."""
    found: list[Any] = []

    async def is_known() -> bool:
        async with httpx.AsyncClient() as client:
            with suppress(httpx.TransportError):
                answer = await client.get(f"{api}/query", params={"query": query})
                if answer.status_code != 503:  # it is starting
                    found[:] = answer.json()["data"]["result"]
        return bool(found)

    await wait_until(is_known, seconds)
    return float(found[0]["value"][1])


async def test_prometheus_scrapes_what_the_chats_and_the_sdk_did(seen: Seen, temporal: Client, tmp_path: Path) -> None:
    async with prometheus(seen.metrics, tmp_path) as api:
        assert await value_of(api, "up{job='worker'} == 1") == 1
        chat = await seen.workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
        view = await chat.say("an event in San Francisco in March")
        assert view.waiting
        await chat.person.chats.confirm(chat.id, view.waiting.id)
        assert await value_of(api, "sum(steadfast_turns_total{kind='tool'}) >= 1") >= 1
        assert await value_of(api, "sum(steadfast_first_word_seconds_count) >= 2") >= 2
        replied, began = [await value_of(api, f"sum(steadfast_{name}_seconds_sum)") for name in ("reply", "first_word")]
        assert replied >= began > 0
        assert await value_of(api, "sum(steadfast_model_call_seconds_count{model='scripted'}) >= 2") >= 2
        assert await value_of(api, "steadfast_chats_unreplayable") == 0
        assert await value_of(api, "steadfast_chats_open >= 1") >= 1
        sdk = "sum(temporal_activity_execution_latency_seconds_count{activity_type='plan'}) >= 2"
        assert await value_of(api, sdk) >= 2
        for title, query in panels():
            if title not in (
                "Failed attempts a minute",
                "Retries a minute",
                "Requests to Temporal that failed, a minute",
            ):
                await value_of(api, query)  # fails where the panel would stay empty


def panels() -> list[tuple[str, str]]:
    """Each query of the dashboard, under its panel's title."""
    dashboard = json.loads((ROOT / "deploy/grafana.json").read_text(encoding="utf-8"))
    found = [(panel["title"], target) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return [(title, target["expr"].replace("$__rate_interval", "30s")) for title, target in found]


def test_queries_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("no promtool on this machine; Debian: apt-get install prometheus")
    rules = [{"record": f"panel:{number}", "expr": query} for number, (_, query) in enumerate(panels())]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([tool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_metrics_keep_the_rules_of_prometheus(seen: Seen) -> None:
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("no promtool on this machine; Debian: apt-get install prometheus")
    text = ""

    async def answers() -> bool:
        nonlocal text
        with suppress(httpx.ConnectError):
            async with httpx.AsyncClient() as client:
                text = (await client.get(f"http://{seen.metrics}/metrics")).text
        return bool(text)

    await wait_until(answers)
    ours = "".join(f"{line}\n" for line in text.splitlines() if "steadfast_" in line)
    assert "chat-" not in ours
    done = subprocess.run([tool, "check", "metrics"], input=ours, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_page_is_alive_and_ready(running_page: RunningPage) -> None:
    await running_page.chats()
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{running_page.url}/healthz")).text == "alive\n"
        assert (await client.get(f"{running_page.url}/readyz")).text == "ready\n"
        assert (await client.get(f"{running_page.url}/_stcore/health")).status_code == 200


async def test_worker_that_is_stopped_finishes_its_reply(seen: Seen, temporal: Client) -> None:
    """The last of this module: it ends the worker."""
    chat = await seen.workers.person(temporal).start(goal_for(load(), "event_flight_invoice"))
    handle = temporal.get_workflow_handle(chat.id)

    async def is_replying() -> bool:
        await chat.person.chats.send(chat.id, "an event in San Francisco in March")  # again, if that was over too soon
        for _ in range(20):
            pending = (await handle.describe()).raw_description.pending_activities
            if any(each.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED for each in pending):
                return True
        return False

    await wait_until(is_replying)
    ended = seen.workers.workers[0]
    ended.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(ended.wait, 30) == 0
    said = [line["message"] for line in seen.lines()][-2:]
    assert "Stopping. What is under way may finish, for at most 5 s." in said
    assert any(line.startswith("plan: done after ") and line.endswith(", attempt 1.") for line in said)
