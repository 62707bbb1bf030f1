"""Decides when a call leaves a worker that stops: at a pause, late in the available time.

Calls may end by themselves for as long as the budget allows. In its last 10 s the remaining calls
wait for a pause, and one second before its end they leave in any case. While the store is away, a
pause is no occasion: the next worker would know nothing of what waits here to be stored.
"""

HAND_OVER_MS = 10_000
MARGIN_MS = 1_000


class HandOver:
    """The two times of a drain, once there is one."""

    def __init__(self) -> None:
        self._from_ms: int | None = None
        self._by_ms = 0
        self._looking = False
        self._store_away = False

    @property
    def wanted(self) -> bool:
        """Whether the worker is to stop."""
        return self._from_ms is not None

    def requested(self, now_ms: int, budget_ms: int) -> None:
        """The worker is to stop within `budget_ms`."""
        self._from_ms = now_ms + max(0, budget_ms - HAND_OVER_MS)
        self._by_ms = now_ms + budget_ms - min(MARGIN_MS, budget_ms // 2)

    def store(self, *, away: bool) -> None:
        """The store cannot be reached, or can again."""
        self._store_away = away

    def due(self, now_ms: int, *, pause: bool) -> bool:
        """Whether to leave now; `pause` says that nobody is saying or awaiting anything."""
        if self._from_ms is None or now_ms < self._from_ms:
            return False
        self._looking = True
        return (pause and not self._store_away) or now_ms >= self._by_ms

    def deadline_ms(self) -> int | None:
        """When to look next. In between, every event is an occasion."""
        return self._by_ms if self._looking else self._from_ms
