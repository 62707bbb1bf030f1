"""Which worker owns a call: the epoch under which this worker writes, and news of other owners.

A worker takes a call with the one-time token of a stream. Each time, the call's epoch rises. A
worker whose epoch is no longer the highest has lost the call, and the store refuses its writes.
Workers tell each other over the call's lease channel.

While the store is away, used tokens are kept in this process's memory. A call that is held here
goes on under its next epoch, which is the one that the store would have given. For a call that is
not held here, the store's epoch is unknown. It gets the time of day as its epoch, which is higher
than any count, so that the store accepts this worker's writes when it is back.
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import NamedTuple

from agent.store.base import NOT_KNOWN, Began, StoreAway, Taken
from agent.store.promises import Leases, Store
from telephony.server.admission import TOKEN_LIFE_S, wall_time_ms
from telephony.server.patience import patiently

REMEMBERED = 2_000
"""How many used tokens, resumes and ended calls this process remembers, for use while the store is
away. It is enough for the last minute, a token's life, at 30 calls a second.
"""

RESUME_WINDOW_S = 60


class Tells(NamedTuple):
    """What a stream tells of its call, by its parameters.

    Args:
        notice: Whether the caller was told before it that they are recorded. Else that has to stand
            in the checkpoint, or they are not recorded: the notice is said by the answer of one
            worker, and another one with another persona file may get the stream.
        began: How the call began, if the store was away then.
    """

    notice: bool = False
    began: Began = NOT_KNOWN


NOTHING_TOLD = Tells()


class Owned:
    """One call's ownership, as this worker knows it. Driver, writer and registry share it.

    Args:
        known_lines: How many transcript lines the call was opened with.

    Attributes:
        epoch: The highest epoch under which this worker took the call; 0 before its first stream.
        lost_to: The epoch under which another worker has taken the call; 0 while none has.
        first: How the call began, as its first stream here told; None before that. A later answer
            may tell another, as it was given while the store was away.
        began: The same, if the store has to be told of it once it is back.
    """

    def __init__(self, known_lines: int = 0) -> None:
        self.epoch = 0
        self.lost_to = 0
        self.first: Began | None = None
        self.began: Began | None = None
        self._known_lines = known_lines

    def took(self, epoch: int) -> None:
        """This worker took the call, under `epoch`."""
        self.epoch = max(self.epoch, epoch)

    def heard(self, began: Began, *, stored: bool) -> None:
        """A stream has told how the call began; `stored` if the store was told of it, too."""
        self.first = self.first or began
        self.began = None if stored else self.first

    def lost(self, epoch: int) -> None:
        """Another worker took the call, under `epoch`."""
        self.lost_to = epoch

    def lacks(self, taken: Taken, *, alone: bool) -> bool:
        """Whether another worker has stored data of this call that is not known here.

        Args:
            taken: The call's data from the store, as `take` returned it.
            alone: Whether no other `take` of this call by this worker is running.
        """
        if not self.epoch:
            return self._known_lines < len(taken.lines)
        return alone and taken.epoch > self.epoch + 1


class Ownership:
    """Takes calls for one worker, and learns when other workers take them.

    Args:
        store: The store, which redeems tokens.
        leases: The channel between workers.
        owner: This worker's name.
        on_taken: Called whenever a worker takes a watched call, except while this worker itself
            takes it.
        on_status: Called with a watched call's status that Twilio sent to another worker.
    """

    def __init__(
        self,
        store: Store,
        leases: Leases,
        owner: str,
        on_taken: Callable[[str, int], None],
        on_status: Callable[[str, str], None],
    ) -> None:
        self._store, self._leases, self._owner = store, leases, owner
        self._on_taken, self._on_status = on_taken, on_status
        self._watched: Counter[str] = Counter()
        self._taking: Counter[str] = Counter()
        self._used: OrderedDict[str, None] = OrderedDict()
        self._resumes: OrderedDict[str, deque[float]] = OrderedDict()

    @asynccontextmanager
    async def watching(self, call_sid: str) -> AsyncIterator[None]:
        """Watch the call until the block ends. Blocks may overlap."""
        self._watched[call_sid] += 1
        try:
            with suppress(StoreAway):  # the watch begins once the store is back
                told = (partial(self._told_taken, call_sid), partial(self._on_status, call_sid))
                await patiently(self._leases.watch(call_sid, *told))
            yield
        finally:
            self._watched[call_sid] -= 1
            if not self._watched[call_sid]:
                del self._watched[call_sid]
                await self._leases.unwatch(call_sid)

    @contextmanager
    def taking(self, call_sid: str) -> Iterator[None]:
        """Take the call, which must be watched. Messages that come in this block may be about this
        very `take`, so they are passed on when the block ends.
        """
        self._taking[call_sid] += 1
        try:
            yield
        finally:
            self._taking[call_sid] -= 1
            if not self._taking[call_sid]:
                del self._taking[call_sid]
        self._told_taken(call_sid, self._leases.taken_epoch(call_sid))

    async def redeem(
        self,
        call_sid: str,
        nonce: str,
        held: Owned | None,
        began: Began = NOT_KNOWN,
        *,
        over: bool,
    ) -> Taken | None:
        """Redeem a stream's token.

        Args:
            call_sid: Which call.
            nonce: The token's unique part.
            held: The ownership, if this worker already holds the call; otherwise None.
            began: How the call began, as the stream tells; what `held` knows goes before that.
            over: Whether the call is known to be over.

        Returns:
            The data of the call's former owners; None if the token was used before, or the call
            is over.
        """
        if held is not None and held.first is not None:
            began = held.first
        try:
            taking = self._store.take(call_sid, nonce, self._owner, TOKEN_LIFE_S, began)
            return await patiently(taking)
        except StoreAway:
            return None if over else self._redeem_here(f"{call_sid}/{nonce}", held)

    def lacks(self, call_sid: str, held: Owned, taken: Taken) -> bool:
        """Whether this worker's data of a call is older than the store's."""
        return held.lacks(taken, alone=self._taking[call_sid] == 1)

    async def wait_released(self, call_sid: str, taken: Taken) -> None:
        """Wait for at most 300 ms until the former owner has closed its model session. The model
        refuses a handle whose old connection is still open.
        """
        if taken.checkpoint is not None and taken.checkpoint.handle and taken.listeners > 1:
            await self._leases.wait_released(call_sid, taken.epoch)

    def count_resume(self, call_sid: str) -> int:
        """Like `Store.count_resume`, for use while the store is away."""
        now_s = time.monotonic()
        times = self._resumes.setdefault(call_sid, deque())
        times.append(now_s)
        while times[0] < now_s - RESUME_WINDOW_S:
            times.popleft()
        bound(self._resumes)
        return len(times)

    def _redeem_here(self, key: str, held: Owned | None) -> Taken | None:
        if key in self._used:
            return None
        self._used[key] = None
        bound(self._used)
        known = 0 if held is None else held.epoch
        epoch = known + 1 if known else wall_time_ms() // 1000
        return Taken(epoch=epoch, checkpoint=None, lines=(), listeners=0, stored=False)

    def _told_taken(self, call_sid: str, epoch: int) -> None:
        if not self._taking[call_sid]:
            self._on_taken(call_sid, epoch)


def bound[T](memory: OrderedDict[str, T]) -> None:
    """Remove the oldest entry if a memory has become too large."""
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
