"""The time of one call, in whole ms since it began, from the event loop's clock."""

import asyncio
from datetime import UTC, datetime


class Clock:
    """A call's clock. Make it inside the loop. Times are rounded down, deadlines up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    def now_ms(self) -> int:
        """The time since the call began."""
        return int((self._loop.time() - self._began_s) * 1000)

    def now_utc(self) -> datetime:
        """The time of day, which is in Twilio's callbacks."""
        return datetime.now(UTC)  # noqa: TID251 - an edge module; no decision depends on it

    async def wait(self, woken: asyncio.Event, until_ms: int) -> None:
        """Wait until the event is set or the time has come. Afterwards the event is cleared."""
        alarm = self._loop.call_at(self._began_s + until_ms / 1000, woken.set)
        try:
            await woken.wait()
        finally:
            alarm.cancel()
        woken.clear()
