"""The load's one clock, and where it could not be trusted.

A load that is itself held up measures itself: wherever its timer was late by more than 5 ms, what
was timed over that moment is left out, and counted.
"""

import asyncio
import math
import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

BEAT_S = 0.001
LATE_MS = 5.0
MOST_LEFT_OUT = 0.05
"""A run that leaves out more of its samples than this is invalid."""


def now_ms() -> float:
    """Wall time since any moment."""
    return time.perf_counter() * 1000


@dataclass(frozen=True, slots=True)
class Sample:
    """Something began at `from_ms` and was seen at `to_ms`."""

    from_ms: float
    to_ms: float


class LagWatch:
    """Notes when this process's timer was late. `run` it in a task."""

    def __init__(self) -> None:
        self.most_ms = 0.0
        self._late: list[tuple[float, float]] = []

    async def run(self) -> None:
        """Beat every millisecond, until cancelled."""
        due_ms = now_ms()
        while True:
            await asyncio.sleep(BEAT_S)
            due_ms += BEAT_S * 1000
            at_ms = now_ms()
            # Timers have a resolution of 1 ms: a beat that is that late starts a new count.
            late_ms = at_ms - due_ms
            self.most_ms = max(self.most_ms, late_ms)
            if late_ms > LATE_MS:
                self._late.append((due_ms, at_ms))
            if late_ms > BEAT_S * 1000:
                due_ms = at_ms

    def within_lag(self, sample: Sample) -> bool:
        """Whether the timer was late at any moment of the sample."""
        # The intervals are in order and apart: the first that ends after the sample begins decides.
        at = bisect_left(self._late, sample.from_ms, key=lambda late: late[1])
        return at < len(self._late) and self._late[at][0] < sample.to_ms


@dataclass(frozen=True, slots=True)
class Latency:
    """Samples as figures: how many counted, how many were left out, and percentiles in ms."""

    samples: int
    left_out: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    histogram_ms: tuple[float, ...]
    """The 0th to 100th percentile."""

    @property
    def valid(self) -> bool:
        """Whether enough of them counted."""
        return self.samples > 0 and self.left_out <= MOST_LEFT_OUT * (self.samples + self.left_out)


def latency(samples: Sequence[Sample], lag: LagWatch) -> Latency:
    """Sum up what was timed, without what fell into a lag."""
    counted = sorted(s.to_ms - s.from_ms for s in samples if not lag.within_lag(s))
    percentiles = tuple(round(percentile(counted, p), 3) for p in range(101))
    return Latency(
        samples=len(counted),
        left_out=len(samples) - len(counted),
        p50_ms=percentiles[50],
        p99_ms=percentiles[99],
        max_ms=percentiles[100],
        histogram_ms=percentiles,
    )


def percentile(ordered: Sequence[float], p: float) -> float:
    """The least value that `p` percent do not exceed; NaN of nothing."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(p * len(ordered) / 100) - 1)]
