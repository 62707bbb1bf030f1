"""The records that a store returns, and its errors.

Exception
├── StoreAway      the store cannot do it now; keep your data and try again later
├── Fenced         another worker has taken the call; stop writing to it
└── ValueError
    └── Gap        lines before the given ones are not stored; append again from `expected_n`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.next_step import NextStep, Stage
from agent.conversation.transcript import Line

type Status = Literal["ringing", "in-progress", "completed"]
"""How a call stands; the words are those of whoever carries it."""

type Direction = Literal["inbound", "outbound"]
"""Who began a call: the other party, or we."""


type HoursAre = Literal["open", "closed"]
"""Whether a call has begun within the hours of its agent: decided once, for every worker."""


class StoreAway(Exception):  # noqa: N818  the field's word; the call has an event of this name
    """The store cannot be reached, or refuses now. The command may still have been carried out.

    Args:
        why: A short, fixed phrase for counting, such as ``"timeout"`` or ``"loading"``.
        detail: The store's own message.
    """

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(f"the store is away ({why}): {detail}" if detail else why)
        self.why = why


class Fenced(Exception):  # noqa: N818  the field's word (fencing token)
    """The write came from an ownership that another worker has replaced, under `epoch`."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"another worker has taken the call, under epoch {epoch}")
        self.epoch = epoch


class Gap(ValueError):  # noqa: N818  what it is, not that it is an error
    """Lines before the given ones are not stored. Append again, from line `expected_n`.

    Either the writer has left lines out, or the store has lost some: a server came back without
    its data, or a replica took over before it had all data.
    """

    def __init__(self, expected_n: int, got_n: int) -> None:
        super().__init__(
            f"expected line {expected_n}, got line {got_n}: append again from line {expected_n}"
        )
        self.expected_n = expected_n


@dataclass(frozen=True, slots=True)
class CallRecord:
    """The stored data of a call.

    Args:
        status: How the call stands.
        ended_reason: Why it ended, or "" while it goes on.
        epoch: The newest ownership; 0 before the first. Lines from an earlier call have epoch 0.
        owner: The worker that took it last, or "".
        checkpoint: The last owner's checkpoint; None before the first, or if this release cannot
            read its format.
        lines: The transcript, in order; empty if the method does not return it.
        persona: The name of the agent that answers.
        usd: What the call has cost, in US dollars; None if that is not known.
        besides_usd: What of it was for other lines and text messages.
        tokens: How many tokens of the model were billed.
        seconds: How long it has lasted.
        notes: What the agent wrote down, each note on a line.
        account: Where its money is booked, as `budgets.Account.to_json` writes it; "" if nowhere.
        caller: Who called, for whoever is told of the call; "" if nobody is, or nobody knows.
        next_step: What is to happen with the line, or has happened last; None if nothing was ever
            asked for.
        direction: Whether somebody called us, or we them.
        consent: When and how the person agreed to be called; "" for a call that came in.
        hours: Whether it began within the agent's hours.
        measured: What each worker measured of its part of the call: figures by name, by the first
            epoch under which that worker held it.
        verdict: The reason for which the call is to end, if whoever holds it has nothing to say
            against it; "" for none. It stands until the call is over, or somebody has.
    """

    status: Status
    ended_reason: str
    epoch: int
    owner: str
    checkpoint: Checkpoint | None
    lines: tuple[Line, ...] = ()
    persona: str = ""
    usd: float | None = None
    tokens: int = 0
    seconds: int = 0
    notes: str = ""
    account: str = ""
    caller: str = field(default="", repr=False)
    next_step: NextStep | None = None
    direction: Direction = "inbound"
    consent: str = field(default="", repr=False)
    hours: HoursAre = "open"
    besides_usd: float = 0.0
    measured: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    verdict: str = ""

    @property
    def is_away(self) -> bool:
        """Whether somebody else has the line now, so that no worker needs to hold the call."""
        step = self.next_step
        return self.status != "completed" and step is not None and step.stage is Stage.RUNNING


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of the part of a call that one worker held.

    Args:
        since: The first epoch under which the worker held it.
        figures: A JSON object: whole numbers by name; "" for nothing.
    """

    since: int
    figures: str


@dataclass(frozen=True, slots=True)
class Began:
    """How a call began, for a record that does not say so: the store was away then.

    Args:
        persona: As in `CallRecord`; "" if it is not known.
        hours: As in `CallRecord`.
    """

    persona: str = ""
    hours: HoursAre = "open"


NOT_KNOWN = Began()


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that this worker has just taken.

    Args:
        epoch: The new ownership; higher than any before it.
        checkpoint: As in `CallRecord`.
        lines: The whole transcript so far, in order.
        listeners: How many workers were notified, this one included if it watches the call.
        account: As in `CallRecord`.
        stored: Whether the store knows of it, which may have been away.
        verdict: As in `CallRecord`.
    """

    epoch: int
    checkpoint: Checkpoint | None
    lines: tuple[Line, ...]
    listeners: int
    account: str = ""
    stored: bool = True
    verdict: str = ""
