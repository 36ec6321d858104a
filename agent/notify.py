"""Telling somebody that a proposal has waited for long: through Apprise, with a link by which it can be decided."""

import importlib
import logging

from agent import links
from agent.messages import Notification
from agent.sentences import spaced
from agent.settings import Settings

_LOG = logging.getLogger(__name__)


async def notify(settings: Settings, chat_id: str, told: Notification) -> bool:
    """Whether it was delivered to all of NOTIFY_URLS. Names what waits, never its arguments: they are behind the link."""
    if not settings.notify_urls:  # they were taken out since the chat began
        return True
    apprise = importlib.import_module("apprise")  # it takes half a second, and most workers need it never
    channels = apprise.Apprise()
    for number, url in enumerate(settings.notify_urls, 1):
        if not channels.add(url):
            _LOG.error("Entry %d of NOTIFY_URLS is no URL of Apprise. Correct it.", number)
    body = f"{spaced(told.tool).capitalize()} waits for a decision, in the chat “{told.title}”."
    key = settings.signing_key
    if settings.page_url and key:
        body += f"\n\nDecide: {settings.page_url}/decide/{links.token(key, chat_id, told.link)}"
    return bool(await channels.async_notify(title="Steadfast: a decision is waiting", body=body))
