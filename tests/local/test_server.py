"""Which server is used, and what happens to it."""

import asyncio
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import psutil
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from agent.local.server import Ports, fetch, free_ports, start_dev_server
from tests.local.conftest import BuildStack
from tests.local.stack import Stack


def ask(url: str, body: bytes | None, headers: dict[str, str]) -> int:
    """The HTTP status of the answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def eventually_answers(url: str) -> None:
    """Wait until the Web UI can reach its server: it starts beside it."""
    async with asyncio.timeout(60):
        while await asyncio.to_thread(ask, url, None, {}) != 200:
            await asyncio.sleep(0.1)


async def days_kept(address: str) -> float:
    client = await Client.connect(address)
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    return answer.config.workflow_execution_retention_ttl.seconds / 86_400


def a_thousand_apart() -> Ports:
    while True:
        ports = free_ports()
        if ports.grpc + 1000 < 65_536:
            ports = free_ports(ports._replace(ui=ports.grpc + 1000))
            if ports.ui == ports.grpc + 1000:
                return ports


async def test_a_server_that_answers_is_used_and_left_unchanged(build_stack: BuildStack, temporal_cli: Path) -> None:
    theirs = await start_dev_server(temporal_cli)
    try:
        before = await days_kept(theirs.address)
        stack = build_stack(look_at=theirs.address)
        page = stack.open_page()
        status = await stack.ready()
        assert status.address == theirs.address
        assert status.server_pid == 0
        assert stack.servers == []
        page.send_signal(signal.SIGTERM)
        await stack.empty()
        assert await days_kept(theirs.address) == before
        assert psutil.Process(theirs.child.pid).is_running()
    finally:
        await theirs.stop()


async def test_the_web_ui_of_a_found_server_is_found_a_thousand_ports_higher(
    build_stack: BuildStack, temporal_cli: Path
) -> None:
    theirs = await start_dev_server(temporal_cli, ports=a_thousand_apart())
    try:
        stack = build_stack(look_at=theirs.address)
        stack.open_page()
        assert (await stack.ready()).ui_url == theirs.ui_url
    finally:
        await theirs.stop()


async def test_a_found_server_that_stops_is_waited_for_not_replaced(
    build_stack: BuildStack, temporal_cli: Path
) -> None:
    theirs = await start_dev_server(temporal_cli)
    stack = build_stack(look_at=theirs.address)
    stack.open_page()
    await stack.ready()
    await theirs.stop()
    status = await stack.until(lambda status: bool(status.problem))
    assert status.problem == f"The Temporal server at {theirs.address} does not answer any more. Start it again."
    assert stack.servers == []
    again = await start_dev_server(temporal_cli, ports=theirs.ports)
    try:
        await stack.until(lambda status: not status.problem)
    finally:
        await again.stop()


async def test_another_program_on_the_default_port_is_not_taken_for_temporal(build_stack: BuildStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stack = build_stack(look_at=f"127.0.0.1:{listener.getsockname()[1]}")
        stack.open_page()
        status = await stack.ready()
    assert status.server_pid != 0
    assert status.address != stack.config.look_at


async def test_closed_chats_are_kept_thirty_days_on_our_server(stack: Stack) -> None:
    stack.open_page()
    assert await days_kept((await stack.ready()).address) == 30


async def test_the_next_start_has_the_same_chats_at_the_same_address(stack: Stack) -> None:
    page = stack.open_page()
    first = await stack.ready()
    client = await Client.connect(first.address)
    run = await client.start_workflow("Anything", id="a-chat", task_queue="nobody")
    page.send_signal(signal.SIGTERM)
    await stack.empty()
    stack.open_page()
    second = await stack.ready()
    assert (second.address, second.ui_url) == (first.address, first.ui_url)
    client = await Client.connect(second.address)
    assert (await client.get_workflow_handle("a-chat").describe()).run_id == run.first_execution_run_id


async def test_an_address_that_was_taken_meanwhile_is_given_up(stack: Stack) -> None:
    page = stack.open_page()
    first = await stack.ready()
    page.send_signal(signal.SIGKILL)
    await stack.empty()
    host, _, port = first.address.rpartition(":")
    with socket.create_server((host, int(port))):
        stack.open_page()
        second = await stack.ready()
    assert second.address != first.address


async def test_the_configured_namespace_is_created(build_stack: BuildStack) -> None:
    stack = build_stack(namespace="mine")
    stack.open_page()
    status = await stack.ready()
    client = await Client.connect(status.address, namespace="mine")
    assert (await client.count_workflows()).count == 0


async def test_a_server_that_cannot_start_is_reported_and_tried_again(build_stack: BuildStack, tmp_path: Path) -> None:
    fussy = tmp_path / "temporal"
    fussy.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo temporal version 0 && exit\necho "level=ERROR msg=\\"no such \\\\\\"x\\\\\\"\\"" >&2\nexit 1\n'
    )
    fussy.chmod(0o755)
    stack = build_stack(cli_path=str(fussy))
    stack.open_page()
    status = await stack.until(lambda status: status.phase == "failed")
    assert status.problem.startswith(
        'The Temporal server ended while starting: no such "x". If that does not pass, `python -m agent.local reset` '
    )
    supervisor = status.supervisor_pid
    await asyncio.sleep(0.5)
    assert stack.status().supervisor_pid == supervisor


async def test_no_website_can_start_or_read_a_chat(temporal_cli: Path) -> None:
    server = await start_dev_server(temporal_cli)
    try:
        workflow = b'{"workflowType": {"name": "AgentGoalWorkflow"}, "taskQueue": {"name": "agent-task-queue"}}'
        path = "api/v1/namespaces/default/workflows"
        client = await Client.connect(server.address)
        await eventually_answers(f"{server.ui_url}/{path}")
        for base in (f"http://127.0.0.1:{server.ports.http}", server.ui_url):
            # what a browser sends without asking the server first
            simple = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
            assert await asyncio.to_thread(ask, f"{base}/{path}/a-chat", workflow, simple) in (400, 403)
            assert (
                await asyncio.to_thread(ask, f"{base}/{path}/a-chat", workflow, simple | {"Host": "localhost"}) >= 400
            )
        assert [chat.id async for chat in client.list_workflows()] == []
        # what a website can read whose name has been pointed at this machine
        http = f"http://127.0.0.1:{server.ports.http}"
        assert await asyncio.to_thread(ask, f"{http}/{path}", None, {"Host": "evil.example"}) == 403
        assert (
            await asyncio.to_thread(ask, f"{http}/nexus/endpoints/x/services/y", b"", {"Host": "evil.example"}) == 404
        )
        assert (await server.call("namespaces/default"))["namespaceInfo"]["name"] == "default"
    finally:
        await server.stop()


async def test_a_server_in_memory_needs_no_home(temporal_cli: Path) -> None:
    server = await start_dev_server(temporal_cli)
    try:
        assert "DefaultNamespace" in fetch(f"{server.ui_url}/api/v1/settings")
    finally:
        await server.stop()
    assert not psutil.pid_exists(server.child.pid)
