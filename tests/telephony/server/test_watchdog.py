"""A loop that does not turn is noticed from outside; a process that was stopped is not a loop's."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from telephony.server import watchdog
from telephony.server.watchdog import LIMIT_S, LOOK_EVERY_S, STALL_S, Watchdog, watched

PATIENCE_S = 30


@dataclass
class Kennel:
    """A watchdog over a loop that does not turn while the test looks, and what it did."""

    told: list[tuple[str, int, list[str]]] = field(default_factory=list)
    ends: int = 0

    def dog(self) -> Watchdog:
        return Watchdog(asyncio.get_running_loop(), self._end, lambda *what: self.told.append(what))

    def _end(self) -> None:
        self.ends += 1

    @property
    def events(self) -> list[str]:
        return [event for event, _, _ in self.told]


def looks(for_s: float) -> int:
    return round(for_s / LOOK_EVERY_S)


async def test_a_stall_is_told_once_with_the_place_where_the_loop_is_stuck() -> None:
    kennel = Kennel()
    dog = kennel.dog()
    for _ in range(1 + looks(STALL_S) + 5):
        dog.look(LOOK_EVERY_S)
    [(event, stuck_ms, stack)] = kennel.told
    assert (event, stuck_ms) == ("event loop is stuck", 100)
    assert any("test_a_stall_is_told_once" in place for place in stack)
    await asyncio.sleep(0)
    dog.look(LOOK_EVERY_S)
    assert kennel.events == ["event loop is stuck", "event loop goes on"]
    assert kennel.told[-1][1] == round((STALL_S + 5 * LOOK_EVERY_S) * 1000)


async def test_a_loop_that_turns_is_left_alone() -> None:
    kennel = Kennel()
    dog = kennel.dog()
    for _ in range(looks(LIMIT_S) * 2):
        dog.look(LOOK_EVERY_S)
        await asyncio.sleep(0)
    assert (kennel.told, kennel.ends) == ([], 0)


async def test_a_loop_that_is_stuck_for_too_long_ends_the_process() -> None:
    kennel = Kennel()
    dog = kennel.dog()
    dog.look(LOOK_EVERY_S)
    for _ in range(looks(LIMIT_S) - 1):
        dog.look(LOOK_EVERY_S)
    assert kennel.ends == 0
    dog.look(2 * LOOK_EVERY_S)
    assert kennel.ends == 1
    assert kennel.events[-1] == "event loop is stuck: this process ends"


async def test_a_process_that_was_stopped_is_not_ended_for_it() -> None:
    kennel = Kennel()
    dog = kennel.dog()
    dog.look(LOOK_EVERY_S)
    dog.look(3_600)
    assert kennel.ends == 0


async def test_a_real_stall_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    noticed = threading.Event()
    tell = watchdog._tell

    def told(event: str, stuck_ms: int, stack: list[str]) -> None:
        tell(event, stuck_ms, stack)
        noticed.set()

    monkeypatch.setattr(watchdog, "_tell", told)
    stalls: asyncio.Queue[float] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def stalled(s: float) -> None:
        loop.call_soon_threadsafe(stalls.put_nowait, s)

    with capture_logs() as logs, watched(loop, stalled):
        assert noticed.wait(PATIENCE_S)  # on the loop, and so it is stuck
        async with asyncio.timeout(PATIENCE_S):
            assert await stalls.get() >= STALL_S
    assert logs[0]["event"] == "event loop is stuck"
    assert any("test_a_real_stall_is_logged" in place for place in logs[0]["stack"])
