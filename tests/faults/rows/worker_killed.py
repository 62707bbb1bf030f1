"""Rows 1 and 2: a worker with calls is killed at a random instant, again and again."""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from random import Random

from telephony.simulator.report import CallEnded, CallEvent, StreamClosed, StreamOpened
from tests.end_to_end import twilio
from tests.end_to_end.records import Stored
from tests.end_to_end.scripts import caller
from tests.end_to_end.watching import PATIENCE_S
from tests.faults.fleet import Fleet, percentile, running
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.faults.telling_worker import Told

KILLS = 200
CALLS = 10
KILLS_A_CALL = 4
"""More than five resumes within a minute end a call, and have to."""

BETWEEN_S = (0.3, 3.0)
"""From one kill to the next: a question and its answer take about 5 s."""

GO_ON_S = 3.0
"""How long the calls are left in peace after the last kill, before their callers hang up."""

SAFE_S = 0.05
RECONNECT_MS = 730
"""What others measured of Twilio, and the calls here leave out."""

TALK = caller(
    *('after_ms = 1200\nsay = "morgan"', 'after_ms = 2200\nsay = "q2"') * 6,
    "after_ms = 1500\nhang_up = true",
)
"""By the clock: whoever waits for an answer waits in vain where the question died with a worker."""


@dataclass
class Killed:
    """All that was found out. `shares_s`: from a kill until a call had stream and model again."""

    kills: int = 0
    hit: int = 0
    shares_s: list[float] = field(default_factory=list)
    lost: int = 0
    duplicate: int = 0
    reordered: int = 0


@dataclass
class Side:
    """A call as its caller's side sees it."""

    call_sid: str = field(default_factory=twilio.new_call_sid)
    up: bool = False
    over: bool = False

    def __call__(self, event: CallEvent) -> None:
        match event:
            case StreamOpened():
                self.up = True
            case StreamClosed():
                self.up = False
            case CallEnded():
                self.over = True
            case _:
                pass


def measure_resumed(share: float) -> Sequence[Figure]:
    """Whether calls go on, and how soon."""
    found = killed(share)
    p95_ms = percentile(found.shares_s, 0.95) * 1000
    return [
        Figure("kills", found.kills, None),
        Figure("calls up when their worker was killed", found.hit, at_least(1)),
        Figure("of these not resumed", found.hit - len(found.shares_s), exactly(0)),
        Figure("our share, p95", p95_ms, at_most(300), "ms", wall_time=True),
        Figure(
            "with Twilio's 730 ms, p95", p95_ms + RECONNECT_MS, at_most(1_500), "ms", wall_time=True
        ),
    ]


def measure_lines(share: float) -> Sequence[Figure]:
    """Whether each line that was final 50 ms before stands in Redis, once and in order."""
    found = killed(share)
    return [
        Figure("calls times kills", found.hit, None),
        Figure("lines lost", found.lost, exactly(0)),
        Figure("lines twice", found.duplicate, exactly(0)),
        Figure("lines out of order", found.reordered, exactly(0)),
    ]


@cache
def killed(share: float) -> Killed:
    """Kill as often as that; the rows look at the same kills."""
    return asyncio.run(_killed(scaled(KILLS, share), scaled(CALLS, share, least=3)))


async def _killed(kills: int, calls: int) -> Killed:
    found, rng = Killed(), Random(1)
    async with running(2) as fleet:
        fleet.first = 0
        while found.kills < kills:
            await _batch(fleet, found, rng, calls, kills)
    return found


async def _batch(fleet: Fleet, found: Killed, rng: Random, calls: int, kills_in_all: int) -> None:
    """So many calls, whose workers are killed one after the other."""
    kills = min(KILLS_A_CALL, kills_in_all - found.kills)
    deaths: dict[int, float] = {}
    sides = [Side() for _ in range(calls)]
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for side in sides:
            tasks.create_task(
                fleet.place(TALK, on_event=side, call_sid=side.call_sid, interrupted=enough)
            )
        async with asyncio.timeout(PATIENCE_S):
            while not all(side.up for side in sides):  # noqa: ASYNC110 - each tells for itself
                await asyncio.sleep(0.02)
        for _ in range(kills):
            again = [n for n, slot in enumerate(fleet.slots) if not slot.ready]
            await asyncio.gather(asyncio.sleep(rng.uniform(*BETWEEN_S)), fleet.start(*again))
            fleet.slots[await _kill(fleet, found, sides, deaths)].ready = False
        await asyncio.sleep(GO_ON_S)
        enough.set()
    stored = await fleet.stored([side.call_sid for side in sides])
    for call_sid, call in stored.items():
        told = [each for each in fleet.told.seen if each.call_sid == call_sid]
        _audit(found, told, call, deaths)
    fleet.told.seen.clear()  # who looks through what 2000 calls told is late for the next kill


async def _kill(
    fleet: Fleet, found: Killed, sides: Sequence[Side], deaths: dict[int, float]
) -> int:
    """Kill the worker that has the calls; returns which one it was."""
    victim = fleet.first or 0
    hit = [side for side in sides if side.up and not side.over]
    fleet.first = 1 - victim
    killed_s = time.monotonic()
    deaths[fleet.send(victim, signal.SIGKILL)] = killed_s
    await fleet.wait(victim)
    found.kills += 1
    for side in hit:
        ready_s = await _ready_s(fleet, side, killed_s)
        if ready_s is None and side.over:
            continue  # the caller hung up in between
        found.hit += 1
        if ready_s is not None:
            found.shares_s.append(ready_s - killed_s)
    return victim


async def _ready_s(fleet: Fleet, side: Side, killed_s: float) -> float | None:
    """When a call had both stream and model again; None if it never had."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not side.over:
                later = [e for e in fleet.told.seen if e.call_sid == side.call_sid]
                later = [e for e in later if e.at_s > killed_s]
                streams = [e.at_s for e in later if e.what == "stream"]
                sessions = [e.at_s for e in later if e.what == "session"]
                if streams and sessions:
                    return max(streams[0], sessions[0])
                await asyncio.sleep(0.02)
    except TimeoutError:
        pass
    return None


def _audit(found: Killed, told: Sequence[Told], call: Stored, deaths: dict[int, float]) -> None:
    """Compare what its workers said was final with what is stored of a call."""
    kept = {(int(line["n"]), int(line["epoch"])) for line in call.lines}
    for each in told:
        safe = each.at_s < deaths.get(each.worker, each.at_s + 1) - SAFE_S
        found.lost += each.what == "line" and safe and (each.n, each.epoch) not in kept
    numbers = [int(line["n"]) for line in call.lines]
    found.lost += len(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
    found.duplicate += len(numbers) - len(set(numbers))
    found.reordered += sum(before > after for before, after in pairwise(numbers))


ROWS = (
    Row(1, "a worker is killed at a random instant", measure_resumed),
    Row(2, "the same: the transcript", measure_lines),
)
