"""The ancestors' shapes, read and written here and nowhere else.

They are those of Temporal's tutorial "Build a durable AI agent" and of temporal-community/temporal-ai-agent: the start
input, the signals' bare and rich forms, and the queries. What cannot be read raises Unreadable with one sentence.
"""

from agent.errors import Unreadable
from agent.wire.answers import agent_goal, history, latest_tool_data
from agent.wire.links import read_handover, read_link, read_link_id, read_link_verdict
from agent.wire.signals import (
    read_model,
    read_prompt,
    read_repair,
    read_rule,
    read_rule_id,
    read_seq,
    read_since,
    read_title,
    read_verdict,
    read_verdicts,
)
from agent.wire.start import read_start, resume_input, start_input
from agent.wire.views import chat_status, chat_view

__all__ = [
    "Unreadable",
    "agent_goal",
    "chat_status",
    "chat_view",
    "history",
    "latest_tool_data",
    "read_handover",
    "read_link",
    "read_link_id",
    "read_link_verdict",
    "read_model",
    "read_prompt",
    "read_repair",
    "read_rule",
    "read_rule_id",
    "read_seq",
    "read_since",
    "read_start",
    "read_title",
    "read_verdict",
    "read_verdicts",
    "resume_input",
    "start_input",
]
