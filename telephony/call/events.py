"""The events of a call. Parsed Twilio messages and the model's events are events themselves; this
module adds only what neither of them says.
"""

from dataclasses import dataclass

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.events import ModelEvent
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.meter import Tariff, Tariffs
from agent.conversation.persona import Persona
from agent.conversation.secret_digits import KeyKind
from agent.conversation.tool_events import ToolOutcome
from agent.conversation.transcript import Line
from telephony.call.ending import EndedReason
from telephony.twilio.messages import Dtmf, Malformed, Mark, Media, Stop


@dataclass(frozen=True, slots=True)
class CallOpened:
    """The first event of a call on this worker; time is counted from it.

    Args:
        call_sid: Twilio's CallSid.
        seed: Where all randomness of this call comes from.
        wall_time_ms: Unix time, in ms; the only time of day a call ever sees.
        persona: Who answers.
        checkpoint: What another worker left, or None for a new call.
        lines: The transcript so far, in order; empty for a new call.
        has_fallback: Whether there is a second model to fall back on.
        think_ms: How long the model is known to think before it answers; 0 where nothing is known.
        tariff: What the model and the line cost; None if nothing is to be counted.
        fallback_tariff: The same with the second model; None if there is none, or for the same.
    """

    call_sid: str
    seed: int
    wall_time_ms: int
    persona: Persona
    checkpoint: Checkpoint | None = None
    lines: tuple[Line, ...] = ()
    has_fallback: bool = False
    think_ms: int = 0
    tariff: Tariff | None = None
    fallback_tariff: Tariff | None = None

    @property
    def tariffs(self) -> Tariffs:
        """What the call costs with each model."""
        return Tariffs(self.tariff, self.fallback_tariff)


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """A media stream with a valid token is attached.

    Args:
        stream_sid: Twilio's streamSid, new for every stream.
        epoch: The ownership of the call taken with the token; higher than any before.
    """

    stream_sid: str
    epoch: int


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The media stream is gone. `how` is `close` (of its socket, with 1000), `broken` (off: there
    was no close, or one with another code, or Twilio's callback tells of an error), `status`
    (Twilio's callback says so) or `stuck` (it takes nothing that is written); `stop` is Twilio's
    own message.
    """

    stream_sid: str
    how: str


@dataclass(frozen=True, slots=True)
class LinesStored:
    """All transcript lines up to number `n` are in the store."""

    n: int


@dataclass(frozen=True, slots=True)
class StoreAway:
    """The store will not serve now; what is to be written waits in memory.

    Args:
        why: Such as `timeout`, `read-only` or `out of memory`. Told again when it changes.
    """

    why: str = ""


@dataclass(frozen=True, slots=True)
class StoreBack:
    """The store can be reached again."""


@dataclass(frozen=True, slots=True)
class OwnershipLost:
    """Another worker has taken the call, under `epoch`."""

    epoch: int


@dataclass(frozen=True, slots=True)
class DrainRequested:
    """This worker is to stop; hand the call over within `budget_ms`."""

    budget_ms: int


@dataclass(frozen=True, slots=True)
class EndRequested:
    """The call cannot go on; `reason` becomes its `ended_reason`. Where that is for an answering
    machine, a call goes on all the same whose caller was asked for name and reason (`screening`).
    """

    reason: EndedReason


@dataclass(frozen=True, slots=True)
class CallStatus:
    """Twilio reported the call's status, such as ``completed``."""

    status: str


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key was pressed while the caller is hidden; it stands in the place of `Dtmf`."""

    stream_sid: str
    kind: KeyKind


@dataclass(frozen=True, slots=True)
class LineLives:
    """Media came while the caller is hidden; told of some of it, in the place of `Media`."""

    stream_sid: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; sent when `Call.deadline_ms()` is reached."""


CallEvent = (
    CallOpened
    | StreamStarted
    | StreamEnded
    | LinesStored
    | StoreAway
    | StoreBack
    | OwnershipLost
    | DrainRequested
    | EndRequested
    | CallStatus
    | Tick
)
StreamEvent = Media | Mark | Dtmf | SecretKey | LineLives | Stop | Malformed
Event = CallEvent | StreamEvent | ModelEvent | ToolOutcome | BudgetSpent
