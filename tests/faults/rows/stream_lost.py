"""Rows 25 and 26: Twilio's socket breaks in mid-sentence, or stays open and says nothing more."""

import asyncio
import time
from collections.abc import Sequence
from random import Random

from agent.simulator.behaviour import EXACT
from agent.simulator.session import State as SessionState
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import CloseStream
from telephony.simulator.line import LineState
from telephony.simulator.report import CallEvent, StreamClosed
from telephony.simulator.world import World
from telephony.simulator.world_faults import LoseStream, StallStream
from telephony.twilio.messages import Mark, Media
from tests.end_to_end import twilio
from tests.end_to_end.scripts import HANG_UP, SAY_GARDEN, SAY_MORGAN, caller
from tests.faults.fleet import Fleet, percentile, running
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios

SEEDS = 200
RUNS = 20

LONG_REPLY_MS = 11_000
"""Of the clip `times`, all but its end."""

FIRST_MARK_MS = 400
"""Before it comes back, nobody knows that a reply was heard at all."""

REPEATED_MS = 30
"""The frame that sounds counts as heard, and the news of a loss and a mark's echo are each on
their way."""

PATIENCE_MS = 2_500
"""How long this caller bears silence. A stream needs up to 1.2 s to come back, and whoever hangs up
before that has not heard the rest: the line would rightly end there."""

DEAD_MS = 45_000

CUT_OFF = caller(SAY_MORGAN, 'barge_in_ms = 300\ncut = "reset"', SAY_GARDEN, HANG_UP)


def measure_heard(share: float) -> Sequence[Figure]:
    """A reset in the middle of a reply, in virtual time: what is heard."""
    worlds = [_reset(seed) for seed in range(scaled(SEEDS, share, least=4))]
    return [
        Figure("streams reset in a long reply, virtual", len(worlds), None),
        Figure(
            "sessions besides the parked one", sum(len(w.links) - 1 for w in worlds), exactly(0)
        ),
        Figure(
            "calls whose reply is not heard once and whole", sum(map(_unlike, worlds)), exactly(0)
        ),
        Figure("calls with lines lost or twice", sum(map(_miswritten, worlds)), exactly(0)),
    ]


def measure_resumed(share: float) -> Sequence[Figure]:
    """The same over sockets: how soon it goes on."""
    shares_s = asyncio.run(_resumed_s(scaled(RUNS, share)))
    return [
        Figure("streams reset over real sockets", len(shares_s), None),
        Figure(
            "our share, p95", percentile(shares_s, 0.95) * 1000, at_most(300), "ms", wall_time=True
        ),
    ]


def _reset(seed: int) -> World:
    steps = scenarios.questions("q1", "repeat", after_ms=PATIENCE_MS)
    uncut = scenarios.world(steps, seed)
    began_ms = next(r for r in judge.replies(uncut) if r.name == "times").spans[0].at_ms
    at_ms = began_ms + Random(seed).randint(FIRST_MARK_MS, LONG_REPLY_MS)
    return scenarios.world(steps, seed, EXACT, (at_ms, LoseStream()))


def _unlike(world: World) -> bool:
    """Whether some of the reply was heard twice, or never."""
    heard = [reply for reply in judge.replies(world) if reply.name == "times"]
    if len(heard) != 2:
        return True
    before, after = heard
    repeated_ms = (before.heard_samples - after.begins) / PHONE_SAMPLES_PER_MS
    return abs(repeated_ms) > REPEATED_MS


def _miswritten(world: World) -> bool:
    lines = world.store.lines
    whole = all(line.heard == line.text for line in lines)
    return bool(world.store.complaints) or len(lines) != 5 or not whole


async def _resumed_s(runs: int) -> list[float]:
    async with running(1) as fleet:
        return [await _reset_once(fleet) for _ in range(runs)]


async def _reset_once(fleet: Fleet) -> float:
    """From the loss of a stream at Twilio to the next one attached here."""
    call_sid = twilio.new_call_sid()
    lost_s: list[float] = []

    def listen(event: CallEvent) -> None:
        if isinstance(event, StreamClosed):
            lost_s.append(time.monotonic())

    await fleet.place(CUT_OFF, on_event=listen, call_sid=call_sid)
    streams = [e.at_s for e in fleet.told.seen if (e.what, e.call_sid) == ("stream", call_sid)]
    return streams[1] - lost_s[0]


def measure_dead(share: float) -> Sequence[Figure]:
    """Nothing comes for 45 s, not even a `stop`; the socket is open."""
    waits_ms, unended, left = list[int](), 0, 0
    for seed in range(scaled(SEEDS, share, least=4)):
        steps = scenarios.questions_by_the_clock("q1", "q2", every_ms=20_000)
        at_ms = Random(seed).randint(2_000, 18_000)
        world = scenarios.world(steps, seed, EXACT, (at_ms, StallStream(DEAD_MS)))
        closed_ms = [
            s.at_ms for s in world.steps if any(isinstance(c, CloseStream) for c in s.commands)
        ]
        life_ms = [s.at_ms for s in world.steps if isinstance(s.event, Media | Mark)]
        if closed_ms:
            waits_ms.append(closed_ms[0] - max(t for t in life_ms if t <= closed_ms[0]))
        unended += not world.over or len(world.phone.lines) != 2
        left += _left_open(world)
    return [
        Figure("sockets that fell silent, virtual", len(waits_ms), None),
        Figure("given up after, longest", max(waits_ms, default=DEAD_MS), at_most(10_000), "ms"),
        Figure("calls that did not come back and end well", unended, exactly(0)),
        Figure("streams, sessions and timers left afterwards", left, exactly(0)),
    ]


def _left_open(world: World) -> int:
    """What is still there of a call that is over."""
    world.live(world.now_ms + 1_000)  # what was closed last is on its way
    streams = sum(line.state is LineState.OPEN for line in world.phone.lines)
    sessions = sum(
        link.session is not None and link.session.state is not SessionState.OVER
        for link in world.links
    )
    return streams + sessions + sum(worker.deadline_ms() is not None for worker in world.workers)


ROWS = (
    Row(25, "Twilio's socket is reset in mid-sentence: how soon", measure_resumed),
    Row(
        25,
        "Twilio's socket is reset in mid-sentence: what is heard",
        measure_heard,
        virtual=True,
        cost_s=90,
    ),
    Row(26, "Twilio's socket falls silent for 45 s", measure_dead, virtual=True, cost_s=90),
)
