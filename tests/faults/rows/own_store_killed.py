"""Rows 71 and 72: `kill -9` of a worker that keeps its calls itself, started again 2 s later.

Every other time the server that keeps them, and its keeper, are killed with it. The same STATE_DIR
serves several runs of a row; some such folders, each with its worker, are in use at once.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

from telephony.simulator.faults import AfterLoss, CallFaults
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.records import Stored
from tests.end_to_end.scripts import (
    ANSWERED_HANG_UP,
    GARDEN,
    GARDEN_ANSWER,
    GREETING,
    SAY_GARDEN,
    SAY_MORGAN,
    TWO_TURNS,
    caller,
)
from tests.end_to_end.serving import place, run
from tests.end_to_end.watching import Watch
from tests.faults.fleet import Fleet, running, side_by_side
from tests.faults.table import Figure, Row, exactly, scaled
from tests.own_store import nobody_left, servers, state_dir, store_in

KILLS = 20
HELD_KILLS = 10
FOLDERS = 5
AWAY_S = 2.0
SAFE_S = 0.05
FIRST_ANSWER = 2
"""Of the agent's replies: the first is the greeting."""

SOUNDS_S = 2.0
"""For so long at least a reply is heard."""

ENDS = CallFaults(after_loss=AfterLoss.ENDS)
WAITS = CallFaults(after_loss=AfterLoss.WAITS, stream_callbacks=False)
"""The callback of the stream's end comes while nobody is there."""

GOES_ON = caller(SAY_GARDEN, ANSWERED_HANG_UP)
STAYS = caller(
    SAY_MORGAN,
    "after_ms = 3000",  # the worker is dead by then, and not back yet
    'wait = "line"\nsay = "q2"',
    ANSWERED_HANG_UP,
)


@dataclass
class Found:
    """All that was found out. A line is lost if it was final 50 ms before a kill and is not stored,
    or was stored and is not there any more.
    """

    random: Random
    kills: int = 0
    in_reply: int = 0
    went_on: int = 0
    lost: int = 0
    twice: int = 0
    out_of_order: int = 0
    greetings: int = 0
    left: int = 0

    def in_order(self, *calls: Stored) -> None:
        """Count what is stored twice, and out of order."""
        for call in calls:
            numbers = [int(line["n"]) for line in call.lines]
            self.lost += len(set(range(1, max(numbers, default=0) + 1)) - set(numbers))
            self.twice += len(numbers) - len(set(numbers))
            self.out_of_order += sum(one > other for one, other in pairwise(numbers))


def measure_redialled(share: float) -> Sequence[Figure]:
    """Twilio ends the call with its stream, and the caller dials again."""
    kills = scaled(KILLS, share, least=2)
    each = asyncio.run(side_by_side(kills, FOLDERS if kills > FOLDERS else 1, _redialled))
    code, sentences = each[0][1]
    return [
        *_figures([found for found, _ in each], "callers who dialled again and went on"),
        Figure("exit code of a second server on the same STATE_DIR", code, exactly(2)),
        Figure("lines that it writes", sentences, exactly(1)),
    ]


def measure_held(share: float) -> Sequence[Figure]:
    """Twilio holds the call until somebody tells it where to go on."""
    kills = scaled(HELD_KILLS, share, least=2)
    each = asyncio.run(side_by_side(kills, FOLDERS if kills > FOLDERS else 1, _held))
    return _figures(each, "calls that went on")


def _figures(each: Sequence[Found], went_on: str) -> Sequence[Figure]:
    def total(what: str) -> int:
        return sum(getattr(found, what) for found in each)

    kills = total("kills")
    return [
        Figure("kills", kills, None),
        Figure("kills in the middle of a reply", total("in_reply"), exactly(kills)),
        Figure(went_on, total("went_on"), exactly(kills)),
        Figure("lines lost", total("lost"), exactly(0)),
        Figure("lines twice", total("twice"), exactly(0)),
        Figure("lines out of order", total("out_of_order"), exactly(0)),
        Figure("second greetings", total("greetings"), exactly(0)),
        Figure("servers left behind", total("left"), exactly(0)),
    ]


async def _redialled(kills: int) -> tuple[Found, tuple[int, int]]:
    found = Found(Random(kills))
    async with state_dir() as state, _worker(state, found) as fleet:
        while found.kills < kills:
            await _redial(fleet, state, found)
        environment = fleet.environment | {"PORT": "0"}
        code, _, written = await run("serve", **environment)
    return found, (code or 0, written.count("\n"))


async def _held(kills: int) -> Found:
    found = Found(Random(kills))
    async with state_dir() as state, _worker(state, found) as fleet:
        while found.kills < kills:
            await _hold(fleet, state, found)
    return found


@asynccontextmanager
async def _worker(state: Path, found: Found) -> AsyncIterator[Fleet]:
    """A fleet of one. What is left of its servers once it is killed, and a while later, counts."""
    store = store_in(state)
    async with running(1, store.url, STATE_DIR=str(state), REDIS_URL="") as fleet:
        yield fleet
    await nobody_left(store)
    found.left += len(servers(state))


async def _redial(fleet: Fleet, state: Path, found: Found) -> None:
    """The call ends with its worker; the caller dials again once that is back."""
    url, number = fleet.slots[0].url, f"+1415555{found.kills:04}"
    heard: Watch[CallEvent] = Watch()
    async with asyncio.TaskGroup() as tasks:
        placed = tasks.create_task(
            place(TWO_TURNS, url, on_event=heard, caller=number, faults=ENDS)
        )
        reply = found.random.choice((FIRST_ANSWER, FIRST_ANSWER + 1))
        death = await _kill(fleet, state, found, heard, reply)
    await fleet.start(0)
    again = await place(GOES_ON, url, caller=number)
    sids = [placed.result().call_sid, again.call_sid]
    after = await fleet.stored_at_the_end(sids[1])
    [before] = (await fleet.stored(sids[:1])).values()
    found.lost += _lost(fleet, sids[0], before, death)
    found.lost += len(set(before.said) - set(after.said))
    found.in_order(before, after)
    found.greetings += after.said.count(("agent", GREETING)) - 1
    found.went_on += (
        after.said[: len(before.said)] == before.said and not again.problems and _answered(after)
    )


async def _hold(fleet: Fleet, state: Path, found: Found) -> None:
    """The call stays, and the new worker has Twilio ask where it goes on."""
    heard: Watch[CallEvent] = Watch()
    async with asyncio.TaskGroup() as tasks:
        placed = tasks.create_task(fleet.place(STAYS, WAITS, heard))
        death = await _kill(fleet, state, found, heard, reply=FIRST_ANSWER)
        await fleet.start(0)
    report = placed.result()
    kept = await fleet.stored_at_the_end(report.call_sid)
    found.lost += _lost(fleet, report.call_sid, kept, death)
    found.in_order(kept)
    found.greetings += kept.said.count(("agent", GREETING)) - 1
    found.went_on += report.streams == 2 and not report.problems and _answered(kept)


async def _kill(
    fleet: Fleet, state: Path, found: Found, heard: Watch[CallEvent], reply: int
) -> float:
    """Kill the worker in the middle of a reply, and wait; returns when that was."""
    await heard.until(lambda event: isinstance(event, AgentHeard), times=reply)
    began_s = time.monotonic()
    await asyncio.sleep(found.random.uniform(0.1, SOUNDS_S - 0.8))
    victims = servers(state) if found.kills % 2 else []
    killed_s = time.monotonic()
    fleet.send(0, signal.SIGKILL)
    for victim in victims:
        victim.kill()
    found.in_reply += killed_s - began_s < SOUNDS_S
    found.kills += 1
    await fleet.wait(0)
    await asyncio.sleep(AWAY_S)
    found.left += len(servers(state))
    return killed_s


def _lost(fleet: Fleet, call_sid: str, kept: Stored, killed_s: float) -> int:
    """How many lines were final in time, and are not stored."""
    final = {
        each.said
        for each in fleet.told.seen
        if (each.call_sid, each.what) == (call_sid, "line") and each.at_s < killed_s - SAFE_S
    }
    return len(final - set(kept.said))


def _answered(call: Stored) -> bool:
    """Whether the question after the kill was heard and answered."""
    return call.said[-2:] == [("caller", GARDEN), ("agent", GARDEN_ANSWER)]


ROWS = (
    Row(71, "a worker that keeps its calls itself is killed", measure_redialled, beside=True),
    Row(72, "the same, and Twilio holds the call", measure_held, beside=True),
)
