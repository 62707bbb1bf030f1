"""The faults that a world can have, as data: those of `agent.simulator.faults`, and these."""

from dataclasses import dataclass
from typing import Literal, get_args

from agent.simulator import faults as model_faults
from telephony.call.ending import EndedReason
from telephony.call.events import Event


@dataclass(frozen=True, slots=True)
class LoseStream:
    """Twilio's socket breaks; Twilio goes on with the document, and connects again.

    Args:
        elsewhere: It then reaches another worker, which takes the call from this one.
    """

    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class StallStream:
    """Nothing of what Twilio sends arrives for a while; then all of it at once."""

    duration_ms: int = 250


@dataclass(frozen=True, slots=True)
class StallWriter:
    """The stream's socket takes nothing of what the worker writes for a while; it waits there."""

    duration_ms: int = 500


@dataclass(frozen=True, slots=True)
class SendFrame:
    """Twilio sends this frame, valid or not. The default frame is malformed.

    Args:
        frame: Its text.
        times: How many times over.
        binary: It is a binary frame, not a text frame.
    """

    frame: str = "{"
    times: int = 1
    binary: bool = False


@dataclass(frozen=True, slots=True)
class SendOld:
    """A message from a session that the call has left, which arrives only now.

    Args:
        session: Its number, from 1.
        message: As Gemini sends it.
    """

    message: dict[str, object]
    session: int = 1


@dataclass(frozen=True, slots=True)
class LoseStore:
    """The store cannot be reached for a while; what was on its way waits, and is stored then."""

    duration_ms: int = 3_000


@dataclass(frozen=True, slots=True)
class Drain:
    """The worker is asked to stop, and hands the call over to another."""

    budget_ms: int = 20_000


@dataclass(frozen=True, slots=True)
class RequestEnd:
    """The server says that the call cannot go on; the reason becomes its `ended_reason`."""

    reason: EndedReason = EndedReason.TOO_MANY_RESUMES


@dataclass(frozen=True, slots=True)
class SpendBudget:
    """What may be spent is spent: in the call, or in a day by the caller or by all callers."""

    of: Literal["call", "caller", "day"] = "day"


@dataclass(frozen=True, slots=True)
class KillWorker:
    """The worker dies; another worker continues from the stored data."""


@dataclass(frozen=True, slots=True)
class BlackHole:
    """Nothing passes any more on the open connections to Gemini, and we are told nothing.

    Args:
        known: Gemini has noticed, and let go of the session; otherwise it is in use there.
    """

    known: bool = True


@dataclass(frozen=True, slots=True)
class DropNext:
    """The next event of this type never reaches the call."""

    event: type[Event]


type OwnFault = (
    LoseStream
    | StallStream
    | StallWriter
    | SendFrame
    | SendOld
    | LoseStore
    | Drain
    | RequestEnd
    | SpendBudget
    | KillWorker
    | BlackHole
    | DropNext
)
type WorldFault = model_faults.Fault | OwnFault

FAULTS: dict[str, type[WorldFault]] = {
    **model_faults.FAULTS,
    "lose-stream": LoseStream,
    "stall-stream": StallStream,
    "stall-writer": StallWriter,
    "send-frame": SendFrame,
    "send-old": SendOld,
    "lose-store": LoseStore,
    "drain": Drain,
    "request-end": RequestEnd,
    "spend-budget": SpendBudget,
    "kill-worker": KillWorker,
    "black-hole": BlackHole,
    "drop-next": DropNext,
}
"""The names of the faults in a world's file."""

EVENTS: dict[str, type[Event]] = {event.__name__: event for event in get_args(Event)}
"""What `DropNext` can drop, by name."""
