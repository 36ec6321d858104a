"""What a list of chats says of each without asking it: search attributes where the server has them, else the memo.

A workflow task that sets an attribute which the server does not know fails until it does. So the client looks first,
and the start input says which of the two a chat uses (`listed_in`).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes
from temporalio.service import RPCError, RPCStatusCode

from agent.messages import ListedIn

GOAL = SearchAttributeKey.for_keyword("ChatGoal")
"""The name of the goal that the chat began with."""

STATUS = SearchAttributeKey.for_keyword("ChatStatus")
"""`deciding` while a decision of the person is waited for, else `open`. Whether a chat has ended is ExecutionStatus."""

WAITING = SearchAttributeKey.for_keyword("ChatWaiting")
"""What is waited for: the tool to be confirmed, or the kind of question. Not set while nothing is."""

VISITOR = SearchAttributeKey.for_keyword("ChatVisitor")
"""Whose chat it is: a hash, see agent/visitor.py. The memo says it too, and is what is believed."""

MEMO = "waiting"
MEMO_OWNER = "owner"
_NAMES = (GOAL.name, STATUS.name, WAITING.name, VISITOR.name)
_KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
_LONGEST = 100
_TIMEOUT = timedelta(seconds=5)


def at_start(goal: str, owner: str) -> TypedSearchAttributes:
    """The attributes of a new chat."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(GOAL, goal[:_LONGEST]),
            SearchAttributePair(STATUS, "open"),
            SearchAttributePair(VISITOR, owner),
        ]
    )


def updates(waiting: str) -> list[SearchAttributeUpdate[Any]]:
    """What changes when the chat waits for this decision, or for none ("")."""
    if waiting:
        return [STATUS.value_set("deciding"), WAITING.value_set(waiting[:_LONGEST])]
    return [STATUS.value_set("open"), WAITING.value_unset()]


def is_deciding(attributes: TypedSearchAttributes, memo: Mapping[str, Any]) -> bool:
    """Whether a listed chat waits for a decision."""
    return attributes.get(STATUS) == "deciding" or bool(memo.get(MEMO))


async def prepare(client: Client, *, register: bool) -> ListedIn:
    """Where new chats are to be listed. register: add the attributes that are missing, if the server lets us.

    Raises RPCError if the server does not answer.
    """
    service = client.operator_service
    try:
        asked = ListSearchAttributesRequest(namespace=client.namespace)
        known = (await service.list_search_attributes(asked, timeout=_TIMEOUT)).custom_attributes
        if register and (missing := [name for name in _NAMES if name not in known]):
            added = dict.fromkeys(missing, _KEYWORD)
            request = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=added)
            await service.add_search_attributes(request, timeout=_TIMEOUT)
            known = (await service.list_search_attributes(asked, timeout=_TIMEOUT)).custom_attributes
    except RPCError as error:
        if error.status in (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
            raise
        return "memo"  # not allowed to look, or no such service
    return "attributes" if all(known.get(name) == _KEYWORD for name in _NAMES) else "memo"
