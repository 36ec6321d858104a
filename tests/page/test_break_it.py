"""Break it: who is offered it, what the lights say, what the buttons ask for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent import local
from agent.local import LocalStatus
from agent.page.access import Owner
from agent.page.break_it import lights
from tests.page.conftest import Page

RUNNING = LocalStatus(
    step="Ready",
    phase="ready",
    address="test:1",
    worker="running",
    worker_pid=22,
    worker_since=900.0,
    server_pid=11,
    server_since=400.0,
)


@pytest.fixture
def running(page: Page, tmp_path: Path) -> Page:
    page.settings = {"steadfast_home": str(tmp_path)}
    page.local_stack.now = RUNNING
    return page


def test_lights_are_green_with_process_and_age() -> None:
    assert lights(RUNNING, 1000.0) == [":green[⬤] :small[Server 11, 10 min]", ":green[⬤] :small[Worker 22, 2 min]"]


def test_a_death_turns_the_light_red_and_is_mentioned_for_a_minute() -> None:
    dead = replace(RUNNING, worker="starting", worker_pid=0, worker_died=(22, 999.0))
    assert lights(dead, 1000.0)[1] == ":red[⬤] :small[Worker: none · 22 died 1 s ago]"
    back = replace(RUNNING, worker_pid=33, worker_since=1001.0, worker_died=(22, 999.0))
    assert lights(back, 1003.0)[1] == ":green[⬤] :small[Worker 33, 2 s · 22 died 4 s ago]"
    assert lights(back, 1100.0)[1] == ":green[⬤] :small[Worker 33, 2 min]"


def test_without_its_server_a_worker_is_not_ready() -> None:
    dead = replace(RUNNING, phase="starting", server_pid=0, server_died=(11, 999.0))
    assert lights(dead, 1000.0) == [
        ":red[⬤] :small[Server: none · 11 died 1 s ago]",
        ":orange[⬤] :small[Worker 22, 2 min, not ready]",
    ]


@pytest.mark.parametrize("part", ["worker", "server"])
def test_what_is_clicked_is_killed(running: Page, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[Any] = []
    monkeypatch.setattr(local, "kill", lambda settings, which: killed.append(which))
    running.visit().click(f"break-{part}")
    assert killed == [part]


def test_faults_of_the_worker_are_left_in_the_home_and_told(running: Page, tmp_path: Path) -> None:
    running.visit().click("break-model").shows("The model is cut off, for")
    running.click("break-answer").shows("The worker dies when the next tool has run")
    assert sorted(file.name for file in tmp_path.glob("*.fault")) == ["cut-model.fault", "lose-answer.fault"]


def test_it_is_for_the_owner_alone(running: Page) -> None:
    running.owner = Owner("a token that nobody has")
    assert not running.visit().has("break-worker")


def test_it_can_be_turned_off_and_needs_a_worker_of_ours(running: Page) -> None:
    running.settings["break_it"] = False
    assert not running.visit().has("break-worker")
    other = Page(settings=running.settings | {"break_it": True})
    other.local_stack.now = replace(RUNNING, worker="off")
    assert not other.visit().has("break-worker")


def test_who_is_dead_is_told_before_the_server_notices(running: Page) -> None:
    running.greet().shows("Waiting for you")
    running.local_stack.now = replace(RUNNING, worker="starting", worker_pid=0, worker_died=(22, 999.0))
    running.shows("The worker is starting.")
