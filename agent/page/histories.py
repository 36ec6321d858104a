"""What the histories of chats say, read once: a run that has closed never changes, an open one is read on from its end."""

from dataclasses import dataclass, field

from agent import timeline
from agent.client import ChatClient
from agent.errors import ChatError, ChatNotFound
from agent.timeline import RunHistory, Score

KEPT = 2_000
"""Runs whose facts are kept in memory."""


@dataclass
class Histories:
    """One for the process."""

    _runs: dict[str, RunHistory] = field(default_factory=dict)
    _newest: dict[str, str] = field(default_factory=dict)
    _scores: dict[str, tuple[str, Score]] = field(default_factory=dict)

    async def of_chat(self, client: ChatClient, chat_id: str) -> list[RunHistory]:
        """All runs of a chat that the server still has, oldest first."""
        newest = await client.history(chat_id, known=self._runs.get(self._newest.get(chat_id, "")))
        self._newest[chat_id] = newest.run_id
        found = [self._keep(newest)]
        while previous := found[0].previous_run_id:
            known = self._runs.get(previous)
            if known is None or not known.closed:
                try:
                    known = self._keep(await client.history(chat_id, previous))
                except ChatNotFound:  # it was kept for as long as the namespace keeps closed runs
                    break
            found.insert(0, known)
        return found

    async def score(self, client: ChatClient, chat_id: str, *, ended: bool = False) -> Score:
        """What one chat counts; that of an ended one is counted once."""
        newest = self._newest.get(chat_id, "")
        if (
            ended
            and newest in self._runs
            and self._runs[newest].closed
            and self._scores.get(chat_id, ("",))[0] == newest
        ):
            return self._scores[chat_id][1]
        runs = await self.of_chat(client, chat_id)
        counted = timeline.score(chat_id, runs)
        self._scores[chat_id] = (runs[-1].run_id, counted)
        return counted

    async def total(self, client: ChatClient, chats: dict[str, bool]) -> Score:
        """All of these chats together (True = it has ended); those that cannot be read are not counted."""
        total = Score()
        for chat_id, ended in chats.items():
            try:
                total = total.plus(await self.score(client, chat_id, ended=ended))
            except ChatError:
                continue
        return total

    def _keep(self, run: RunHistory) -> RunHistory:
        while len(self._runs) >= KEPT:
            self._runs.pop(next(iter(self._runs)))
        self._runs[run.run_id] = run
        return run
