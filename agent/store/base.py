"""The promises of a store, the records that it returns, and its errors.

Exception
├── StoreAway      the store cannot do it now; keep your data and try again later
├── Fenced         another worker has taken the call; stop writing to it
└── ValueError
    └── Gap        lines before the given ones are not stored; append again from `expected_n`
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line

type Status = Literal["ringing", "in-progress", "completed"]
"""Twilio's own words for the status of a call."""


class StoreAway(Exception):  # noqa: N818  the field's word; the call has an event of this name
    """The store cannot be reached or will not serve now. Nothing is known about what was sent:
    it may have been carried out.

    Args:
        why: A short, fixed phrase for counting, such as ``"timeout"`` or ``"loading"``.
        detail: What the store said.
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
    """Lines before the ones given are not stored: append again, from line `expected_n`.

    Either the writer has left lines out, or the store has forgotten some: a server that came
    back without its data, or a replica that lagged when it took over.
    """

    def __init__(self, expected_n: int, got_n: int) -> None:
        super().__init__(
            f"expected line {expected_n}, got line {got_n}: append again from line {expected_n}"
        )
        self.expected_n = expected_n


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is stored of a call.

    Args:
        status: Where the call stands.
        ended_reason: Why it ended, or "" while it goes on.
        epoch: The newest ownership; 0 before the first. What another call left is written under 0.
        owner: The worker that took it last, or "".
        checkpoint: What the last owner saved; None before the first, or where another release
            wrote it in a format this one cannot read.
        lines: The transcript, in order; empty where a call says it is left out.
    """

    status: Status
    ended_reason: str
    epoch: int
    owner: str
    checkpoint: Checkpoint | None
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A call that is now ours.

    Args:
        epoch: Our ownership; higher than any before it.
        checkpoint: As in `CallRecord`.
        lines: The whole transcript so far, in order.
        listeners: How many workers were told. One that watches the call itself is among them.
    """

    epoch: int
    checkpoint: Checkpoint | None
    lines: tuple[Line, ...]
    listeners: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """A call that nobody has said to hold for longer than its lease: ours to see after.

    Args:
        call_sid: Which call.
        claimed_until_ms: Until then no other worker gets it. Redis' clock, Unix time.
    """

    call_sid: str
    claimed_until_ms: int


class Leases(Protocol):
    """Who holds which call, told between workers as it happens. One per worker.

    A message that is published while the connection is lost is lost; then the next fenced write
    says what the message would have said.
    """

    async def watch(
        self,
        call_sid: str,
        on_taken: Callable[[int], None],
        on_status: Callable[[str], None] | None = None,
    ) -> bool:
        """Have `on_taken(epoch)` called whenever any worker takes this call, ours included, and
        `on_status(status)` when one is told of its status by Twilio.

        A second watch of a call replaces the first. The functions must not raise: they run in the
        task that serves every call of the worker.

        Returns:
            True: it holds, nothing published from now on is missed. False: the store is away; it
            will hold once the store is back.
        """
        ...

    async def unwatch(self, call_sid: str) -> None:
        """Stop watching. A call that is not watched is no error."""
        ...

    def taken_epoch(self, call_sid: str) -> int:
        """The highest epoch a watched call was taken under since it is watched, as far as told."""
        ...

    async def wait_released(self, call_sid: str, epoch: int, timeout_ms: int = 300) -> bool:
        """Wait until a worker answers `taken <epoch>` with `released <epoch>`.

        The call must be watched, and that from before it was taken: else the answer can be
        faster than the question. May be cancelled.

        Returns:
            Whether the answer came in time; False for a call that is not watched.
        """
        ...


class Store(Protocol):
    """What outlives a worker. Every method but `aclose` may raise `StoreAway`.

    An owner's `epoch` is the one that `take` gave it. A write with a lower epoch than the
    record's is `Fenced`. One with a higher epoch is taken at its word: the store has forgotten
    that ownership, or was away when it began.
    """

    async def open_call(self, call_sid: str) -> CallRecord:
        """The record of a call, without lines; a new one, `ringing`, where there is none.

        May be repeated: it never changes a record that is there.
        """
        ...

    async def look_up(self, call_sid: str) -> CallRecord | None:
        """The record of a call with its lines and checkpoint as of one moment, or None."""
        ...

    async def take(self, call_sid: str, nonce: str, owner: str, token_ttl_s: int) -> Taken | None:
        """Redeem a one-time token for the ownership of a call.

        In one step: the nonce is used up, the epoch goes up by one, the call is in progress and
        `owner`'s, and all who watch it are told. After `StoreAway` the nonce may be used up.

        Args:
            call_sid: Which call.
            nonce: The token's unique part.
            owner: The name of this worker.
            token_ttl_s: How long the token could still be valid; its mark is kept that long.

        Returns:
            What the call's former owners left, or None: the nonce was used before, or the call
            is completed.
        """
        ...

    async def append(self, call_sid: str, lines: Sequence[Line], epoch: int) -> int:
        """Append lines, all or none, in one round trip. Lines that are there are left as they are.

        Args:
            call_sid: Which call.
            lines: Final lines, their numbers rising by one.
            epoch: The writer's ownership.

        Returns:
            The number of the last line stored, 0 where there is none.

        Raises:
            Fenced: Another worker has taken the call.
            Gap: Lines before these are not stored. Nothing was written.
            ValueError: The numbers of `lines` do not rise by one.
        """
        ...

    async def save_checkpoint(self, call_sid: str, checkpoint: Checkpoint, epoch: int) -> None:
        """Replace the checkpoint. Raises `Fenced`."""
        ...

    async def end_call(self, call_sid: str, epoch: int, reason: str) -> None:
        """The owner says that the call is over, and why. Lines may still follow.

        A reason that stands already is left as it is.

        Raises `Fenced`.
        """
        ...

    async def mark_completed(self, call_sid: str, reason: str) -> None:
        """Somebody else says that the call is over, as a status callback does.

        `reason` counts only where no `ended_reason` stands yet. The epoch stays, so that the
        owner can still write its last lines.
        """
        ...

    async def count_resume(self, call_sid: str) -> int:
        """Count one more resume; returns how many there were in this window of 60 s."""
        ...

    async def note_caller(self, caller: str, call_sid: str, ttl_s: int) -> str | None:
        """Remember a caller's newest call.

        Args:
            caller: Who calls: never a number, but something that only we can make of it.
            call_sid: The call.
            ttl_s: For how long.

        Returns:
            The CallSid of the one before, if there was one; it may be the same.
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
        """Say which calls this worker holds, and get some that nobody does. One round trip.

        Args:
            held: The calls that go on here; their leases are renewed.
            let_go: Calls that are over; nobody needs to see after them any more.
            lease_ms: How long a call stays held without being named again.
            claim_ms: How long an orphan is this worker's alone; None to be given none.

        Returns:
            Calls whose leases are over, each to one worker only, until `claim_ms` have passed.
        """
        ...

    async def is_orphan(self, orphan: Orphan) -> bool:
        """Whether it still is what `hold` returned: nobody has held it since."""
        ...

    async def settle(self, orphan: Orphan) -> None:
        """It was seen after, unless somebody has held it since: then that lease stays."""
        ...

    async def announce_released(self, call_sid: str, epoch: int) -> None:
        """Answer `taken <epoch>`: this worker has closed every session of the call it held."""
        ...

    async def announce_status(self, call_sid: str, status: str) -> int:
        """Tell all who watch the call what Twilio says of it; returns how many they are."""
        ...

    async def listeners(self, call_sid: str) -> int:
        """How many workers watch the call."""
        ...

    def leases(self) -> AbstractAsyncContextManager[Leases]:
        """Open this worker's lease connection, and keep it open for the length of the block."""
        ...

    async def ping(self) -> None:
        """Nothing, if the store answers."""
        ...

    async def aclose(self) -> None:
        """Close all connections. Leases must be closed before."""
        ...
