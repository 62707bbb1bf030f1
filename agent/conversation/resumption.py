"""The next attempt to reach the model: which handle, how long to wait, when to give up.

The old socket is always closed first: a handle whose old socket is still open is refused with
1011. A handle is tried at once, then once more after a pause (the server may still hold the old
connection), and is then dropped for a fresh session that is given the transcript. Waiting grows
with full jitter, so that a thousand calls do not come back in one instant.
"""

from dataclasses import dataclass
from random import Random

OUTAGE_BUDGET_MS = 15_000
"""How long a caller is kept without a model before the call ends with an apology."""

STABLE_AFTER_MS = 10_000
"""A session that lived this long was a success; losing it starts counting anew."""

HANDLE_RETRY_MS = 250
FIRST_BACKOFF_MS = 250
MAX_BACKOFF_MS = 4_000

HANDLE_DEAD = frozenset({1007, 1008, 400, 404})
"""The handle is unknown or expired: only a fresh session can help."""

STILL_OPEN = 1011
"""What a handle gets whose old connection the server still holds; and much else."""

FATAL = frozenset({1007, 400, 401, 403, 404})
"""A fresh session was refused for what we sent (key, model, settings): asking again will not
help. Read off gemini_live: 1007 invalid argument, 401/403 key, 404 model."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Open a session after `wait_ms`, resuming from `handle`, or fresh where it is empty."""

    handle: str
    wait_ms: int


class Resumption:
    """What is known about reaching the model, over all sessions of one conversation."""

    def __init__(self, random: Random, handle: str = "") -> None:
        self.handle = handle
        self._random = random
        self._failures = 0
        self._handle_failures = 0
        self._away_since_ms: int | None = None

    def handed_out(self, handle: str) -> None:
        """A handle from which the session can be resumed."""
        self.handle = handle
        self._handle_failures = 0

    def first(self) -> Attempt:
        """The attempt with which a conversation opens."""
        return Attempt(self.handle, 0)

    def lost(self, now_ms: int, lived_ms: int) -> Attempt | None:
        """A session that had been ready is gone, or is left, after `lived_ms`."""
        if lived_ms >= STABLE_AFTER_MS:
            self._failures = 0
        if self._failures == 0:
            self._away_since_ms = now_ms
            self._failures = 1
            return Attempt(self.handle, 0)
        return self._again(now_ms, None)

    def refused(self, now_ms: int, code: int, retry_after_ms: int | None) -> Attempt | None:
        """An attempt was refused; None when there is no sense in another."""
        if self._away_since_ms is None:
            self._away_since_ms = now_ms
        if self.handle and code in HANDLE_DEAD:
            return self._without_handle()
        if self.handle and code == STILL_OPEN:
            self._handle_failures += 1
            if self._handle_failures > 1:
                return self._without_handle()
            return Attempt(self.handle, max(HANDLE_RETRY_MS, retry_after_ms or 0))
        if code in FATAL:
            return None
        return self._again(now_ms, retry_after_ms)

    def settled(self) -> None:
        """The session answered: whatever was wrong is over."""
        self._failures = 0
        self._away_since_ms = None

    def _without_handle(self) -> Attempt:
        self.handle = ""
        self._handle_failures = 0
        return Attempt("", 0)

    def _again(self, now_ms: int, retry_after_ms: int | None) -> Attempt | None:
        since_ms = now_ms if self._away_since_ms is None else self._away_since_ms
        ceiling_ms = min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2**self._failures)
        self._failures += 1
        wait_ms = max(self._random.randint(0, ceiling_ms), retry_after_ms or 0)
        if now_ms + wait_ms - since_ms > OUTAGE_BUDGET_MS:
            return None
        return Attempt(self.handle, wait_ms)
