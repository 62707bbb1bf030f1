"""A circuit breaker for all calls of a worker: may a model that may be down be dialled now? Pure.

    state      who may dial        ends when
    CLOSED     all calls           `FAILURES` dials of the last 20 s failed, and half of all dials
    OPEN       no call             2 s are over
    HALF_OPEN  `PROBES` at a time  one of them fails (OPEN), or all have proved to work (CLOSED)

A dial fails when the service refuses or does not answer it, or when its session is lost before it
has proved to work: in some outages the service accepts every session and then breaks it off.

Some failures do not count, because the service is not to blame: a wrong key, handle or setup, a
full quota, a host name that is not found. The loss of a session that had worked does not count
either: many sessions break at the same time, and can be resumed at once. A handle that is refused
with 1011 does not open the breaker, because Gemini may still hold the old socket, as it does for
every call of a worker that died. Nor does a session that is lost at once after it was resumed,
because its handle may be what is wrong: the next session of that call is a fresh one.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum

from agent.conversation.events import ModelEvent, SessionLost, SessionReady, SessionRefused
from agent.conversation.resumption import STILL_OPEN

FAILURES = 5
WINDOW_MS = 20_000
OPEN_MS = 2_000
PROBES = 3

PROVEN_AFTER_MS = 3_000
"""A session that lives for so long after its setup was answered has proved to work."""

HUNG_MS = 4_000
"""A dial that is given up after so long without an answer has failed."""

NOT_TO_BLAME = frozenset({1007, 1008})
"""Close codes for a request that the service does not accept; HTTP statuses below 500 are alike."""


class State(Enum):
    """The states of a breaker; the module's docstring has their table."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Dial:
    """One admitted dial. Call `tell` with each event of its session, and `leave` at its end."""

    def __init__(self, now_ms: int, changed: Callable[[int], None], *, resumes: bool) -> None:
        self.began_ms = now_ms
        self.failed = False
        self.doubtful = False
        """The dial failed, but perhaps only because of its handle."""
        self.ready_ms: int | None = None
        self.left = False
        """This side gave the dial up, or it ended for a reason that is not the service's fault."""
        self._changed, self._resumes = changed, resumes

    def tell(self, event: ModelEvent, now_ms: int) -> None:
        """Take the session's next event."""
        match event:
            case SessionReady():
                self.ready_ms = now_ms
            case SessionRefused() if _to_blame(event):
                self.failed = True
                self.doubtful = self._resumes and event.code == STILL_OPEN
            case SessionLost() if not self.proven(now_ms):
                self.failed, self.doubtful = True, self._resumes
            case _:
                return
        self._changed(now_ms)

    def leave(self, now_ms: int) -> None:
        """The session is over. This has no effect if an event has already told why."""
        if not self.failed and self.ready_ms is None and now_ms - self.began_ms >= HUNG_MS:
            self.failed, self.doubtful = True, self._resumes
        self.left = not self.proven(now_ms)
        self._changed(now_ms)

    def proven(self, now_ms: int) -> bool:
        """Whether the session has lived for long enough."""
        if self.failed or self.left or self.ready_ms is None:
            return False
        return now_ms - self.ready_ms >= PROVEN_AFTER_MS


class Breaker:
    """A breaker: call `admit` before each dial. `now_ms` is any clock that never goes back."""

    def __init__(self) -> None:
        self.openings = 0
        self._state = State.CLOSED
        self._half_open_ms = 0
        self._dials: deque[Dial] = deque()
        """The dials of the window while CLOSED; the probes while HALF_OPEN."""

    def state(self, now_ms: int) -> State:
        """The state now."""
        self._settle(now_ms)
        return self._state

    def admit(self, now_ms: int, *, resumes: bool) -> Dial | int:
        """Ask for a dial, with or without a handle. Returns it, or for how many ms to wait."""
        match self.state(now_ms):
            case State.OPEN:
                return self._half_open_ms - now_ms
            case State.HALF_OPEN if len(self._dials) >= PROBES:
                return OPEN_MS
        dial = Dial(now_ms, self._settle, resumes=resumes)
        self._dials.append(dial)
        return dial

    def _settle(self, now_ms: int) -> None:
        match self._state:
            case State.CLOSED:
                while self._dials and now_ms - self._dials[0].began_ms > WINDOW_MS:
                    self._dials.popleft()
                failed = sum(dial.failed and not dial.doubtful for dial in self._dials)
                worked = sum(dial.ready_ms is not None and not dial.failed for dial in self._dials)
                if failed >= max(FAILURES, worked):
                    self._open(now_ms)
            case State.OPEN:
                if now_ms >= self._half_open_ms:
                    self._state = State.HALF_OPEN
            case State.HALF_OPEN:
                self._dials = deque(dial for dial in self._dials if not dial.left)
                if any(dial.failed for dial in self._dials):
                    self._open(now_ms)
                elif sum(dial.proven(now_ms) for dial in self._dials) >= PROBES:
                    self._state = State.CLOSED

    def _open(self, now_ms: int) -> None:
        if self._state is State.CLOSED:
            self.openings += 1
        self._state = State.OPEN
        self._half_open_ms = now_ms + OPEN_MS
        self._dials.clear()


def refusal(session: int, wait_ms: int) -> SessionRefused:
    """The event for a session that was not admitted."""
    return SessionRefused(session, 0, "not dialled: the breaker is open", wait_ms)


def _to_blame(refused: SessionRefused) -> bool:
    ours = 0 < refused.code < 500 or refused.code in NOT_TO_BLAME
    return not (ours or refused.over_quota or refused.unreachable)
