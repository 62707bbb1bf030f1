"""Row 41: the clock on the wall steps by an hour, there and back, in the middle of a call."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from unittest import mock

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.scripts import AGENT, CONVERSATION, TWO_TURNS
from tests.end_to_end.serving import LocalWorker, get, place, serving
from tests.faults.table import Figure, Row, exactly, scaled

RUNS = 20
AT_ONCE = 5
"""So many calls, which share the clock: it steps more often than once for each reply."""

HOUR_S = 3_600


class Wall:
    """The time of day, as anybody in this process reads it; `step_s` away from the real one."""

    def __init__(self) -> None:
        self.step_s = 0
        self._time, self._time_ns = time.time, time.time_ns

    @contextmanager
    def up(self) -> Iterator[None]:
        """While it is looked at."""
        with (
            mock.patch.object(time, "time", self._seen),
            mock.patch.object(time, "time_ns", self._seen_ns),
        ):
            yield

    def _seen(self) -> float:
        return self._time() + self.step_s

    def _seen_ns(self) -> int:
        return self._time_ns() + self.step_s * 10**9


def measure(share: float) -> Sequence[Figure]:
    """Real calls; the clock steps each time the agent begins to speak."""
    return asyncio.run(_measure(scaled(RUNS, share)))


async def _measure(runs: int) -> Sequence[Figure]:
    wall = Wall()
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        serving(gemini) as worker,
    ):
        with wall.up():
            calls = [
                came_to
                for at_once in batched(range(runs), AT_ONCE, strict=False)
                for came_to in await asyncio.gather(*(_lived(wall, worker) for _ in at_once))
            ]
        negative = _negative((await get(worker.url, "/metrics")).text)
    return [
        Figure("calls", runs, None),
        Figure("that did not come to the same as ever", calls.count(False), exactly(0)),
        Figure("figures of /metrics below zero", negative, exactly(0)),
    ]


async def _lived(wall: Wall, worker: LocalWorker) -> bool:
    """Whether a call is as without a step: what was said, and when."""

    ahead = itertools.cycle([HOUR_S, -HOUR_S, 0])

    def step(event: CallEvent) -> None:
        if isinstance(event, AgentHeard):
            wall.step_s = next(ahead)

    report = await place(TWO_TURNS, worker.url, on_event=step)
    record = await worker.server.worker.store.look_up(report.call_sid)
    if record is None or report.problems or report.ended_by != "caller":
        return False
    times_ms = [line.at_ms for line in record.lines]
    in_order = times_ms == sorted(times_ms) and times_ms[0] >= 0
    said = [(line.role, line.text) for line in record.lines]
    return said == CONVERSATION and in_order and times_ms[-1] <= report.duration_ms


def _negative(metrics: str) -> int:
    samples = [line for line in metrics.splitlines() if line.startswith("offhook_")]
    return sum(float(line.rsplit(" ", 1)[1]) < 0 for line in samples)


ROWS = (Row(41, "the clock on the wall steps by an hour", measure, beside=True),)
