"""Row 64: connects to Gemini hang: they are not refused, and never answered."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from agent.conversation.commands import OpenModel
from agent.simulator.faults import Reset, SlowSetup
from telephony.call.commands import NO_REPLY, EndCall, SendMedia
from telephony.call.ending import EndedReason
from telephony.call.events import StreamStarted
from telephony.simulator.script import Script
from telephony.simulator.virtual_models import Upstream
from telephony.simulator.world import World
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios, seams
from tests.worlds.model_lost import WORD_FRAMES
from tests.worlds.sdk import WireSdk

CALLS = 200
HANGS_MS = 3_600_000
HANGING = 50
"""So many dials in a row."""

FALLBACK_BY_MS = 5_000
APOLOGY_BY_MS = 15_000
NOTES_BY_MS = 2_000


def measure(share: float) -> Sequence[Figure]:
    """At the beginning of a call and in its middle, with a fallback model and without."""
    calls = scaled(CALLS, share, least=4)
    return [*_with_fallback(calls // 2), *_alone(calls - calls // 2)]


def _with_fallback(calls: int) -> Iterator[Figure]:
    dialled_ms, unanswered, noted_ms = [], 0, []
    for seed in range(calls):
        world, asked = _call(seed, fallback=True)
        dials = _dials(world)
        second_ms = next(ms for ms, dial in dials if dial.fallback)
        dialled_ms.append(second_ms - _first_hung_ms(dials, middle=seed % 2 == 1))
        noted_ms.append(_noted_ms(world, _first_hung_ms(dials, middle=seed % 2 == 1)))
        whole = [said.name for said in seams.said(world) if said.lost_frames < WORD_FRAMES]
        unanswered += whole[-1] != scenarios.ANSWERS[asked[-1]]
    yield Figure("calls with a fallback model", calls, None)
    yield Figure(
        "fallback dialled after the first dial", max(dialled_ms), at_most(FALLBACK_BY_MS), "ms"
    )
    yield Figure("first waiting sound, most", max(noted_ms), at_most(NOTES_BY_MS), "ms")
    yield Figure("calls whose last question was not answered", unanswered, exactly(0))


def _alone(calls: int) -> Iterator[Figure]:
    ended_ms, other = [], 0
    for seed in range(calls):
        world, _ = _call(seed, fallback=False)
        hung_ms = _first_hung_ms(_dials(world), middle=seed % 2 == 1)
        ends = [
            (s.at_ms, c.reason) for s in world.steps for c in s.commands if isinstance(c, EndCall)
        ]
        ended_ms += [at_ms - hung_ms for at_ms, _ in ends]
        other += [reason for _, reason in ends] != [EndedReason.MODEL_UNAVAILABLE]
    yield Figure("calls without one", calls, None)
    yield Figure("apology after the first dial, most", max(ended_ms), at_most(APOLOGY_BY_MS), "ms")
    yield Figure("calls that ended otherwise", other, exactly(0))


def _call(seed: int, *, fallback: bool) -> tuple[World, list[str]]:
    """Every other call loses its session in its middle, and finds that nobody answers."""
    asked = Random(seed).sample(scenarios.QUESTIONS, 2)
    steps = scenarios.questions(*asked, after_ms=2_000)
    world = World(
        replace(Script(tuple(steps)), patience_ms=60_000),
        scenarios.model(seed, scenarios.ROW),
        WireSdk(),
        seed=seed,
        fallback=Upstream(scenarios.model(seed + 1, scenarios.ROW)) if fallback else None,
    )
    at_ms = Random(seed).randint(6_000, 9_000) if seed % 2 else 0
    for _ in range(HANGING):
        world.at(at_ms, SlowSetup(HANGS_MS))
    if at_ms:
        world.at(at_ms, Reset())
    world.run()
    return world, asked


def _dials(world: World) -> list[tuple[int, OpenModel]]:
    return [(s.at_ms, c) for s in world.steps for c in s.commands if isinstance(c, OpenModel)]


def _first_hung_ms(dials: Sequence[tuple[int, OpenModel]], *, middle: bool) -> int:
    return dials[1 if middle else 0][0]


def _noted_ms(world: World, hung_ms: int) -> int:
    """From when nothing is heard any more to the first sound."""
    began_ms = next(s.at_ms for s in world.steps if isinstance(s.event, StreamStarted))
    noted_ms = next(
        w.at_ms
        for w in world.written
        if isinstance(w.command, SendMedia) and w.command.reply == NO_REPLY and w.at_ms > hung_ms
    )
    heard_ms = [span.at_ms + len(span.ulaw) // 8 for r in judge.replies(world) for span in r.spans]
    said_ms = [ms + said.duration_ms for ms, said in world.phone.said]
    quiet_ms = max(ms for ms in [began_ms, hung_ms, *heard_ms, *said_ms] if ms < noted_ms)
    return noted_ms - quiet_ms


ROWS = (Row(64, "connects to Gemini hang", measure, virtual=True, cost_s=60),)
