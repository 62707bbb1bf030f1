"""The time of one call, in whole ms since it began, from the event loop's clock."""

import asyncio
from datetime import UTC, datetime


class Clock:
    """Must be made inside the loop. Reads round down, deadlines round up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    def now_ms(self) -> int:
        """Since the call began."""
        return int((self._loop.time() - self._began_s) * 1000)

    def now_utc(self) -> datetime:
        """The time of day, which Twilio tells in its callbacks."""
        return datetime.now(UTC)  # noqa: TID251 - the edge: nothing is decided by it

    async def wait(self, woken: asyncio.Event, until_ms: int) -> None:
        """Until the event is set, or the time has come; the event is clear afterwards."""
        alarm = self._loop.call_at(self._began_s + until_ms / 1000, woken.set)
        try:
            await woken.wait()
        finally:
            alarm.cancel()
        woken.clear()
