"""Writes one call's data to the store, and keeps the data while the store is away.

The store is never on the audio path: `put` returns at once, and one task of the call writes.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import AppendLine, SaveCheckpoint, StoreCommand
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.tool_events import ActsStored
from agent.conversation.transcript import UNWRITTEN, Line
from agent.privacy.masking import NO_MASK, Mask
from agent.store.base import Fenced, Gap, Measured, StoreAway
from agent.store.promises import Store
from telephony.call.ending import EndedReason
from telephony.call.events import LinesStored, OwnershipLost, StoreBack
from telephony.call.events import StoreAway as StoreWentAway
from telephony.server.ownership import Owned
from telephony.server.purse import Purse

WAITING_LIMIT_BYTES = 256 * 1024
"""How much text of one call may wait: hours of talk. A line beyond it waits without its words."""

FIRST_RETRY_S = 0.1
MAX_RETRY_S = 1.0

log = structlog.get_logger(__name__)

type StoreEvent = ActsStored | BudgetSpent | LinesStored | StoreWentAway | StoreBack | OwnershipLost


class StoreWriter:
    """The queue and the one task that write one call's data to the store.

    Lines wait in order until they are stored. Of checkpoints only the newest waits. The end of the
    call is written last. Stored lines are remembered too: if the store comes back without its data,
    it gets them again. The `purse`, if there is one, books what the call costs. `turn` limits how
    many calls write at once. What the `mask` masks is not stored. With each checkpoint goes what is
    `measured` of the call by then. The call may cost `most` nano-dollars, with what it costs
    besides; 0 for no limit. `run` ends when `finish` was called and everything is written, or when
    another worker has taken the call.
    """

    def __init__(
        self,
        store: Store,
        call_sid: str,
        turn: asyncio.Semaphore,
        owned: Owned,
        stored: Sequence[Line] = (),
        purse: Purse | None = None,
        mask: Mask = NO_MASK,
        most: int = 0,
        measured: Callable[[], str] = lambda: "",
    ) -> None:
        self._store = store
        self._call_sid = call_sid
        self._turn = turn
        self._owned = owned
        self._lines: list[Line] = []
        self._written = list(stored)
        self._purse, self._mask, self._most = purse, mask, most
        self._measured, self._measured_since = measured, 0
        self._checkpoint: Checkpoint | None = None
        self._cost: int | None = None
        self._ended_reason: EndedReason | None = None
        self._finished = False
        self._acts = 0
        self.away_for = ""
        self._work = asyncio.Event()

    @property
    def waiting_lines(self) -> int:
        """How many lines are not stored yet."""
        return len(self._lines)

    def put(self, command: StoreCommand) -> None:
        """Queue a line or a checkpoint; never blocks."""
        match command:
            case AppendLine():
                self._lines.append(self._fitting(self._mask.line(command.line)))
            case SaveCheckpoint():
                self._cost = command.cost
                self._checkpoint = self._mask.checkpoint(command.checkpoint)
                if self._purse is not None:
                    self._purse.note(command)
        self._work.set()

    def _fitting(self, line: Line) -> Line:
        """The line, or without its words if too much waits: the store needs every line number."""
        if sum(map(_size_bytes, [*self._lines, line])) <= WAITING_LIMIT_BYTES:
            return line
        log.error("words lost: too much waits for the store", call_sid=self._call_sid, line=line.n)
        return replace(line, text=UNWRITTEN, heard=UNWRITTEN)

    def finish(self, ended_reason: EndedReason | None, cost: int | None = None) -> None:
        """No more data will come. Give `ended_reason` if the call is over, None if it goes on.

        Args:
            ended_reason: Why it is over.
            cost: What it has cost then, in nano-dollars; None if that is not known.
        """
        self._ended_reason = ended_reason
        if ended_reason is not None and self._purse is not None:
            self._purse.close(cost)
        self._finished = True
        self._work.set()

    async def run(self, feed: Callable[[StoreEvent], None]) -> None:
        """Write the queued data, and repeat that until it is stored."""
        retry_s = FIRST_RETRY_S
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                async with self._turn:
                    await self._write(feed)
                    if self._purse is not None and (spent := await self._purse.book()):
                        feed(spent)
            except StoreAway as away:
                if self.away_for != away.why:
                    self.away_for = away.why
                    feed(StoreWentAway(away.why))
                if self._purse is not None and (spent := self._purse.book_here()):
                    feed(spent)
                await asyncio.sleep(retry_s)
                retry_s = min(MAX_RETRY_S, 2 * retry_s)
                self._work.set()
                continue
            except Fenced as fenced:
                feed(OwnershipLost(fenced.epoch))
                return
            retry_s = FIRST_RETRY_S
            if self.away_for:
                self.away_for = ""
                feed(StoreBack())
            if self._finished and not self._lines and self._checkpoint is None:
                return

    async def _write(self, feed: Callable[[StoreEvent], None]) -> None:
        if not self._owned.epoch:  # the call was never taken, so only its end can be stored
            if self._ended_reason is not None:
                await self._store.mark_completed(self._call_sid, self._ended_reason)
            return
        if (began := self._owned.began) is not None:
            await self._store.note_beginning(self._call_sid, began)
            self._owned.began = None
        while self._lines:
            batch = list(self._lines)
            try:
                await self._store.append(self._call_sid, batch, self._owned.epoch)
            except Gap as gap:
                known = [line for line in self._written + batch if line.n >= gap.expected_n]
                if known[:1] == batch[:1]:
                    raise  # the missing lines were never known here: a bug of ours
                self._written, self._lines = [], known + self._lines[len(batch) :]
                continue
            del self._lines[: len(batch)]
            self._written += batch
            feed(LinesStored(batch[-1].n))
        self._measured_since = self._measured_since or self._owned.epoch
        while (checkpoint := self._checkpoint) is not None:
            cost = self._cost
            besides = await self._store.save_checkpoint(
                self._call_sid,
                checkpoint,
                self._owned.epoch,
                cost=cost,
                measured=Measured(self._measured_since, self._measured()),
            )
            if besides and 0 < self._most <= besides + (cost or 0):
                self._most = 0
                feed(BudgetSpent("call"))
            if checkpoint.acts > self._acts:
                self._acts = checkpoint.acts
                feed(ActsStored(checkpoint.acts))
            if self._checkpoint is checkpoint:
                self._checkpoint = None
        if self._ended_reason is not None:
            await self._store.end_call(self._call_sid, self._owned.epoch, self._ended_reason)
            self._ended_reason = None


def _size_bytes(line: Line) -> int:
    return len(line.text.encode(errors="replace")) + len(line.heard.encode(errors="replace"))
