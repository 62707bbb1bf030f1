"""Row 10: nothing passes any more on the socket to Gemini while an answer is expected.

And what must not be taken for that: a model that thinks for long, a server whose pongs are late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from agent.conversation.commands import CloseModel, SayToModel
from agent.conversation.events import CallerActivityEnded, SessionLost, SessionReady
from agent.gemini.quirks import BY_MODEL
from agent.simulator.behaviour import Behaviour, TextInThought
from telephony.call.commands import NO_REPLY, SendMedia
from telephony.simulator.script import Script
from telephony.simulator.world import World
from telephony.simulator.world_faults import BlackHole
from tests.faults.table import Figure, Row, at_least, at_most, exactly, scaled
from tests.worlds import judge, scenarios
from tests.worlds.model_lost import window_ms
from tests.worlds.sdk import WireSdk
from tests.worlds.unheard import unheard_speech_ms

HOLES = 200
CALLS = 200
MOMENTS = ("utterance", "thinking")
"""When a hole swallows an answer that is not there yet."""

LEAST_PATIENCE_MS = 4_000

SLOW_MS = 5_000
"""What a slow model thinks, if nothing is known of it."""

THINKER = "gemini-3.8-live-extended-thinking"
THINKER_MS = 7_000

PONG_MS = 30_000


@dataclass(frozen=True, slots=True)
class _Hole:
    """A call with a hole.

    Args:
        world: The call.
        expected_ms: When its second answer would have been heard.
        answers: All its answers.
        usual_ms: The longest its model thought before.
    """

    world: World
    expected_ms: int
    answers: list[str]
    usual_ms: int

    @property
    def troubles(self) -> list[tuple[int, CloseModel | SayToModel]]:
        """When something was done about a model that owes something, and what."""
        return list(_troubles(self.world))

    @property
    def early_ms(self) -> int:
        """How much sooner that was than it may be."""
        at_ms, _ = self.troubles[0]
        finished = [s.at_ms for s in self.world.steps if isinstance(s.event, CallerActivityEnded)]
        said_ms, question = self.world.phone.said[1]
        told_ms = [ms for ms in finished if said_ms < ms <= at_ms]
        since_ms = told_ms[0] if told_ms else said_ms + question.duration_ms
        return max(0, max(LEAST_PATIENCE_MS, 2 * self.usual_ms) - (at_ms - since_ms))

    @property
    def resumed_ms(self) -> int:
        """From the first of these to a session that listens."""
        at_ms, _ = self.troubles[0]
        ready = [s.at_ms for s in self.world.steps if isinstance(s.event, SessionReady)]
        return next((ms for ms in ready if ms > at_ms), self.world.now_ms) - at_ms

    @property
    def sounded_ms(self) -> int:
        """From when the answer was expected to the first sound for a caller who waits."""
        sent = (
            written.at_ms
            for written in self.world.written
            if isinstance(written.command, SendMedia) and written.command.reply == NO_REPLY
        )
        heard_ms = next((ms for ms in sent if ms >= self.expected_ms), self.world.now_ms)
        return heard_ms - self.expected_ms


def holes(share: float) -> Iterator[Figure]:
    """Gemini has let go of half of the sessions that fell in a hole, and holds the others."""
    tried = [_hole(MOMENTS[n % 2], n, known=n % 4 < 2) for n in range(scaled(HOLES, share, 4))]
    found = [hole for hole in tried if hole.troubles]
    yield Figure("holes", len(tried), None)
    yield Figure("holes that were not found", len(tried) - len(found), exactly(0))
    nudges = sum(isinstance(hole.troubles[0][1], SayToModel) for hole in found)
    answers = [[r.name for r in judge.replies(hole.world) if not r.cut] for hole in found]
    sounded_ms = max(hole.sounded_ms for hole in found)
    yield Figure("notes, after the answer was expected, most", sounded_ms, at_most(2_000), "ms")
    yield Figure("holes in which the model was nudged", nudges, at_least(1))
    early_ms = max(hole.early_ms for hole in found)
    yield Figure("nudged or left sooner than it may be, most", early_ms, exactly(0), "ms")
    resumed_ms = max(hole.resumed_ms for hole in found)
    yield Figure("resumed after that, most", resumed_ms, at_most(4_000), "ms")
    lost_ms = sum(unheard_speech_ms(hole.world) for hole in found)
    yield Figure("caller's speech no session received", lost_ms, exactly(0), "ms")
    wrong = sum(got != hole.answers for got, hole in zip(answers, found, strict=True))
    yield Figure("calls in which an answer is missing or doubled", wrong, exactly(0))


def _hole(moment: str, seed: int, *, known: bool) -> _Hole:
    rng = Random(seed)
    asked = tuple(rng.sample(scenarios.QUESTIONS, 3))
    steps = scenarios.questions(*asked)
    uncut = scenarios.world(steps, seed, scenarios.ROW)
    answers = [scenarios.ANSWERS[name] for name in asked]
    at_ms = rng.randint(*window_ms(moment, uncut, answers[0]))
    expected_ms = judge.replies(uncut)[2].spans[0].at_ms
    world = scenarios.world(steps, seed, scenarios.ROW, (at_ms, BlackHole(known)))
    return _Hole(world, expected_ms, [scenarios.GREETING, *answers], scenarios.ROW.think_ms[1])


def slow_thinkers(share: float) -> Iterator[Figure]:
    """Answers after 5 s, of a model of which nothing is known; after 7 s, of one that is known to
    think.
    """
    ways: tuple[TextInThought, ...] = ("joins", "follows")
    for way in ways:
        slow = replace(scenarios.ROW, think_ms=(SLOW_MS, SLOW_MS), text_in_thought=way)
        worlds = [_answered(seed, slow) for seed in range(scaled(CALLS // 4, share))]
        what = f"answers after 5 s, a nudge {way}"
        yield from _heard_once(what, worlds)
        # The first answer, the greeting, tells how long this model thinks.
        yield Figure(f"{what}: nudges", _nudges(worlds), exactly(len(worlds)))
    known = replace(scenarios.ROW, think_ms=(THINKER_MS, THINKER_MS))
    think_ms = BY_MODEL[THINKER].think_ms
    worlds = [_answered(n, known, think_ms) for n in range(scaled(CALLS // 4, share))]
    yield from _heard_once("a known thinker", worlds)
    yield Figure("a known thinker: nudges", _nudges(worlds), exactly(0))


def _answered(seed: int, behaviour: Behaviour, think_ms: int = 0) -> World:
    asked = Random(seed).sample(scenarios.QUESTIONS, 3)
    # Long enough for a nudge's own answer to be thought about and heard, if it were.
    steps = scenarios.questions(*asked, after_ms=2 * SLOW_MS)
    caller = replace(Script(tuple(steps)), patience_ms=4 * SLOW_MS)
    world = World(caller, scenarios.model(seed, behaviour), WireSdk(), seed=seed, think_ms=think_ms)
    world.run()
    return world


def _heard_once(what: str, worlds: Sequence[World]) -> Iterator[Figure]:
    wrong = 0
    for world in worlds:
        said = [utterance.name for _, utterance in world.phone.said]
        answers = [scenarios.GREETING, *(scenarios.ANSWERS[name] for name in said)]
        got = [(reply.name, reply.cut) for reply in judge.replies(world)]
        wrong += len(said) != 3 or got != [(name, False) for name in answers]
    yield Figure(f"{what}: calls", len(worlds), None)
    yield Figure(f"{what}: not heard once", wrong, exactly(0))
    sessions = max(len(world.links) for world in worlds)
    yield Figure(f"{what}: sessions, most", sessions, exactly(1))


def _nudges(worlds: Sequence[World]) -> int:
    return sum(isinstance(done, SayToModel) for world in worlds for _, done in _troubles(world))


def late_pongs(share: float) -> Iterator[Figure]:
    """A caller who asks every 20 s, and a server that answers no ping for 30 s."""
    calls = scaled(CALLS // 4, share)
    trips, longest_ms = 0, 0
    for seed in range(calls):
        asked = Random(seed).sample(scenarios.QUESTIONS, 4)
        steps = scenarios.questions_by_the_clock(*asked, every_ms=20_000)
        world = World(
            replace(Script(tuple(steps)), patience_ms=60_000),
            scenarios.model(seed, replace(Behaviour(), pong_ms=PONG_MS)),
            WireSdk(),
            seed=seed,
        )
        world.run()
        lost = sum(isinstance(step.event, SessionLost) for step in world.steps)
        trips += lost + sum(1 for _ in _troubles(world))
        longest_ms = max(longest_ms, world.now_ms)
    yield Figure("calls whose server pongs after 30 s", calls, None)
    yield Figure("their length, most", longest_ms, at_least(3 * PONG_MS), "ms")
    yield Figure("sessions lost, nudged or left", trips, exactly(0))


def _troubles(world: World) -> Iterator[tuple[int, CloseModel | SayToModel]]:
    for step in world.steps:
        for command in step.commands:
            if isinstance(command, CloseModel | SayToModel) and command.trouble:
                yield step.at_ms, command


ROWS = (
    Row(10, "a black hole swallows an answer", holes, virtual=True, cost_s=200),
    Row(
        10, "a model that thinks for long is no black hole", slow_thinkers, virtual=True, cost_s=150
    ),
    Row(10, "a server with late pongs is none", late_pongs, virtual=True, cost_s=50),
)
