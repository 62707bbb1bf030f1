"""Row 18: most connections to the model end in 1011, for minutes, under many calls of one worker.

All calls share a clock, a simulated Gemini and the worker's breaker. They come in evenly, and each
lasts as long as any. When the outage begins, the sessions that are open break within 10 s. "Normal"
is what the same calls dial in the time before: one session each.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from random import Random

from agent.conversation.commands import Impasse
from agent.conversation.events import SessionLost, SessionReady
from agent.gemini.breaker import Breaker, State
from agent.simulator.behaviour import Behaviour
from agent.simulator.faults import Close, Outage
from agent.simulator.session import State as SessionState
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.call.events import CallOpened
from telephony.simulator.ear import is_loud
from telephony.simulator.line import Line
from telephony.simulator.network import GOOD
from telephony.simulator.script import Script
from telephony.simulator.virtual_models import Upstream
from telephony.simulator.world import World
from tests.faults.table import SMALLEST, Figure, Row, at_most, exactly, scaled
from tests.worlds import scenarios
from tests.worlds.sdk import WireSdk

BREAK_WITHIN_MS = 10_000
AFTER_MS = 40_000
PATIENCE_MS = 60_000
"""A caller who waits for the agent does not hang up before we do."""


@dataclass(frozen=True, slots=True)
class Lived:
    """What is kept of a call: all of each would be gigabytes.

    Args:
        given_up: Whether it was given up.
        dead_air_ms: The longest time in which its caller neither spoke nor heard anything.
        dialled_ms: When it dialled the model.
        away: From when to when it had no session, of each time that this ended.
    """

    given_up: bool
    dead_air_ms: int
    dialled_ms: tuple[int, ...]
    away: tuple[tuple[int, int], ...]


class Town:
    """Calls of one worker, and what befalls their model.

    Args:
        at_once: How many calls go on at any time.
        questions: What each caller asks.
        outage: What befalls the model, once there are so many calls.
        after_ms: For how long to look on when it is over.
        fallback: Whether there is a second model, which is well.
        seed: Of all chance.

    Attributes:
        opened_ms: When the breaker was first open, or inf.
        closed_ms: When it was last found closed again, or inf.
        calls: What became of each.
    """

    def __init__(
        self,
        at_once: int,
        questions: tuple[str, ...],
        outage: Outage,
        *,
        after_ms: int = AFTER_MS,
        fallback: bool = False,
        seed: int = 1,
    ) -> None:
        self.outage = outage
        self.has_fallback = fallback
        self.opened_ms: float = inf
        self.closed_ms: float = inf
        self.calls: list[Lived] = []
        self._worlds: dict[int, World] = {}
        self._questions, self._seed, self._rng = questions, seed, Random(seed)
        self._renew()
        alone = self._call(0)
        alone.run()
        self.every_ms = alone.now_ms / at_once
        self.begins_ms = alone.now_ms
        self.ends_ms = self.begins_ms + outage.duration_ms
        self._until_ms = self.ends_ms + after_ms
        self._renew()

    def _renew(self) -> None:
        self._breaker = Breaker()
        self._model = scenarios.model(self._seed, Behaviour(lifetime_ms=None))
        second = scenarios.model(self._seed + 1, Behaviour(lifetime_ms=None))
        self._second = Upstream(second, Breaker()) if self.has_fallback else None

    def live(self) -> None:
        """All calls, one event after another."""
        calls = int(self._until_ms / self.every_ms)
        due = [(int(n * self.every_ms), n) for n in range(calls)]
        struck: list[tuple[int, int]] | None = None
        heapq.heapify(due)
        while due and due[0][0] < self._until_ms:
            now_ms, n = heapq.heappop(due)
            if struck is None and now_ms >= self.begins_ms:
                struck = self._strike()
            if n not in self._worlds:
                if n < len(self.calls) + len(self._worlds):
                    continue  # it is over, and was due once more
                self._worlds[n] = self._call(now_ms)
            world = self._worlds[n]
            while struck and struck[0][0] <= now_ms:
                self._break(heapq.heappop(struck)[1], now_ms, due)
            world.live(now_ms)
            self._look(now_ms)
            if (next_ms := world.due_ms()) is not None:
                heapq.heappush(due, (max(next_ms, now_ms), n))
            else:
                self.calls.append(_lived(self._worlds.pop(n)))
        self.calls += map(_lived, self._worlds.values())

    def dialled(self, since_ms: int, until_ms: int) -> list[int]:
        """When the model was dialled between these two times, in order."""
        times = (at_ms for call in self.calls for at_ms in call.dialled_ms)
        return sorted(at_ms for at_ms in times if since_ms <= at_ms < until_ms)

    def _call(self, began_ms: int) -> World:
        return World(
            Script(tuple(scenarios.questions(*self._questions)), patience_ms=PATIENCE_MS),
            self._model,
            WireSdk(),
            seed=self._seed + began_ms,
            began_ms=began_ms,
            breaker=self._breaker,
            fallback=self._second,
        )

    def _strike(self) -> list[tuple[int, int]]:
        """The outage begins. Returns when which open session breaks."""
        self._model.inject(self.outage, self.begins_ms)
        return sorted(
            (self.begins_ms + self._rng.randrange(BREAK_WITHIN_MS), n)
            for n, session in enumerate(self._model.sessions)
            if session.state is not SessionState.OVER
        )

    def _break(self, session: int, now_ms: int, due: list[tuple[int, int]]) -> None:
        self._model.sessions[session].inject(Close(), now_ms)
        for n, world in self._worlds.items():
            if any(link.session is self._model.sessions[session] for link in world.links):
                heapq.heappush(due, (now_ms, n))

    def _look(self, now_ms: int) -> None:
        closed = self._breaker.state(now_ms) is State.CLOSED
        if not closed and self.opened_ms == inf:
            self.opened_ms = now_ms
        if not closed:
            self.closed_ms = inf
        elif self.closed_ms == inf:
            self.closed_ms = now_ms


def refused(share: float) -> Iterator[Figure]:
    """Most connections are refused at once."""
    if share == SMALLEST:
        return _figures(Town(6, (), Outage(20_000), after_ms=20_000))
    return _figures(_town(Outage(scaled(600_000, share, least=60_000))))


def broken_off(share: float) -> Iterator[Figure]:
    """In a fifth of the time: most are accepted, and broken off a little later."""
    outage = Outage(scaled(120_000, share, least=60_000), breaks_off_ms=1_500)
    return _figures(_town(outage))


def fallen_back(share: float) -> Iterator[Figure]:
    """In a fifth of the time: most are refused, and there is a second model to fall back on."""
    return _figures(_town(Outage(scaled(120_000, share, least=60_000)), fallback=True))


def _town(outage: Outage, *, fallback: bool = False) -> Town:
    return Town(100, scenarios.QUESTIONS[:3], outage, fallback=fallback)


def _figures(town: Town) -> Iterator[Figure]:
    town.live()
    if town.has_fallback:
        waited_ms = max(call.dead_air_ms for call in town.calls)
        given_up = sum(call.given_up for call in town.calls)
        yield Figure("with a fallback: calls", len(town.calls), None)
        yield Figure("with a fallback: of them given up", given_up, None)
        yield Figure("with a fallback: longest dead air", waited_ms / 1000, at_most(4), "s")
        return
    how = "refused" if town.outage.breaks_off_ms is None else "broken off"
    normal = 1_000 / town.every_ms
    during = town.dialled(town.begins_ms, town.ends_ms)
    rate = len(during) / town.outage.duration_ms * 1_000
    worst = max(sum(ms <= other < ms + 10_000 for other in during) for ms in during) / 10
    dead_ms = [call.dead_air_ms for call in town.calls]
    opened_ms = town.opened_ms - town.begins_ms
    closed_ms = town.closed_ms - town.ends_ms
    given_up = sum(call.given_up for call in town.calls)
    yield Figure(f"{how}: calls", len(town.calls), None)
    yield Figure(f"{how}: of them given up", given_up, None)
    yield Figure(f"{how}: breaker open after", opened_ms / 1000, at_most(20), "s")
    yield Figure(f"{how}: connects, of normal ({normal:.2f}/s)", rate / normal, at_most(2))
    yield Figure(f"{how}: in the worst 10 s, of normal", worst / normal, None)
    yield Figure(f"{how}: longest dead air", max(dead_ms) / 1000, at_most(4), "s")
    yield Figure(f"{how}: calls with more of it", sum(ms > 4_000 for ms in dead_ms), exactly(0))
    yield Figure(f"{how}: breaker closed after the end", closed_ms / 1000, at_most(30), "s")
    yield Figure(f"{how}: last call resumed after it", recovery_ms(town) / 1000, at_most(30), "s")


def _lived(world: World) -> Lived:
    dialled_ms = tuple(link.dialled_ms for link in world.links if link.dialled_ms is not None)
    return Lived(_given_up(world), dead_air_ms(world), dialled_ms, tuple(_away(world)))


def _away(world: World) -> Iterator[tuple[int, int]]:
    away_ms: int | None = None
    for step in world.steps:
        if isinstance(step.event, CallOpened | SessionLost) and away_ms is None:
            away_ms = step.at_ms
        elif isinstance(step.event, SessionReady) and away_ms is not None:
            yield away_ms, step.at_ms
            away_ms = None


def _given_up(world: World) -> bool:
    ended = world.workers[-1].ended if world.workers else None
    return ended is not None and ended.reason in frozenset[str](Impasse)


def dead_air_ms(world: World) -> int:
    """The longest time in which a caller neither spoke nor heard anything.

    For one who was given up, that ends with the first word of the apology.
    """
    longest_ms = 0
    for line in world.phone.lines:
        frames = range(0, len(line.heard), FRAME_SAMPLES)
        sounds = [0, *(at for at in frames if _sound(line, at)), len(line.heard)]
        gaps_ms = [(b - a) // PHONE_SAMPLES_PER_MS for a, b in pairwise(sounds)]
        if _given_up(world):
            gaps_ms[-1] += GOOD.resume_webhook_ms[1]
        longest_ms = max(longest_ms, *gaps_ms)
    return longest_ms


def _sound(line: Line, at: int) -> bool:
    frames = (bytes(line.heard[at : at + FRAME_SAMPLES]), bytes(line.said[at : at + FRAME_SAMPLES]))
    return any(is_loud(frame) for frame in frames)


def recovery_ms(town: Town) -> int:
    """How long after the outage the last call got its session that had none at its end."""
    spans = (span for call in town.calls for span in call.away)
    return max([0, *(until - town.ends_ms for since, until in spans if since < town.ends_ms)])


ROWS = (
    Row(18, "85 % of connections are refused, under many calls", refused, virtual=True, cost_s=700),
    Row(18, "85 % of connections break off", broken_off, virtual=True, cost_s=250, small=False),
    Row(
        18,
        "85 % are refused, with a second model",
        fallen_back,
        virtual=True,
        cost_s=250,
        small=False,
    ),
)
