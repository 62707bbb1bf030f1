"""Row 18: most connections to the model end in 1011, for minutes, under many calls of one worker.

All calls share a clock, a simulated Gemini and the worker's breaker. They come in evenly, and each
lasts as long as any. When the outage begins, the sessions that are open break within 10 s. "Normal"
is what the same calls dial in the time before: one session each.
"""

import heapq
from collections.abc import Iterator, Sequence
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
from telephony.simulator.world import Upstream, World
from tests.faults.table import SMALLEST, Figure, Row, at_most, exactly, scaled
from tests.worlds import scenarios
from tests.worlds.sdk import WireSdk

BREAK_WITHIN_MS = 10_000
AFTER_MS = 40_000
PATIENCE_MS = 60_000
"""A caller who waits for the agent does not hang up before we do."""


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
        self.worlds: list[World] = []
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
        self.worlds = [self._call(int(n * self.every_ms)) for n in range(calls)]
        due = [(world.due_ms() or 0, n) for n, world in enumerate(self.worlds)]
        struck: list[tuple[int, int]] | None = None
        heapq.heapify(due)
        while due and due[0][0] < self._until_ms:
            now_ms, n = heapq.heappop(due)
            if struck is None and now_ms >= self.begins_ms:
                struck = self._strike()
            world = self.worlds[n]
            while struck and struck[0][0] <= now_ms:
                self._break(heapq.heappop(struck)[1], now_ms, due)
            world.live(now_ms)
            self._look(now_ms)
            if (next_ms := world.due_ms()) is not None:
                heapq.heappush(due, (max(next_ms, now_ms), n))

    def dialled(self, since_ms: int, until_ms: int) -> list[int]:
        """When the model was dialled between these two times, in order."""
        links = (link for world in self.worlds for link in world.links)
        times = (link.dialled_ms for link in links if link.dialled_ms is not None)
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
        for n, world in enumerate(self.worlds):
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


def measure(share: float) -> Sequence[Figure]:
    """Both outages: refused at once, and, in a fifth of the time, accepted and then broken off;
    and the first for as short a time, with a second model to fall back on.
    """
    if share == SMALLEST:
        towns = [Town(6, (), Outage(20_000), after_ms=20_000)]
    else:
        towns = [
            Town(100, scenarios.QUESTIONS[:3], Outage(duration_ms, breaks_off_ms=breaks_off_ms))
            for duration_ms, breaks_off_ms in (
                (scaled(600_000, share, least=60_000), None),
                (scaled(120_000, share, least=60_000), 1_500),
            )
        ]
        short = Outage(scaled(120_000, share, least=60_000))
        towns.append(Town(100, scenarios.QUESTIONS[:3], short, fallback=True))
    return [figure for town in towns for figure in _figures(town)]


def _figures(town: Town) -> Iterator[Figure]:
    town.live()
    if town.has_fallback:
        waited_ms = max(dead_air_ms(world) for world in town.worlds)
        yield Figure("with a fallback: calls", len(town.worlds), None)
        yield Figure("with a fallback: of them given up", sum(map(_given_up, town.worlds)), None)
        yield Figure("with a fallback: longest dead air", waited_ms / 1000, at_most(4), "s")
        return
    how = "refused" if town.outage.breaks_off_ms is None else "broken off"
    normal = 1_000 / town.every_ms
    during = town.dialled(town.begins_ms, town.ends_ms)
    rate = len(during) / town.outage.duration_ms * 1_000
    worst = max(sum(ms <= other < ms + 10_000 for other in during) for ms in during) / 10
    dead_ms = [dead_air_ms(world) for world in town.worlds]
    opened_ms = town.opened_ms - town.begins_ms
    closed_ms = town.closed_ms - town.ends_ms
    yield Figure(f"{how}: calls", len(town.worlds), None)
    yield Figure(f"{how}: of them given up", sum(map(_given_up, town.worlds)), None)
    yield Figure(f"{how}: breaker open after", opened_ms / 1000, at_most(20), "s")
    yield Figure(f"{how}: connects, of normal ({normal:.2f}/s)", rate / normal, at_most(2))
    yield Figure(f"{how}: in the worst 10 s, of normal", worst / normal, None)
    yield Figure(f"{how}: longest dead air", max(dead_ms) / 1000, at_most(4), "s")
    yield Figure(f"{how}: calls with more of it", sum(ms > 4_000 for ms in dead_ms), exactly(0))
    yield Figure(f"{how}: breaker closed after the end", closed_ms / 1000, at_most(30), "s")
    yield Figure(f"{how}: last call resumed after it", recovery_ms(town) / 1000, at_most(30), "s")


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
    last_ms = 0
    for world in town.worlds:
        away_ms: int | None = None
        for step in world.steps:
            if isinstance(step.event, CallOpened | SessionLost) and away_ms is None:
                away_ms = step.at_ms
            elif isinstance(step.event, SessionReady) and away_ms is not None:
                if away_ms < town.ends_ms:
                    last_ms = max(last_ms, step.at_ms - town.ends_ms)
                away_ms = None
    return last_ms


ROWS = (Row(18, "85 % of connections end in 1011, under many calls", measure, virtual=True),)
