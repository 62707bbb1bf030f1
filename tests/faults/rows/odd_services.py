"""Rows 57, 58 and 69: services that behave otherwise than most, as was reported."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from agent.conversation.events import ReplyAudio
from agent.simulator.faults import PhantomInterrupted
from telephony.call.commands import EndCall, SendClear
from telephony.call.ending import EndedReason
from telephony.simulator.faults import LineFaults
from telephony.simulator.script import HangUp, Step
from telephony.simulator.world import World
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.worlds import scenarios, seams
from tests.worlds.model_lost import WORD_FRAMES

CALLS = 20
NOTICE_MS = 300_000
TEN_MINUTES_MS = 600_000
FIVE_MINUTES_MS = 300_000
ASKED_EVERY_S = 12

INTERRUPTIONS = 200
BEFORE_MS = (50, 950)


def early_notices(share: float) -> Sequence[Figure]:
    """Row 57: every session is told one second after its beginning that it ends in 300 s."""
    calls = scaled(CALLS, share)
    sessions, cut, greetings, shortest_ms = 0, 0, 0, TEN_MINUTES_MS
    for seed in range(calls):
        behaviour = replace(
            scenarios.ROW, lifetime_ms=NOTICE_MS + 1_000, go_away_ms=NOTICE_MS, think_ms=(600, 600)
        )
        rng = Random(seed)
        count = TEN_MINUTES_MS // (ASKED_EVERY_S * 1_000)
        asked = [rng.choice(scenarios.QUESTIONS) for _ in range(count)]
        world = scenarios.world(scenarios.questions(*asked, after_ms=6_500), seed, behaviour)
        shortest_ms = min(shortest_ms, world.now_ms)
        sessions = max(sessions, len(world.links))
        said = [line for line in world.store.lines if line.role == "agent"]
        cut += sum(line.heard != line.text for line in said) + _clears(world)
        greetings += sum(part.name == scenarios.GREETING for part in seams.said(world)) - 1
    return [
        Figure("calls", calls, None),
        Figure("their length, least", shortest_ms / 60_000, at_least(9.5), "min"),
        Figure("sessions of a call, most", sessions, at_most(3)),
        Figure("replies cut", cut, exactly(0)),
        Figure("second greetings", greetings, exactly(0)),
    ]


def silent_lines(share: float) -> Sequence[Figure]:
    """Row 58: nothing comes from a silent caller's line for five minutes, and replies are heard."""
    calls = scaled(CALLS, share)
    streams, cut, other_ends = 0, 0, 0
    for seed in range(calls):
        asked = Random(seed).sample(scenarios.QUESTIONS, 2)
        steps = [
            Step(wait_for_agent=True, after_ms=300, deed=scenarios.say(asked[0])),
            Step(wait_for_agent=True, after_ms=FIVE_MINUTES_MS, deed=scenarios.say("repeat")),
            Step(wait_for_agent=True, after_ms=300, deed=scenarios.say(asked[1])),
            Step(wait_for_agent=True, after_ms=300, deed=HangUp()),
        ]
        faults = LineFaults(idle_silence=False)
        world = scenarios.world(steps, seed, scenarios.ROW, line_faults=faults)
        streams = max(streams, len(world.phone.lines))
        cut += sum(line.heard != line.text for line in world.store.lines)
        ends = [c.reason for step in world.steps for c in step.commands if isinstance(c, EndCall)]
        other_ends += ends != [EndedReason.CALLER_HANGUP]
    return [
        Figure("calls", calls, None),
        Figure("streams of a call, most", streams, exactly(1)),
        Figure("lines cut", cut, exactly(0)),
        Figure("calls with an apology, or ended otherwise", other_ends, exactly(0)),
    ]


def interruptions_of_nothing(share: float) -> Sequence[Figure]:
    """Row 69: `interrupted` comes while nothing is said, and less than 1 s later the answer."""
    calls = scaled(INTERRUPTIONS, share)
    not_whole = cleared = 0
    for seed in range(calls):
        rng = Random(seed)
        asked = rng.sample(scenarios.QUESTIONS, 2)
        steps = scenarios.questions(*asked)
        uncut = scenarios.world(steps, seed, scenarios.ROW)
        said_ms, question = uncut.phone.said[1]
        begins_ms = next(
            s.at_ms
            for s in uncut.steps
            if isinstance(s.event, ReplyAudio) and s.at_ms > said_ms + question.duration_ms
        )
        fault = (begins_ms - rng.randint(*BEFORE_MS), PhantomInterrupted())
        world = scenarios.world(steps, seed, scenarios.ROW, fault)
        heard = [part.name for part in seams.said(world) if part.lost_frames < WORD_FRAMES]
        not_whole += heard != [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in asked)]
        cleared += _clears(world)
    return [
        Figure("interruptions of nothing", calls, None),
        Figure("replies not heard whole", not_whole, exactly(0)),
        Figure("clears", cleared, exactly(0)),
    ]


def _clears(world: World) -> int:
    return sum(isinstance(written.command, SendClear) for written in world.written)


ROWS = (
    Row(57, "goAway of 300 s, 1 s into every session", early_notices, virtual=True, cost_s=70),
    Row(
        58, "no media while the caller is silent, for 5 min", silent_lines, virtual=True, cost_s=20
    ),
    Row(
        69,
        "a reply after an interruption of nothing",
        interruptions_of_nothing,
        virtual=True,
        cost_s=70,
    ),
)
