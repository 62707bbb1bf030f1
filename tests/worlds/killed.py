"""Kills a worker at a random moment; another one continues from the stored data."""

from dataclasses import dataclass
from functools import cache
from random import Random

from agent.conversation.events import SessionReady
from telephony.call.events import StreamStarted
from telephony.simulator.world import World
from telephony.simulator.world_faults import KillWorker
from tests.worlds import scenarios


@dataclass(frozen=True, slots=True)
class Kill:
    """A call with its worker killed."""

    at_ms: int
    world: World

    @property
    def resumed_ms(self) -> int:
        """From the kill until the next worker has both stream and model."""
        return max(self._first_ms(StreamStarted), self._first_ms(SessionReady)) - self.at_ms

    @property
    def waited_ms(self) -> int:
        """Of that, how long the stream was there and the model was not: our share."""
        return max(0, self._first_ms(SessionReady) - self._first_ms(StreamStarted))

    def _first_ms(self, event: type[StreamStarted | SessionReady]) -> int:
        return next(
            step.at_ms
            for step in self.world.steps
            if step.worker == 2 and isinstance(step.event, event)
        )


@cache
def kill(seed: int, first_ms: int = 800, last_ms: int = 33_000) -> Kill:
    """One call of five questions, by the clock; the worker dies between these times."""
    rng = Random(seed)
    at_ms = rng.randint(first_ms, last_ms)
    names = rng.sample(scenarios.QUESTIONS, 5)
    steps = scenarios.questions_by_the_clock(*names)
    return Kill(at_ms, scenarios.world(steps, seed, scenarios.ROW, (at_ms, KillWorker())))
