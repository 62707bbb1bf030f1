"""What a store promises, and the leases by which workers tell each other who holds a call.

The records that it returns, and its errors, are in `agent.store.base`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.next_step import Asked, NextStep
from agent.conversation.transcript import Line
from agent.store.base import NOT_KNOWN, Began, CallRecord, Direction, HoursAre, Measured, Taken
from agent.store.held import Held


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

    @property
    def held(self) -> Held:
        """Which calls no worker holds any more."""
        ...

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

    async def note_beginning(self, conversation_id: str, began: Began) -> None:
        """Store how a call began, in a record that does not name an agent yet. May be repeated."""
        ...

    async def take(
        self,
        conversation_id: str,
        nonce: str,
        owner: str,
        token_ttl_s: int,
        began: Began = NOT_KNOWN,
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
            began: How the call began, as for `note_beginning`.

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
        self,
        conversation_id: str,
        checkpoint: Checkpoint,
        epoch: int,
        cost: int | None = None,
        measured: Measured | None = None,
    ) -> int:
        """Replace the checkpoint, and what the record says of the call's cost and of what was
        measured of it. Raises `Fenced`.

        A next step in the checkpoint that is newer than the stored one is stored with it, as
        intended. A checkpoint without the stored one withdraws it, if it is only intended.

        Args:
            conversation_id: Which call.
            checkpoint: The checkpoint.
            epoch: The writer's ownership.
            cost: What the call has cost, in nano-dollars; None if that is not known.
            measured: What this worker has measured of the call; None to leave what is stored.

        Returns:
            What it has cost besides (`agent.store.besides`), in nano-dollars.
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

    async def note_verdict(self, conversation_id: str, reason: str) -> None:
        """Store for which reason a call is to end, unless whoever holds it knows better; "" once
        they do. May be repeated.
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
