"""Rows 11, 13 and 14: a connection to Gemini comes to its end, told or not, and nobody hears it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from agent.conversation.commands import OpenModel
from agent.conversation.events import GoAway as ToldToGo
from agent.conversation.events import SessionLost, SessionReady
from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import Close, GoAway
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.simulator.script import Script, Step
from telephony.simulator.world import World
from telephony.simulator.world_faults import BlackHole, WorldFault
from tests.faults.table import Figure, Row, at_least, exactly, scaled
from tests.worlds import judge, scenarios, seams
from tests.worlds.model_lost import WORD_FRAMES, ended_ms
from tests.worlds.sdk import WireSdk
from tests.worlds.unheard import unheard_speech_ms

CALLS = 200
TIME_LEFT_MS = 50_000
LEAVE_BY_MS = 40_000
"""Of 50 s, less 10 s."""

PAUSE_MS = 4_000

TWO_HOURS_MS = 7_200_000
ONE_RENEWAL_MS = 500_000
ASKS_EVERY_MS = 60_000
ASKED_EVERY_MS = 15_000


def in_silence(share: float) -> Sequence[Figure]:
    """Row 11: the caller says nothing for 4 s, in which Gemini says that it goes."""
    calls = scaled(CALLS, share)
    late_ms, gaps, unheard_ms, wrong = [], 0, 0, 0
    for seed in range(calls):
        rng = Random(seed)
        asked = rng.sample(scenarios.QUESTIONS, 2)
        steps = [replace(step, after_ms=PAUSE_MS) for step in scenarios.questions(*asked)]
        uncut = scenarios.world(steps, seed, scenarios.ROW)
        began_ms = ended_ms(uncut, scenarios.ANSWERS[asked[0]])
        fault = (began_ms + rng.randint(0, PAUSE_MS), GoAway(TIME_LEFT_MS))
        world = scenarios.world(steps, seed, scenarios.ROW, fault)
        answer = scenarios.ANSWERS[asked[1]]
        late_ms.append(max(0, ended_ms(world, answer) - ended_ms(uncut, answer)))
        gaps += sum(reply.gaps for reply in judge.replies(world))
        unheard_ms += unheard_speech_ms(world)
        wrong += [_said(line) for line in world.store.lines] != [
            _said(line) for line in uncut.store.lines
        ]
    return [
        Figure("calls", calls, None),
        Figure("gaps in replies", gaps, exactly(0)),
        Figure("caller's speech no session received", unheard_ms, exactly(0), "ms"),
        Figure("calls with other lines than without", wrong, exactly(0)),
        Figure("next answer later than without, most", max(late_ms), None, "ms"),
    ]


def silent_server(share: float) -> Sequence[Figure]:
    """Row 13: Gemini says that it goes, at any instant of the call, and then nothing more."""
    calls = scaled(CALLS, share, least=4)
    told, in_speech, by_deadline, answered = 0, 0, 0, 0
    for seed in range(calls):
        rng = Random(seed)
        asked = rng.sample(scenarios.QUESTIONS, 3)
        steps = scenarios.questions_by_the_clock(*asked, every_ms=ASKED_EVERY_MS)
        # Who takes half an answer for all of it, and hangs up, needs no renewal.
        steps.insert(-1, Step(after_ms=LEAVE_BY_MS))
        uncut = scenarios.world(steps, seed, scenarios.ROW)
        last_ms = ended_ms(uncut, scenarios.ANSWERS[asked[-1]])
        at_ms, left_ms = _notice(uncut, rng, last_ms, seed % 4)
        faults: list[tuple[int, WorldFault]] = [(at_ms, GoAway(left_ms))]
        faults.append((at_ms + 50, BlackHole()))
        world = scenarios.world(steps, seed, scenarios.ROW, *faults)
        told_ms = next((s.at_ms for s in world.steps if isinstance(s.event, ToldToGo)), None)
        if told_ms is None:
            continue
        told += 1
        in_speech += seed % 4 < 2
        dials = [s.at_ms for s in world.steps for c in s.commands if _dials(c)]
        by_ms = told_ms + left_ms - min(10_000, left_ms // 2)
        by_deadline += any(told_ms <= ms <= by_ms for ms in dials)
        whole = [said.name for said in seams.said(world) if said.lost_frames < WORD_FRAMES]
        answered += whole[-1] == scenarios.ANSWERS[asked[-1]]
    return [
        Figure("calls", calls, None),
        Figure("announcements that came before the silence", told, exactly(calls)),
        Figure("of these at short notice in a reply", in_speech, at_least(calls // 2)),
        Figure("renewals begun by their deadline", by_deadline, exactly(calls)),
        Figure("calls whose last question was answered", answered, exactly(calls)),
    ]


def _notice(uncut: World, rng: Random, last_ms: int, kind: int) -> tuple[int, int]:
    """When it is said, and how much time is left: any instant of the call, up to `last_ms`.

    Of four kinds, two are instants at which nothing else but the announcement makes us leave in
    time: while a reply is heard, and so near to its end that nothing is to be done meanwhile.
    """
    if kind > 1:
        first_ms = next(s.at_ms for s in uncut.steps if isinstance(s.event, SessionReady))
        return rng.randint(first_ms, last_ms), round(2_000 * 25 ** rng.random())  # up to 50 s
    span = rng.choice([reply.spans[0] for reply in judge.replies(uncut)])
    heard_ms = len(span.ulaw) // PHONE_SAMPLES_PER_MS
    if kind == 0:
        return span.at_ms + rng.randint(0, heard_ms // 2), rng.randint(2_000, 6_000)
    return span.at_ms + heard_ms - rng.randint(200, 1_000), rng.randint(3_000, 4_400)


def two_hours(share: float) -> Sequence[Figure]:
    """Row 14: calls through limits of 58 and of 10 minutes, a question every minute."""
    duration_ms = scaled(TWO_HOURS_MS, share, least=ONE_RENEWAL_MS)
    limits = [_limit(58, None, Close(1011, "Deadline expired")), _limit(10, 50_000, None)]
    if share < 1:
        limits = limits[:1]
    return [figure for limit in limits for figure in _long_call(limit, duration_ms)]


def _limit(minutes: int, go_away_ms: int | None, close: Close | None) -> Behaviour:
    limited = replace(scenarios.ROW, lifetime_ms=minutes * 60_000, go_away_ms=go_away_ms)
    return limited if close is None else replace(limited, lifetime_close=close)


def _long_call(limit: Behaviour, duration_ms: int) -> Iterator[Figure]:
    asked = [scenarios.QUESTIONS[n % 5] for n in range(duration_ms // ASKS_EVERY_MS)]
    steps = scenarios.questions_by_the_clock(*asked, every_ms=ASKS_EVERY_MS)
    caller = replace(Script(tuple(steps)), patience_ms=2 * ASKS_EVERY_MS)
    world = World(caller, scenarios.model(0, limit), WireSdk())
    world.run(2 * TWO_HOURS_MS)
    minutes = (limit.lifetime_ms or 0) // 60_000
    expected = [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in asked)]
    replies = [reply.name for reply in judge.replies(world) if not reply.cut]
    roles = [line.role for line in world.store.lines]
    lost = sum(isinstance(step.event, SessionLost) for step in world.steps)
    begun = f"limit of {minutes} min, {world.now_ms // 60_000} min:"
    yield Figure(f"{begun} sessions", len(world.links), None)
    yield Figure(f"{begun} sessions that reached it", lost, exactly(0))
    yield Figure(f"{begun} streams", len(world.phone.lines), exactly(1))
    yield Figure(f"{begun} greetings", replies.count(scenarios.GREETING), exactly(1))
    yield Figure(f"{begun} answers wrong", sum(map(_differ, replies, expected)), exactly(0))
    lines_off = len(roles) - len(expected) - len(asked)
    yield Figure(f"{begun} lines too many or few", lines_off, exactly(0))


def _differ(one: str, other: str) -> bool:
    return one != other


def _said(line: object) -> tuple[object, ...]:
    return tuple(getattr(line, name) for name in ("role", "text", "heard"))


def _dials(command: object) -> bool:
    return isinstance(command, OpenModel)


ROWS = (
    Row(11, "Gemini goes away while the caller is silent", in_silence, virtual=True, cost_s=80),
    Row(13, "Gemini goes away, and then says nothing", silent_server, virtual=True, cost_s=250),
    Row(14, "connections that end at 58 and at 10 min", two_hours, virtual=True, cost_s=80),
)
