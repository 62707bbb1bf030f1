"""The promises of a store, the records that it returns, and its errors.

Exception
├── StoreAway      the store cannot do it now; keep your data and try again later
├── Fenced         another worker has taken the call; stop writing to it
└── ValueError
    └── Gap        lines before the given ones are not stored; append again from `expected_n`
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.next_step import Asked, NextStep, Stage
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

    @property
    def is_away(self) -> bool:
        """Whether somebody else has the line now, so that no worker needs to hold the call."""
        step = self.next_step
        return self.status != "completed" and step is not None and step.stage is Stage.RUNNING


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that this worker has just taken.

    Args:
        epoch: The new ownership; higher than any before it.
        checkpoint: As in `CallRecord`.
        lines: The whole transcript so far, in order.
        listeners: How many workers were notified, this one included if it watches the call.
        account: As in `CallRecord`.
    """

    epoch: int
    checkpoint: Checkpoint | None
    lines: tuple[Line, ...]
    listeners: int
    account: str = ""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A call whose lease has ended, because no worker holds it. This worker must rescue it.

    Args:
        conversation_id: The call.
        claimed_until_ms: No other worker gets the call before this time (Redis' clock, Unix ms).
    """

    conversation_id: str
    claimed_until_ms: int


class Leases(Protocol):
    """Tells workers at once who takes and releases calls. Each worker has one.

    A message that is published while the connection is lost does not arrive. The next write of
    the former owner then raises `Fenced`.
    """

    async def watch(
        self,
        conversation_id: str,
        on_taken: Callable[[int], None],
        on_status: Callable[[str], None] | None = None,
    ) -> bool:
        """Call `on_taken(epoch)` whenever a worker takes this call, this one included, and
        `on_status(status)` when a worker is told how it stands.

        A second watch of a call replaces the first. The functions must not raise: they run in the
        task that serves every call of the worker.

        Returns:
            True if no later message can be missed. False if the store is away; the watch then
            begins once the store is back.
        """
        ...

    async def unwatch(self, conversation_id: str) -> None:
        """Stop watching. It is no error if the call is not watched."""
        ...

    def taken_epoch(self, conversation_id: str) -> int:
        """The highest epoch under which a watched call was taken, as far as is known here."""
        ...

    async def wait_released(self, conversation_id: str, epoch: int, timeout_ms: int = 300) -> bool:
        """Wait until a worker answers `taken <epoch>` with `released <epoch>`.

        The call must be watched since before it was taken; otherwise the answer can be missed.
        May be cancelled.

        Returns:
            Whether the answer came in time; False for a call that is not watched.
        """
        ...


class Store(Protocol):
    """The store for data that outlives a worker. Every method but `aclose` may raise `StoreAway`.

    An owner's `epoch` is the one that `take` returned. A write with a lower epoch than the
    record's raises `Fenced`. A write with a higher epoch is accepted: the store has lost that
    ownership, or was away when it began.
    """

    async def open_call(
        self,
        conversation_id: str,
        persona: str = "",
        caller: str = "",
        direction: Direction = "inbound",
        hours: HoursAre = "open",
    ) -> CallRecord:
        """The record of a call, without lines. If there is none, make one with status `ringing`.

        May be repeated: it never changes an existing record.

        Args:
            conversation_id: Which call.
            persona: The name of the agent that answers, for a new record.
            caller: Who called, likewise.
            direction: Who began it, likewise.
            hours: Whether it came within the agent's hours, likewise.
        """
        ...

    async def look_up(self, conversation_id: str) -> CallRecord | None:
        """The record of a call with its lines and checkpoint as of one moment, or None."""
        ...

    async def take(
        self, conversation_id: str, nonce: str, owner: str, token_ttl_s: int
    ) -> Taken | None:
        """Redeem a one-time token for the ownership of a call.

        All of this is one step: the nonce is used, the epoch rises by one, the call is in
        progress and belongs to `owner`, nobody else has its line any more, and all workers that
        watch it are notified. After `StoreAway` the nonce may be used.

        Args:
            conversation_id: Which call.
            nonce: The token's unique part.
            owner: The name of this worker.
            token_ttl_s: How long the token could still be valid; its use is remembered that long.

        Returns:
            The data of the call's former owners; None if the nonce was used before, or the call
            is completed.
        """
        ...

    async def append(self, conversation_id: str, lines: Sequence[Line], epoch: int) -> int:
        """Append lines, all or none, in one round trip. Lines that are stored do not change.

        Args:
            conversation_id: Which call.
            lines: Final lines, their numbers rising by one.
            epoch: The writer's ownership.

        Returns:
            The number of the last stored line, 0 if there is none.

        Raises:
            Fenced: Another worker has taken the call.
            Gap: Lines before these are not stored. Nothing was written.
            ValueError: The numbers of `lines` do not rise by one.
        """
        ...

    async def save_checkpoint(
        self, conversation_id: str, checkpoint: Checkpoint, epoch: int, cost: int | None = None
    ) -> None:
        """Replace the checkpoint, and what the record says of the call's cost. Raises `Fenced`.

        A next step in the checkpoint that is newer than the stored one is stored with it, as
        intended. A checkpoint without the stored one withdraws it, if it is only intended.

        Args:
            conversation_id: Which call.
            checkpoint: The checkpoint.
            epoch: The writer's ownership.
            cost: What the call has cost, in nano-dollars; None if that is not known.
        """
        ...

    async def claim_step(
        self, conversation_id: str, request: str, asked: Asked | None = None
    ) -> tuple[NextStep | None, bool]:
        """Claim what is to happen with the line next, for the request that asks.

        Args:
            conversation_id: Which call.
            request: As in `NextStep.claimed`.
            asked: What the server or the caller asks for; None to claim what the agent asked for.

        Returns:
            The step as it stands now, if there is one; and whether this request carries it out.
        """
        ...

    async def settle_step(self, conversation_id: str, outcome: str) -> NextStep | None:
        """Store how the step ended that was carried out. May be repeated. Returns the step."""
        ...

    async def end_call(self, conversation_id: str, epoch: int, reason: str) -> None:
        """Store that the call is over, and why. Only its owner calls this. Lines may still follow.

        An existing reason does not change.

        Raises `Fenced`.
        """
        ...

    async def mark_completed(self, conversation_id: str, reason: str) -> None:
        """Store that the call is over, on the word of a status callback and not of its owner.

        `reason` is stored only if there is no `ended_reason` yet. The epoch does not change, so
        that the owner can still write its last lines.
        """
        ...

    async def reopen(self, conversation_id: str, reason: str) -> None:
        """Store that a call goes on after all, if it ended for `reason`: that was a guess, and
        somebody who knows says otherwise. A call that ended for another reason stays over.
        """
        ...

    async def count_resume(self, conversation_id: str) -> int:
        """Count one more resume; returns how many there were in this window of 60 s."""
        ...

    async def note_caller(self, caller: str, conversation_id: str, ttl_s: int) -> str | None:
        """Remember a caller's newest call.

        Args:
            caller: A keyed hash of the caller's number, never the number itself.
            conversation_id: The call.
            ttl_s: For how long.

        Returns:
            The id of the caller's conversation before, if any; it may be the same.
        """
        ...

    async def hold(
        self,
        held: Collection[str],
        let_go: Collection[str],
        *,
        lease_ms: int,
        claim_ms: int | None,
    ) -> tuple[Orphan, ...]:
        """Renew the leases of this worker's calls, and get orphans, in one round trip.

        Args:
            held: The calls that go on here; their leases are renewed.
            let_go: Calls that are over; no worker needs to rescue them.
            lease_ms: How long a lease lasts if it is not renewed.
            claim_ms: How long no other worker gets the same orphan; None to get no orphans.

        Returns:
            Calls whose leases have ended. Each goes to only one worker within `claim_ms`.
        """
        ...

    async def is_orphan(self, orphan: Orphan) -> bool:
        """Whether no worker has held the call since `hold` returned it."""
        ...

    async def settle(self, orphan: Orphan) -> None:
        """Remove an orphan that was rescued. If a worker holds it again, its lease stays."""
        ...

    async def announce_released(self, conversation_id: str, epoch: int) -> None:
        """Answer `taken <epoch>`: this worker has closed all its model sessions of the call."""
        ...

    async def announce_status(self, conversation_id: str, status: str) -> int:
        """Tell all workers that watch the call its status; returns how many these are."""
        ...

    async def listeners(self, conversation_id: str) -> int:
        """How many workers watch the call."""
        ...

    def leases(self) -> AbstractAsyncContextManager[Leases]:
        """Open this worker's lease connection, and keep it open until the block ends."""
        ...

    async def ping(self) -> None:
        """Return if the store answers."""
        ...

    async def aclose(self) -> None:
        """Close all connections. Leases must be closed before."""
        ...
