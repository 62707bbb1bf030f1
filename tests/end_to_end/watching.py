"""Keeps events, and lets a test wait for one of them instead of sleeping."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.server.observers import Observer

PATIENCE_S = 30
"""Only so that a test that hangs fails."""


class Watch[T]:
    """A list of what happened. Call it with each thing; wait with `until`."""

    def __init__(self) -> None:
        self.seen: list[T] = []
        self._more = asyncio.Event()

    def __call__(self, one: T) -> None:
        """It has happened."""
        self.seen.append(one)
        self._more.set()

    async def until(self, wanted: Callable[[T], object], *, times: int = 1) -> T:
        """Wait until something wanted has happened so many times; returns the last of them.

        Raises:
            TimeoutError: It never did.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = [one for one in self.seen if wanted(one)]
                if len(found) >= times:
                    return found[times - 1]
                self._more.clear()
                await self._more.wait()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one call of a worker in this process."""

    call_sid: str
    event: Event
    commands: tuple[Command, ...]


def observer(steps: Watch[Step]) -> Observer:
    """What the server tells each step to."""

    def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
        del now_ms
        steps(Step(call_sid, event, tuple(commands)))

    return observe
