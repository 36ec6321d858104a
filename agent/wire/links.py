"""What clients send about links to a chat."""

from datetime import datetime, timedelta
from typing import Any, get_args

from agent import links
from agent.errors import Unreadable
from agent.messages import Handover, Link, LinkKind, Verdict
from agent.wire.signals import word


def read_link(raw: Any, now: datetime) -> Link:
    """`add_link`: {"id", "kind", "seconds", "proposal_id"?, "who"?}."""
    fields = raw if isinstance(raw, dict) else {}
    kind, seconds, link_id = fields.get("kind"), fields.get("seconds"), word(fields.get("id"))
    if not link_id or ":" in link_id or kind not in get_args(LinkKind):
        raise Unreadable("Ignored a link: unknown format.")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= links.LONGEST:
        raise Unreadable("Ignored a link: it must hold for more than 0 seconds and at most 30 days.")
    proposal_id, who = word(fields.get("proposal_id")), word(fields.get("who"))
    if (kind == "decide") != bool(proposal_id):
        raise Unreadable("Ignored a link: it names a proposal if it decides one, and only then.")
    expires = (now + timedelta(seconds=seconds)).replace(microsecond=0)
    return Link(id=link_id, kind=kind, proposal_id=proposal_id, expires=expires, who=who)


def read_link_id(raw: Any) -> str:
    """`revoke_link`: the id of a link."""
    if not word(raw):
        raise Unreadable("Ignored the revocation of a link: unknown format.")
    return word(raw)


def read_handover(raw: Any) -> Handover:
    """`hand_over`: {"link", "owner", "who"?, "attribute"?}: attribute is true where the server knows ChatVisitor."""
    fields = raw if isinstance(raw, dict) else {}
    found = Handover(
        link=word(fields.get("link")),
        owner=word(fields.get("owner")),
        who=word(fields.get("who")),
        attribute=fields.get("attribute") is True,
    )
    if not found.link or not found.owner:
        raise Unreadable("Ignored a change of owner: unknown format.")
    return found


def read_link_verdict(raw: Any) -> tuple[str, Verdict]:
    """`decide_by_link`: {"link", "verdict": "confirm" or "decline", "reason"?, "who"?}."""
    fields = raw if isinstance(raw, dict) else {}
    said, link_id = fields.get("verdict"), word(fields.get("link"))
    if not link_id or said not in ("confirm", "decline"):
        raise Unreadable("Ignored a decision: unknown format.")
    verdict = Verdict(accepts=said == "confirm", reason=word(fields.get("reason")), who=word(fields.get("who")))
    return link_id, verdict
