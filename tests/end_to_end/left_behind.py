"""Finds objects that calls leave in this process after their servers have stopped.

The garbage collector finds the objects of a call while its servers are still held. So any table
that still holds a call is found, and named. It does not look at what is older than the test: that
is everything that is imported, and takes half a second each time.
"""

import asyncio
import gc
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from telephony.call.machine import Call
from telephony.server.app import Server, settle_garbage_collector
from telephony.server.driver import Driver
from telephony.server.store_writer import StoreWriter
from telephony.server.stream import MediaStream

OF_A_CALL = (Call, Driver, MediaStream, StoreWriter)

OPEN = Path("/proc/self/fd")

SETTLES_S = 5
"""Closing sockets takes a turn or two of the loop; only what stays is left behind."""


THEIRS = frozenset({"H11Protocol.timeout_keep_alive_handler"})
"""Timers that ring once, to no effect: uvicorn's, of a connection that was reset, within 5 s."""


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds."""

    tasks: Counter[str]
    timers: Counter[str]
    sockets: int
    objects: Counter[str]

    def beyond(self, before: "Held") -> dict[str, object]:
        """What was not held before; empty if there is nothing."""
        found = {
            "tasks": dict(self.tasks - before.tasks),
            "timers": dict(self.timers - before.timers),
            "sockets": max(0, self.sockets - before.sockets),
            "objects": dict(self.objects - before.objects),
        }
        return {name: left for name, left in found.items() if left}


def begin() -> Held:
    """Set aside every object that there is, so that none of them is looked at again, and look."""
    SERVED.clear()
    settle_garbage_collector()
    return held()


def held() -> Held:
    """Look now. Call it in the loop that the calls ran in."""
    gc.collect()
    loop = asyncio.get_running_loop()
    timers = [timer for timer in getattr(loop, "_scheduled", []) if not timer.cancelled()]
    others = asyncio.all_tasks() - {asyncio.current_task()}
    return Held(
        Counter(task.get_name() for task in others),
        Counter(name for name in map(_name, timers) if name not in THEIRS),
        sum(_is_socket(path) for path in OPEN.iterdir()),
        Counter(type(each).__name__ for each in gc.get_objects() if type(each) in OF_A_CALL),
    )


async def left_behind(before: Held) -> dict[str, object]:
    """What stays beyond what was held before, given time to settle."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + SETTLES_S
    while (left := held().beyond(before)) and loop.time() < until_s:  # noqa: ASYNC110 - untold
        await asyncio.sleep(0.01)
    return left


def _name(timer: asyncio.TimerHandle) -> str:
    """What it will call."""
    callback = timer._callback  # type: ignore[attr-defined]  # nothing public tells
    return str(getattr(callback, "__qualname__", callback))


def _is_socket(path: Path) -> bool:
    try:
        return str(path.readlink()).startswith("socket:")
    except OSError:  # the one that lists them
        return False


SERVED: list[Server] = []
"""The servers of the test that runs. Whoever looks empties it."""
