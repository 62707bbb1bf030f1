"""Row 66: the model swallows an utterance: no transcription, no activity, no answer.

What audioStreamEnd does to the turn that is then open is not known: each way is taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from agent.simulator.behaviour import Swallowed
from telephony.simulator.script import HangUp, Script, Step
from telephony.simulator.world import World
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.worlds import judge, scenarios
from tests.worlds.sdk import WireSdk

UTTERANCES = 1_000
ASKED_A_CALL = 20
SWALLOWED, SWALLOWED_ELSE = 0.42, 0.09
"""The shares that were reported, of utterances 5 to 7 s after generationComplete and of others."""

PAUSE_MS = (1_500, 5_000)
PATIENCE_MS = 15_000


def measure(share: float) -> Sequence[Figure]:
    """Callers who wait for each answer, and let some time pass."""
    ways: tuple[Swallowed, ...] = ("stays open", "closes", "answers")
    calls = scaled(UTTERANCES // ASKED_A_CALL, share, least=len(ways))
    length = scaled(ASKED_A_CALL, share, least=8)
    return [figure for way in ways for figure in _way(way, -(-calls // len(ways)), length)]


def _way(way: Swallowed, calls: int, length: int) -> Iterator[Figure]:
    asked = swallowed = unanswered = twice = 0
    for seed in range(calls):
        world = _call(way, seed, length)
        answers = [_answers(world, n) for n in range(len(world.phone.said))]
        asked += len(answers)
        swallowed += len(answers) - len(_understood(world))
        unanswered += sum(count == 0 for count in answers)
        twice += sum(count > 1 for count in answers)
    yield Figure(f"{way}: utterances", asked, None)
    yield Figure(f"{way}: swallowed at first", swallowed, at_least(asked // 20))
    yield Figure(f"{way}: unanswered", 100 * unanswered / asked, at_most(1), "%")
    yield Figure(f"{way}: answered twice", twice, exactly(0))


def _call(way: Swallowed, seed: int, length: int) -> World:
    rng = Random(f"{way} {seed}")
    steps = [
        Step(
            wait_for_agent=True,
            after_ms=rng.randint(*PAUSE_MS),
            deed=scenarios.say(rng.choice(scenarios.QUESTIONS)),
        )
        for _ in range(length)
    ]
    steps.append(Step(wait_for_agent=True, after_ms=1_000, deed=HangUp()))
    behaviour = replace(
        scenarios.ROW, swallows=SWALLOWED, swallows_else=SWALLOWED_ELSE, swallowed_end=way
    )
    caller = Script(tuple(steps), patience_ms=PATIENCE_MS)
    world = World(caller, scenarios.model(seed, behaviour), WireSdk(), seed=seed)
    world.run(1_200_000)
    return world


def _understood(world: World) -> list[int]:
    """The utterances that the first session to hear them took, by when each was said."""
    told = [s.at_ms for s in world.steps if type(s.event).__name__ == "CallerSaid"]
    return [
        at_ms
        for at_ms, said in world.phone.said
        if any(0 < ms - at_ms - said.duration_ms < 2_500 for ms in told)
    ]


def _answers(world: World, n: int) -> int:
    """How many replies began between an utterance and the next."""
    said = world.phone.said
    from_ms = said[n][0] + said[n][1].duration_ms
    until_ms = said[n + 1][0] if n + 1 < len(said) else world.now_ms
    return sum(
        from_ms <= reply.spans[0].at_ms < until_ms for reply in judge.replies(world) if reply.spans
    )


ROWS = (Row(66, "the model swallows an utterance", measure, virtual=True, cost_s=120),)
