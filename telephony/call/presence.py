"""Whether there is a stream to the caller, and how long a call waits for the next one.

phase      begins with                              ends with
WAITING    CallOpened: the model is dialled         StreamStarted, or 10 s
STREAMING  StreamStarted, with the epoch taken      StreamEnded, 10 s of nothing, the end
PARKED     StreamEnded: the model stays             StreamStarted, or the time that fits
OVER       EndCall, the last command                -
"""

from enum import Enum
from typing import Final, Literal

from telephony.call.ending import EndedReason

WAITING_LIMIT_MS = 10_000
"""A session dialled for a webhook is let go when no stream follows it."""

MEDIA_LIMIT_MS = 10_000
"""A stream on which nothing came for so long is dead."""

ASK_AFTER_MS = 5_000
"""Some lines deliver nothing while the caller is silent: then Twilio is asked for a sign of life, a
mark, which it echoes at once where nothing is played."""

STOP_GRACE_MS = 2_000
"""After `stop` the caller has most likely hung up; a REST redirect looks the same for a moment."""

PARKED_LIMIT_MS = 10_000
"""After any other end of the stream Twilio is back within a second or so."""

STOP: Final = "stop"
IDLE: Final = "idle"

MOVED: Final = "moved"
"""How a stream ended of a call that goes on: it was elsewhere meanwhile, or is on its way back."""

CLOSED = frozenset({STOP, "close", MOVED})
"""How a stream ends whose socket is closed, too; of a broken one it may still be open."""


class Phase(Enum):
    """Where a call stands; the table is in the module's docstring."""

    WAITING = "waiting"
    STREAMING = "streaming"
    PARKED = "parked"
    OVER = "over"


class Presence:
    """One call's phases.

    Attributes:
        phase: The present one.
        stream_sid: The stream that counts, or the last one that did.
        ended_by: How the last stream ended, while there is no other; "" before.
    """

    def __init__(self) -> None:
        self.phase = Phase.WAITING
        self.stream_sid = ""
        self.ended_by = ""
        self._until_ms = WAITING_LIMIT_MS
        self._ask_ms: int | None = None
        self._asked = 0

    def started(self, stream_sid: str, now_ms: int) -> None:
        """A stream is here."""
        self.phase, self.stream_sid, self.ended_by = Phase.STREAMING, stream_sid, ""
        self.sign_of_life(now_ms)

    def sign_of_life(self, now_ms: int) -> None:
        """Something came on the stream that shows it is not dead."""
        self._until_ms = now_ms + MEDIA_LIMIT_MS
        self._ask_ms = now_ms + ASK_AFTER_MS

    def ask(self, now_ms: int) -> str | None:
        """The name of the mark by which to ask for a sign of life, if it is time to; else None."""
        if self._ask_ms is None or now_ms < self._ask_ms:
            return None
        self._ask_ms = None
        self._asked += 1
        return f"alive:{self._asked}"

    def ended(self, how: str, now_ms: int) -> None:
        """The stream is gone; as in `events.StreamEnded`. Told again, the last word counts."""
        self.phase, self.ended_by = Phase.PARKED, how
        self._ask_ms = None
        self._until_ms = now_ms + (STOP_GRACE_MS if how == STOP else PARKED_LIMIT_MS)

    def goes_on(self, now_ms: int) -> None:
        """Twilio says that the call goes on: its stream did not stop because the caller hung up."""
        if self.phase is Phase.PARKED and self.ended_by == STOP:
            self.ended(MOVED, now_ms)

    def over(self) -> None:
        """The call has ended here."""
        self.phase = Phase.OVER

    def deadline_ms(self) -> int:
        """When `expired` or `ask` is to be called next."""
        return self._until_ms if self._ask_ms is None else self._ask_ms

    def expired(self, now_ms: int) -> EndedReason | Literal["idle"] | None:
        """What follows from a time that is over: `idle` when the stream is to be taken for dead, or
        why the call is to end here; None while no time is over.
        """
        if now_ms < self._until_ms:
            return None
        match self.phase:
            case Phase.WAITING:
                return EndedReason.NOT_ATTACHED
            case Phase.STREAMING:
                return IDLE
            case _:
                stopped = self.ended_by == STOP
                return EndedReason.CALLER_HANGUP if stopped else EndedReason.STREAM_LOST
