"""When to leave a session that still works: before the server ends it, and at a pause.

A session is renewed from 8 min on, at the first pause from which it can be resumed, and at
8:50 in any case: connections end at about 10 min, with a warning (`goAway`) at 9 min or none.
A warning brings both times forward. It is no order: some servers send it as soon as a session has
begun. A pause is looked for in the last minute of what it leaves, and in a young session not in the
first quarter of that.
"""

RENEW_FROM_MS = 8 * 60_000
RENEW_BY_MS = 9 * 60_000 - 10_000

GO_AWAY_MARGIN_MS = 10_000
"""How long before the announced end a renewal is forced; at most half of the time left."""

LOOK_MS = 60_000
"""How long before the announced end a pause is looked for, at most."""

YOUNG_MS = 5_000
"""A session that is warned before it is so old is used for a quarter of what is left to it."""


class Renewal:
    """The two times of the running session, and whether it can be resumed from here."""

    def __init__(self) -> None:
        self._from_ms: int | None = None
        self._by_ms: int | None = None
        self._resumable = False
        self._looked = False

    def started(self, now_ms: int) -> None:
        """A session is ready."""
        self._from_ms = now_ms + RENEW_FROM_MS
        self._by_ms = now_ms + RENEW_BY_MS
        self._looked = False

    def stopped(self) -> None:
        """There is no session."""
        self._from_ms = self._by_ms = None
        self._resumable = False

    def resumable(self, resumable: bool) -> None:
        """Whether the last handle holds all that was said."""
        self._resumable = resumable

    def told_to_go(self, now_ms: int, time_left_ms: int, lived_ms: int) -> None:
        """The server will end the session, which has listened for `lived_ms`, in `time_left_ms`."""
        if self._from_ms is None or self._by_ms is None:
            return
        margin_ms = min(GO_AWAY_MARGIN_MS, time_left_ms // 2)
        young = lived_ms < YOUNG_MS
        wait_ms = max(time_left_ms - LOOK_MS, time_left_ms // 4 if young else 0)
        self._from_ms = min(self._from_ms, now_ms + max(0, wait_ms))
        self._by_ms = min(self._by_ms, now_ms + max(0, time_left_ms - margin_ms))

    def due(self, now_ms: int, *, pause: bool) -> bool:
        """Whether to renew now; `pause` says that nobody is saying or awaiting anything."""
        if self._from_ms is None or self._by_ms is None or now_ms < self._from_ms:
            return False
        self._looked = True
        return now_ms >= self._by_ms or (pause and self._resumable)

    def deadline_ms(self) -> int | None:
        """When to look next. In between, a handle or a warning is an occasion."""
        return self._by_ms if self._looked else self._from_ms
