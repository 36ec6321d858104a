"""What the model is sent of a chat: the newest that fits, results cut."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from agent import window
from agent.messages import AgentMessage, Message, ModelUse, Notice, Proposal, ProposalMessage, ToolResult, UserMessage

NOW = datetime(2030, 1, 1, tzinfo=UTC)

values = st.recursive(
    st.none() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=20), inner, max_size=20),
    max_leaves=60,
)


def users(*texts: str) -> list[Message]:
    return [UserMessage(seq=number, text=text) for number, text in enumerate(texts, 1)]


@given(values, st.integers(100, 2_000))
def test_a_shortened_value_is_about_as_short_as_asked(value: Any, limit: int) -> None:
    short = window.shorten(value, limit)
    assert len(to_json(short)) <= 2 * limit + 200
    if len(to_json(value)) <= limit:
        assert short == value


@given(st.integers(100, 1_000))
def test_many_keys_and_many_items_are_cut_too(limit: int) -> None:
    wide = {f"key {number}": {"a": ["x" * 50] * 50} for number in range(1_000)}
    assert len(to_json(window.shorten(wide, limit))) <= 2 * limit + 200


def test_a_long_list_loses_its_tail_and_says_so() -> None:
    short = window.shorten({"events": [{"name": f"Event {n}"} for n in range(100)], "note": "All in March."}, 300)
    assert short["events"][0] == {"name": "Event 0"}
    assert short["events"][-1].endswith(" more")
    assert short["note"] == "All in March."


def test_a_long_text_is_cut_at_a_whole_letter() -> None:
    assert window.shorten("é" * 100, 21) == "é" * 10 + "…"


def test_size_counts_bytes() -> None:
    assert window.size(UserMessage(text="é" * 100)) - window.size(UserMessage(text="e" * 100)) == 100


def test_the_newest_that_fit_are_kept_in_order_and_one_at_least() -> None:
    messages = users("a" * 500, "b" * 500, "c" * 500)
    seen = list(window.visible(messages, [], 0))
    assert [message.seq for message in window.newest(seen, 1_200)] == [2, 3]
    assert [message.seq for message in window.newest(seen, 10)] == [3]


def test_the_model_sees_neither_notices_nor_what_a_summary_covers() -> None:
    messages: list[Message] = [*users("a", "b"), Notice(seq=3, text="!"), UserMessage(seq=4, text="c")]
    assert [message.seq for message in window.visible(messages, [], 1)] == [4, 2]


def test_the_model_sees_the_context_of_earlier_runs_first() -> None:
    context, messages = users("a", "b"), [UserMessage(seq=3, text="c")]
    assert [message.seq for message in window.newest(window.visible(list(messages), context, 0), 9_999)] == [1, 2, 3]


def test_what_only_the_page_needs_is_left_out_and_the_transcript_stays_as_it_is() -> None:
    use = ModelUse(model="m")
    proposal = Proposal(id="k-1", tool="T", arguments={"a": 1}, parameters={"type": "object"})
    messages: list[Message] = [
        UserMessage(seq=1, at=NOW, text="Hello", id="id", who="me"),
        AgentMessage(seq=2, at=NOW, text="Hello", by=use),
        ProposalMessage(seq=3, at=NOW, proposal=proposal, by=use),
        ToolResult(seq=4, at=NOW, proposal_id="k-1", result="x" * 9_000),
    ]
    before = [message.model_dump_json() for message in messages]
    seen = window.newest(window.visible(messages, [], 0), 99_999)
    assert [message.model_dump_json() for message in messages] == before
    text = "".join(message.model_dump_json() for message in seen)
    assert not any(word in text for word in ("parameters", "2030", '"me"', '"by"', "x" * 4_001))
    assert '"arguments":{"a":1}' in text


def test_nothing_is_folded_into_a_summary_while_there_is_room() -> None:
    seen = list(window.visible(users(*["a" * 100] * 10), [], 0))
    assert window.backlog(seen, 16_000) == []


def test_the_oldest_are_folded_and_the_newest_kept_whole() -> None:
    messages = users(*["a" * 400] * 40)
    piece = window.backlog(list(window.visible(messages, [], 0)), 16_000)
    assert piece[0].seq == 1
    rest = messages[len(piece) :]
    assert 3_000 < sum(map(window.size, rest)) < 16_000 * 2 // 5
