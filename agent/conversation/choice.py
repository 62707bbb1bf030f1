"""Decides which of two models to ask: the wanted one or the fallback. Pure.

A model is left for the other one after `FAILURES` failures in a row, or when it has failed for
`FAILING_MS`. It is left at once if it is known to stay away: it asks for a wait, has no capacity,
or refuses our setup. A handle of one model is of no use for the other.
"""

FAILURES = 3
FAILING_MS = 3_000


class Choice:
    """The model to ask next; `fallback` says that it is the second.

    Args:
        two: Whether there is a second.
        fallback: Whether it was asked last.
    """

    def __init__(self, *, two: bool = False, fallback: bool = False) -> None:
        self.fallback = fallback
        self._two = two
        self._failures = 0
        self._since_ms = 0
        self._failed: set[bool] = set()
        self._unfit: set[bool] = set()

    @property
    def untried(self) -> bool:
        """Whether this one has not failed since either last answered."""
        return self.fallback not in self._failed

    def failed(self, now_ms: int, *, stays_away: bool = False) -> bool:
        """The model failed. Returns whether the other one is to be asked."""
        if self._failures == 0:
            self._since_ms = now_ms
        self._failures += 1
        self._failed.add(self.fallback)
        too_often = self._failures >= FAILURES or now_ms - self._since_ms >= FAILING_MS
        return (stays_away or too_often) and self._turn()

    def unfit(self) -> bool:
        """The model does not take what we send. Returns whether the other one is to be asked."""
        self._unfit.add(self.fallback)
        self._failed.add(self.fallback)
        return self._turn()

    def settled(self) -> None:
        """The model answered."""
        self._failures = 0
        self._failed.clear()

    def _turn(self) -> bool:
        if not self._two or (not self.fallback) in self._unfit:
            return False
        self.fallback = not self.fallback
        self._failures = 0
        return True
