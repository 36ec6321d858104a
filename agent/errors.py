"""The errors that cross module borders. Each message is one sentence for the reader: what happened, what to do."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.messages import ModelUse


class SettingsError(Exception):
    """An environment variable or a line of .env cannot be used. The message names it and the remedy, never its value."""


class Unreadable(ValueError):
    """Input of a client that has none of the known formats; the message is one sentence for the page."""


class ChatError(Exception):
    """Something a person meets while using a chat; the message is shown to them as it is."""


class ChatNotFound(ChatError):
    """No chat has this id on the server we are connected to."""


class ChatClosed(ChatError):
    """The chat has ended, so nothing more can be said in it."""


class MessageRefused(ChatError):
    """The text is empty or too long; nothing was sent and the draft is the person's to change."""


class ServerUnavailable(ChatError):
    """The Temporal server does not answer."""


class NoWorker(ChatError):
    """The server answers but no worker does."""


class ChatWedged(ChatError):
    """No worker can replay the chat's history, so none can go on with it until it is repaired (agent/repair.py)."""


class KeyMissing(ChatError):
    """The chat is encrypted, and this process or the worker lacks its key. It waits until the key is there."""


class TooManyMessages(ChatError):
    """A visitor has sent as many messages as a minute allows; the message may be sent again a little later."""


class StartFailed(Exception):
    """The embedded server or worker could not be started; the message names the ways to get one."""


class ModelError(Exception):
    """The model did not answer. The message is ours alone: a provider's text may echo a key.

    use: what the call used all the same, as far as the provider said so.
    """

    use: "ModelUse | None" = None


class ModelUnavailable(ModelError):
    """It may work later (network, overload, quota, a bad key that is being changed): try again.

    retry_after: seconds the provider asked us to wait, or None.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ModelGarbled(ModelUnavailable):
    """It answered, and the answer was empty or truncated: retry a few times only, because each answer costs."""


class ModelRefused(ModelError):
    """The same request will never work (400, 404, 422): do not try again, tell the person."""


class BudgetSpent(ModelError):
    """The day's budget is spent: do not ask the model; the message says when it opens again."""


class ContextTooLong(ModelError):
    """The request is longer than the model's context window: send less."""
