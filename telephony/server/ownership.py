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

from agent.store.base import Leases, Store, StoreAway, Taken
from telephony.server.admission import TOKEN_LIFE_S, wall_time_ms
from telephony.server.patience import patiently

REMEMBERED = 2_000
"""Used tokens, resumes and ended calls that this process remembers, for while the store is away: of
the last minute, in which a token lives, at 30 calls a second.
"""

RESUME_WINDOW_S = 60


class Owned:
    """One call's ownership, as this worker knows it. Driver, writer and registry all read it here.

    Args:
        known_lines: How many transcript lines the call was opened with.

    Attributes:
        epoch: The highest ownership that this worker took; 0 before the first stream.
        lost_to: The epoch under which another worker has taken the call; 0 while none has.
    """

    def __init__(self, known_lines: int = 0) -> None:
        self.epoch = 0
        self.lost_to = 0
        self._known_lines = known_lines

    def took(self, epoch: int) -> None:
        """This worker took the call, under `epoch`."""
        self.epoch = max(self.epoch, epoch)

    def lost(self, epoch: int) -> None:
        """Another worker took the call, under `epoch`."""
        self.lost_to = epoch

    def lacks(self, taken: Taken, *, alone: bool) -> bool:
        """Whether another worker wrote of this call what is not known here.

        Args:
            taken: What the store says of the call, at its taking.
            alone: Whether this worker takes the call only once at present.
        """
        if not self.epoch:
            return self._known_lines < len(taken.lines)
        return alone and taken.epoch > self.epoch + 1


class Ownership:
    """The takings of one worker.

    Args:
        store: Where tokens are redeemed.
        leases: Where workers tell each other.
        owner: This worker's name.
        on_taken: Is told of every taking of a watched call by any worker, except while this worker
            takes the call itself.
        on_status: Is told what Twilio told another worker of a watched call.
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
        """Hear who takes the call, for as long as anybody here needs it."""
        self._watched[call_sid] += 1
        try:
            with suppress(StoreAway):  # it will hold once the store is back
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
        """This worker takes the call, which has to be watched; what is told meanwhile may be of
        this very taking, and is told on when it is over.
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
        self, call_sid: str, nonce: str, held: Owned | None, *, over: bool
    ) -> Taken | None:
        """Redeem a stream's token.

        Args:
            call_sid: Which call.
            nonce: The token's unique part.
            held: What this worker holds of the call already, or None.
            over: Whether the call is known to be over.

        Returns:
            What the call's former owners left; None when the token was used before, or the call
            is over.
        """
        try:
            return await patiently(self._store.take(call_sid, nonce, self._owner, TOKEN_LIFE_S))
        except StoreAway:
            return None if over else self._redeem_here(f"{call_sid}/{nonce}", held)

    def lacks(self, call_sid: str, held: Owned, taken: Taken) -> bool:
        """Whether what is held here of a call is older than what the store has."""
        return held.lacks(taken, alone=self._taking[call_sid] == 1)

    async def wait_released(self, call_sid: str, taken: Taken) -> None:
        """Wait until whoever held the call has closed its model session, for 300 ms at most: the
        model refuses a handle whose old connection is still open.
        """
        if taken.checkpoint is not None and taken.checkpoint.handle and taken.listeners > 1:
            await self._leases.wait_released(call_sid, taken.epoch)

    def count_resume(self, call_sid: str) -> int:
        """As `Store.count_resume`, for while the store is away."""
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
        return Taken(epoch=epoch, checkpoint=None, lines=(), listeners=0)

    def _told_taken(self, call_sid: str, epoch: int) -> None:
        if not self._taking[call_sid]:
            self._on_taken(call_sid, epoch)


def bound[T](memory: OrderedDict[str, T]) -> None:
    """Forget the oldest entry of a memory that has become too large."""
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
