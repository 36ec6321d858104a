"""How long to wait before what died is started again."""

import asyncio
import time

SHORTEST, LONGEST = 0.2, 10.0


class Backoff:
    """0.2 s, doubling up to 10 s; anew after something has run for 10 s."""

    def __init__(self) -> None:
        self._delay = SHORTEST / 2
        self._began = time.monotonic()

    def began(self) -> None:
        self._began = time.monotonic()

    async def wait(self) -> None:
        ran_long = time.monotonic() - self._began > LONGEST
        self._delay = SHORTEST if ran_long else min(self._delay * 2, LONGEST)
        await asyncio.sleep(self._delay)
