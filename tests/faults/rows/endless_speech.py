"""Row 12: the agent talks for 74 s, and its session has to be left in the middle of it.

What Google's service does when it is asked for the rest of a reply is not known, so each of the
simulated service's ways is taken: it goes on, it says all of it anew, or it says nothing at first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from agent.conversation.commands import OpenModel, SayToModel
from agent.conversation.events import GoAway as ToldToGo
from agent.conversation.persona import REST_CUE
from agent.simulator import script as model_script
from agent.simulator.behaviour import Behaviour, Rest
from agent.simulator.faults import GoAway
from agent.simulator.model import GeminiServer
from agent.simulator.voice import agent_clip
from telephony.simulator.script import HangUp, Script, Step
from telephony.simulator.world import World
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios, seams
from tests.worlds.sdk import WireSdk

CALLS = 200
SEAMS = 40
TIME_LEFT_MS = 50_000
LEAVE_BY_MS = 40_000
"""Of 50 s, less 10 s."""

SLOW = 1.2
"""Times real time: when the session has to be left, 6 to 8 s are ahead of the ear."""

PATIENT_MS = 70_000
"""What a service takes, at `SLOW`, to say anew all that was said."""


def seams_of(share: float) -> Sequence[Figure]:
    """A reply of which half was received, in every way it may go on."""
    short_notice = _notices(10_000, 14_000, 4_000, 16_000)
    long_notice = _notices(10_000, 30_000, TIME_LEFT_MS, TIME_LEFT_MS)
    fast = replace(scenarios.ROW, speed=scenarios.SPEED)
    slow = replace(scenarios.ROW, speed=SLOW)
    figures: list[Figure] = []
    rest: Rest
    for rest in ("goes on", "nothing", "anew"):
        figures += _seam(rest, replace(fast, rest=rest), short_notice, share)
    for rest in ("goes on", "nothing"):
        figures += _seam(f"{rest}, slow", replace(slow, rest=rest), long_notice, share)
    # Who speaks hardly faster than is heard needs as long again to say it anew: no client helps.
    anew = replace(slow, rest="anew")
    figures += _seam("anew, slow", anew, long_notice, share / 4, gap=False)
    return figures


def received(share: float) -> Sequence[Figure]:
    """All of it was received: a reply comes four times as fast as it is spoken."""
    calls = scaled(CALLS, share)
    gaps, left, wrong, asked_again = 0, 0, 0, 0
    for seed in range(calls):
        told = (Random(seed).randint(10_000, 30_000), GoAway(TIME_LEFT_MS))
        world = _monologue(seed, scenarios.ROW, told)
        replies = judge.replies(world)
        gaps += sum(reply.gaps for reply in replies)
        wrong += [(r.name, r.cut) for r in replies] != [
            (scenarios.GREETING, False),
            (judge.MONOLOGUE, False),
        ]
        left += _left_after_ms(world) == LEAVE_BY_MS
        asked_again += len(_cues(world)) - 1
    return [
        Figure("calls, the reply received whole", calls, None),
        Figure("left 10 s before the end, in mid-speech", left, exactly(calls)),
        Figure("replies repeated, cut or missing", wrong, exactly(0)),
        Figure("gaps in replies", gaps, exactly(0)),
        Figure("times the model was asked again", asked_again, exactly(0)),
    ]


type _Notices = tuple[int, int, int, int]


def _notices(*of: int) -> _Notices:
    first_ms, last_ms, least_ms, most_ms = of
    return first_ms, last_ms, least_ms, most_ms


def _seam(
    what: str, behaviour: Behaviour, notices: _Notices, share: float, *, gap: bool = True
) -> Iterator[Figure]:
    """Half of it was received: the rest has to be asked for."""
    calls = scaled(SEAMS, share)
    first_ms, last_ms, least_ms, most_ms = notices
    found, forced, words_off = [], 0, 0
    for seed in range(calls):
        rng = Random(f"{what} {seed}")
        left_ms = rng.randint(least_ms, most_ms)
        world = _monologue(
            seed,
            behaviour,
            (rng.randint(first_ms, last_ms), GoAway(left_ms)),
            after_ms=1_000 if gap else PATIENT_MS,
        )
        margin_ms = min(10_000, left_ms // 2)
        asked_for = REST_CUE in _cues(world)
        forced += asked_for and _left_after_ms(world) == left_ms - margin_ms
        found.append(seams.seam(world))
        said = [line.heard for line in world.store.lines if line.role == "agent"]
        words_off += " ".join(said[1:]) != agent_clip(judge.MONOLOGUE).text
    yield Figure(f"{what}: calls", calls, None)
    yield Figure(f"{what}: left in mid-reply, when it must", forced, exactly(calls))
    yield Figure(f"{what}: transcripts wrong", words_off, exactly(0))
    lost, twice = max(s.lost_frames for s in found), max(s.twice_frames for s in found)
    yield Figure(f"{what}: speech lost at the seam, most", lost, at_most(1), "frames")
    yield Figure(f"{what}: speech heard twice, most", twice, at_most(1), "frames")
    demanded = at_most(250) if gap else None
    yield Figure(f"{what}: gap, most", max(s.gap_ms for s in found), demanded, "ms")


def _monologue(
    seed: int, behaviour: Behaviour, told: tuple[int, GoAway], after_ms: int = 1_000
) -> World:
    script = model_script.Script((model_script.Turn(judge.MONOLOGUE, "q1"),))
    steps = [
        Step(wait_for_agent=True, after_ms=300, deed=scenarios.say("q1")),
        Step(wait_for_agent=True, after_ms=after_ms, deed=HangUp()),
    ]
    caller = replace(Script(tuple(steps)), patience_ms=120_000)
    world = World(caller, GeminiServer(script, behaviour, Random(seed)), WireSdk(), seed=seed)
    world.at(*told)
    world.run()
    return world


def _left_after_ms(world: World) -> int | None:
    """From the announcement to the next dial."""
    told_ms = next(s.at_ms for s in world.steps if isinstance(s.event, ToldToGo))
    dials = [s.at_ms for s in world.steps for c in s.commands if isinstance(c, OpenModel)]
    return dials[1] - told_ms if len(dials) > 1 else None


def _cues(world: World) -> list[str]:
    return [c.text for step in world.steps for c in step.commands if isinstance(c, SayToModel)]


ROWS = (
    Row(12, "Gemini goes away in endless speech, all received", received, virtual=True, cost_s=200),
    Row(12, "Gemini goes away in endless speech", seams_of, virtual=True, cost_s=250),
)
