"""Whatever a tool does, its caller meets a result, a ToolError or a TryAgain, and no key."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from tools import InvalidArguments, Returned, ToolContext, ToolError, TryAgain, tool
from tools.kit.define import tool_of

KEY = "sk_test_abcdefghijklmnop"
SECRETS = ToolContext("key", {"STRIPE_API_KEY": KEY, "DB_PASSWORD": "hunter22", "CITY": "Austin"})


async def run(act: Callable[[], Any], context: ToolContext = SECRETS, timeout: float = 10) -> Returned:
    def function() -> Any:
        """Act."""
        return act()

    made = tool_of(tool(effect="read", name="Act", timeout=timeout)(function))
    assert made is not None
    return await made.run({}, context)


async def test_result_is_plain_json() -> None:
    assert (await run(lambda: {"price": Decimal("1.10")})).result == {"price": "1.10"}


async def test_result_may_say_its_source() -> None:
    assert await run(lambda: Returned([1], "live")) == Returned([1], "live")


async def test_tool_that_hangs_is_told_after_its_timeout() -> None:
    @tool(effect="read", name="Hang", timeout=0.05)
    async def hang() -> None:
        """Hang."""
        await asyncio.sleep(600)

    made = tool_of(hang)
    assert made is not None
    with pytest.raises(TryAgain, match=r"^Hang did not answer within 0\.05 s\.$"):
        await made.run({}, SECRETS)


def fail(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


async def test_tool_error_is_not_for_retrying() -> None:
    with pytest.raises(ToolError, match=r"^There is no such city\.$"):
        await run(fail(ToolError("There is no such city.")))


async def test_try_again_keeps_its_delay() -> None:
    with pytest.raises(TryAgain) as caught:
        await run(fail(TryAgain("Too busy.", 17)))
    assert caught.value.retry_after == 17


async def test_any_other_error_is_for_retrying() -> None:
    with pytest.raises(TryAgain, match=r"^Act failed \(KeyError: 'x'\)\.$"):
        await run(fail(KeyError("x")))


async def test_timeout_of_the_tools_own_is_not_taken_for_ours() -> None:
    with pytest.raises(TryAgain, match=r"Act failed \(TimeoutError: connect\)"):
        await run(fail(TimeoutError("connect")))


EXITS = [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()]


@pytest.mark.parametrize("exit_with", EXITS)
async def test_tool_that_exits_does_not_end_the_worker(exit_with: BaseException) -> None:
    with pytest.raises(TryAgain, match="tried to stop the worker"):
        await run(fail(exit_with))


@pytest.mark.parametrize("error", [*EXITS, StopIteration(3)])
async def test_async_tool_that_exits_does_not_end_the_worker(error: BaseException) -> None:
    @tool(effect="read", name="Act")
    async def act() -> None:
        """Act."""
        raise error

    made = tool_of(act)
    assert made is not None
    with pytest.raises(TryAgain, match=r"^Act failed"):
        await made.run({}, SECRETS)


async def test_stop_iteration_is_an_error_like_any_other() -> None:
    with pytest.raises(TryAgain, match=r"^Act failed \(RuntimeError: StopIteration\)\.$"):
        await run(lambda: next(iter(())))


@pytest.mark.parametrize("kind", [ToolError, TryAgain, RuntimeError])
async def test_no_key_leaves_in_an_error(kind: type[Exception]) -> None:
    text = f"GET https://me:pw123@example.com with Bearer {KEY} and hunter22 in Austin, sk-ant-0123456789abc"
    with pytest.raises((ToolError, TryAgain)) as caught:
        await run(fail(kind(text)))
    said = str(caught.value)
    assert not [secret for secret in (KEY, "hunter22", "pw123", "sk-ant") if secret in said]
    assert "Austin" in said
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("shown", [quote, partial(quote, safe=""), quote_plus, repr])
async def test_no_key_leaves_as_an_address_or_a_string_shows_it(shown: Callable[[str], str]) -> None:
    key = "abc/def +g\\h="
    context = ToolContext("chat/1", {"SMTP_PASS": key})
    with pytest.raises(TryAgain) as caught:
        await run(fail(RuntimeError(f"at {shown(key)} in Austin")), context)
    assert str(caught.value).replace("'", "") == "Act failed (RuntimeError: at [hidden] in Austin)."


@pytest.mark.parametrize(
    ("text", "fraction", "shown"),
    [
        (f"Asking with {KEY}", 0.5, ("Asking with [hidden]", 0.5)),
        ("\ud800", float("nan"), ("?", None)),
        (12, 7, ("12", 1.0)),
        ("Half way", "half", ("Half way", None)),
    ],
)
def test_progress_is_corrected_until_it_can_be_shown(text: Any, fraction: Any, shown: tuple[str, float | None]) -> None:
    seen = []
    context = replace(SECRETS, report=lambda text, fraction: seen.append((text, fraction)))
    context.progress(text, fraction)
    context.progress("x" * 3_000_000)
    assert seen[0] == shown
    assert len(seen[1][0]) == 500


async def test_endless_error_is_cut() -> None:
    with pytest.raises(TryAgain) as caught:
        await run(fail(RuntimeError("x" * 100_000)))
    assert len(str(caught.value)) <= 500


async def test_wrong_arguments_run_nothing() -> None:
    ran = []

    @tool(effect="once", name="Act")
    def act(count: int) -> None:
        """Act."""
        ran.append(count)

    made = tool_of(act)
    assert made is not None
    with pytest.raises(InvalidArguments):
        await made.run({"count": "many"}, SECRETS)
    assert ran == []


def test_context_shows_no_key() -> None:
    assert KEY not in repr(SECRETS)
