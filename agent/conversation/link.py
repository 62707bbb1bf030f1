"""The present model session, of which there is at most one: its number, state and next attempt."""

from dataclasses import replace
from enum import Enum

from agent.conversation.resumption import Attempt

OPENING_LIMIT_MS = 4_500
"""How long a dial may take. A setup is answered after 0.3 to 3 s."""

HUNG = "dial not answered"
"""What is wrong with a session that is given up for that."""


FLEETING_MS = 3_000
"""A session that is lost again so soon has not ended the wait for one."""


class State(Enum):
    """Of the session whose number is `Link.session`."""

    CLOSED = "closed"
    OPENING = "opening"
    READY = "ready"


class Link:
    """Which session's events count. Sessions are numbered 1, 2, 3 as they are dialled."""

    def __init__(self) -> None:
        self._dialled = 0
        self._wanted = False
        self._state = State.CLOSED
        self._dialled_ms = self._ready_ms = self._deaf_ms = 0
        self._waiting: tuple[int, Attempt] | None = None

    @property
    def session(self) -> int:
        """The number of the session whose events count; 0 while there is none."""
        return self._dialled if self._wanted else 0

    @property
    def ready(self) -> bool:
        """Whether the session listens."""
        return self._state is State.READY

    @property
    def listens_since_ms(self) -> int | None:
        """When the session was ready, while it is; else None."""
        return self._ready_ms if self.ready else None

    @property
    def deaf_since_ms(self) -> int | None:
        """Since when no session listens, fleeting ones aside; None while one does."""
        return None if self.ready else self._deaf_ms

    def dial(self, attempt: Attempt, now_ms: int) -> bool:
        """Whether to open a session, under a new number, now; else when the wait is over."""
        if attempt.wait_ms > 0:
            self._waiting = (now_ms + attempt.wait_ms, replace(attempt, wait_ms=0))
            return False
        self._waiting = None
        self._dialled += 1
        self._wanted = True
        self._state = State.OPENING
        self._dialled_ms = now_ms
        return True

    def due(self, now_ms: int) -> Attempt | None:
        """The attempt whose wait is over, or None."""
        if self._waiting is None or now_ms < self._waiting[0]:
            return None
        return self._waiting[1]

    def listens(self, now_ms: int) -> None:
        """The session is ready."""
        self._state = State.READY
        self._ready_ms = now_ms

    def ended(self, now_ms: int) -> None:
        """The session is over by itself: it was lost or refused."""
        if self.ready and self.lived_ms(now_ms) >= FLEETING_MS:
            self._deaf_ms = now_ms
        self._state = State.CLOSED

    def leave(self, now_ms: int) -> int | None:
        """Want no more events of it. Returns its number if it has to be closed."""
        left = None if self._state is State.CLOSED else self.session
        self.ended(now_ms)
        self._wanted = False
        self._waiting = None
        return left

    def lived_ms(self, now_ms: int) -> int:
        """How long the session has listened."""
        return now_ms - self._ready_ms

    @property
    def opening_since_ms(self) -> int | None:
        """When the session was dialled, while that is not answered; else None."""
        return self._dialled_ms if self._state is State.OPENING else None

    def deadline_ms(self) -> int | None:
        """When `due` is to be asked, or None."""
        return None if self._waiting is None else self._waiting[0]
