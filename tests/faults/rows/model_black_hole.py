"""Row 10: nothing passes any more on the socket to Gemini, while an answer is expected."""

from collections.abc import Iterator, Sequence
from random import Random

from agent.conversation.commands import CloseModel, SayToModel
from agent.conversation.events import SessionReady
from agent.simulator.behaviour import Behaviour
from telephony.call.commands import SendMedia
from telephony.simulator.world import World
from telephony.simulator.world_faults import BlackHole
from tests.faults.table import Figure, Row, at_most, exactly, scaled
from tests.worlds import judge, scenarios
from tests.worlds.model_lost import window_ms

HOLES = 200
CALLS = 200
MOMENTS = ("utterance", "thinking")
"""When a hole swallows an answer that is not there yet."""


def measure(share: float) -> Sequence[Figure]:
    """Holes before the second answer, and calls without any."""
    found: list[int] = []
    heard: list[int] = []
    resumed: list[int] = []
    resumed_in_use: list[int] = []
    lost_ms, unanswered = 0, 0
    holes = scaled(HOLES, share, least=2)
    for seed in range(holes):
        known = seed % 4 < 2
        world, expected_ms, answers = _hole(MOMENTS[seed % 2], seed, known=known)
        found.append(next(_troubles_ms(world)) - expected_ms)
        heard.append(next(ms for ms in _sent_ms(world) if ms >= expected_ms) - expected_ms)
        ready = [step.at_ms for step in world.steps if isinstance(step.event, SessionReady)]
        (resumed if known else resumed_in_use).append(ready[1] - expected_ms)
        lost_ms += judge.unheard_speech_ms(world)
        unanswered += [r.name for r in judge.replies(world) if not r.cut] != answers
    calls = scaled(CALLS, share)
    trips = sum(len(list(_troubles_ms(_well(seed)))) for seed in range(calls))
    figures = [
        Figure("holes, from when the answer was expected", holes, None),
        Figure("found, most", max(found), at_most(2_500), "ms"),
        Figure("something heard, notes or the answer, most", max(heard), at_most(3_000), "ms"),
        Figure("resumed, most", max(resumed), at_most(4_000), "ms"),
        Figure("caller's speech no session received", lost_ms, exactly(0), "ms"),
        Figure("calls in which an answer is missing", unanswered, exactly(0)),
        Figure("calls without a hole; pongs are not looked at", calls, None),
        Figure("false trips", trips, exactly(0)),
    ]
    if resumed_in_use:
        what = "resumed, most, while Gemini holds the old session"
        figures.insert(4, Figure(what, max(resumed_in_use), at_most(4_000), "ms"))
    return figures


def _hole(moment: str, seed: int, *, known: bool) -> tuple[World, int, list[str]]:
    """A call with a hole, when its second answer would have been heard, and all its answers."""
    rng = Random(seed)
    asked = tuple(rng.sample(scenarios.QUESTIONS, 3))
    steps = scenarios.questions(*asked)
    uncut = scenarios.world(steps, seed, scenarios.ROW)
    answers = [scenarios.ANSWERS[name] for name in asked]
    at_ms = rng.randint(*window_ms(moment, uncut, answers[0]))
    expected_ms = judge.replies(uncut)[2].spans[0].at_ms
    world = scenarios.world(steps, seed, scenarios.ROW, (at_ms, BlackHole(known)))
    return world, expected_ms, [scenarios.GREETING, *answers]


def _well(seed: int) -> World:
    asked = Random(seed).sample(scenarios.QUESTIONS, 3)
    return scenarios.world(scenarios.questions(*asked), seed, Behaviour())


def _sent_ms(world: World) -> Iterator[int]:
    """When something was sent for the caller to hear."""
    return (written.at_ms for written in world.written if isinstance(written.command, SendMedia))


def _troubles_ms(world: World) -> Iterator[int]:
    for step in world.steps:
        for command in step.commands:
            if isinstance(command, CloseModel | SayToModel) and command.trouble:
                yield step.at_ms


ROWS = (Row(10, "a black hole swallows an answer", measure, virtual=True),)
