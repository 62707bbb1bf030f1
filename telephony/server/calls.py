"""The calls of this worker: opening, taking over, draining.

A call begins at the signed webhook, which dials the model, and is taken with the token of its
first stream, under a new epoch. Whoever holds a call without owning it any more is told over its
lease channel, lets its model session go and answers; a resumed session waits for that answer,
since the model refuses a handle whose old socket is still open.

The worker's TaskGroup holds one task a call, which ends with it and never raises.
"""

import asyncio
import secrets
import time
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Self

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.persona import Persona
from agent.conversation.transcript import Line
from agent.store.base import Leases, Store, StoreAway, Taken
from telephony.call.ending import EndedReason
from telephony.call.events import CallOpened, CallStatus, DrainRequested, OwnershipLost
from telephony.server.admission import TOKEN_LIFE_S, wall_time_ms
from telephony.server.driver import Driver, Model, Observer
from telephony.server.patience import patiently
from telephony.server.store_writer import StoreWriter

REMEMBERED = 2_000
"""Ended calls, used tokens and resumes that this process remembers, for while the store is away: of
the last minute, in which a token lives, at 30 calls a second.
"""

RESUME_WINDOW_S = 60

LAST_WORDS_S = 2.0
"""How long a stopping worker still tries to store what it has, beyond the drain's budget."""

STORE_WRITERS = 16
"""Calls that write to the store at once: half its connections, so that webhooks find one."""

log = structlog.get_logger(__name__)


class Calls:
    """The drivers of this worker, by CallSid. Open it with `running`."""

    def __init__(
        self,
        *,
        model: Model,
        store: Store,
        leases: Leases,
        persona: Persona,
        has_fallback: bool = False,
        owner: str,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.owner = owner
        self.broken = False
        self._model = model
        self._store = store
        self._leases = leases
        self._persona = persona
        self._has_fallback = has_fallback
        self._observers = observers
        self._writers = asyncio.Semaphore(STORE_WRITERS)
        self._tasks = asyncio.TaskGroup()
        self._drivers: dict[str, Driver] = {}
        self._running: dict[Driver, asyncio.Task[None]] = {}
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._watched: Counter[str] = Counter()
        self._taking: Counter[str] = Counter()
        self._ended: OrderedDict[str, EndedReason] = OrderedDict()
        self._used: OrderedDict[str, None] = OrderedDict()
        self._resumes: OrderedDict[str, deque[float]] = OrderedDict()
        self._drained_by_s: float | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """The worker's life; all calls end within it."""
        try:
            async with self._tasks:
                yield self
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS_S):
                        await self.drain(0)
                for driver, task in self._running.items():
                    if driver.waiting_lines:
                        log.error(
                            "lines lost", call_sid=driver.call_sid, lines=driver.waiting_lines
                        )
                    task.cancel()
        finally:
            self.broken = True

    def __len__(self) -> int:
        return sum(not driver.over for driver in self._drivers.values())

    @property
    def waiting_for_store(self) -> int:
        """How many calls, also ones that are over, have something to store and cannot."""
        return sum(driver.waits_for_store for driver in self._running)

    @property
    def held(self) -> list[str]:
        """The calls that go on here."""
        return [call_sid for call_sid, driver in self._drivers.items() if not driver.over]

    @property
    def draining(self) -> bool:
        """Whether this worker is to stop."""
        return self._drained_by_s is not None

    def get(self, call_sid: str) -> Driver | None:
        """The call, if it is going on here."""
        driver = self._drivers.get(call_sid)
        return None if driver is None or driver.over else driver

    def ended_reason(self, call_sid: str) -> EndedReason | None:
        """Why a call is over, if it ended on this worker."""
        driver = self._drivers.get(call_sid)
        if driver is not None and driver.ended is not None and driver.ended.final:
            return driver.ended.reason
        return self._ended.get(call_sid)

    def count_resume(self, call_sid: str) -> int:
        """As `Store.count_resume`, for while the store is away."""
        now_s = time.monotonic()
        times = self._resumes.setdefault(call_sid, deque())
        times.append(now_s)
        while times[0] < now_s - RESUME_WINDOW_S:
            times.popleft()
        _bound(self._resumes)
        return len(times)

    def open(
        self, call_sid: str, checkpoint: Checkpoint | None = None, lines: tuple[Line, ...] = ()
    ) -> Driver:
        """Begin a call here, or go on with one from what its last worker left: dials the model.

        Returns the one that is going on where there is one.
        """
        if (driver := self.get(call_sid)) is not None:
            return driver
        opened = CallOpened(
            call_sid=call_sid,
            seed=secrets.randbits(32),
            wall_time_ms=wall_time_ms(),
            persona=self._persona,
            checkpoint=checkpoint,
            lines=lines,
            has_fallback=self._has_fallback,
        )
        driver = Driver(
            opened,
            model=self._model,
            writer=StoreWriter(self._store, call_sid, self._writers, lines),
            store=self._store,
            observers=self._observers,
        )
        self._drivers[call_sid] = driver
        self._none_left.clear()
        task = self._tasks.create_task(self._live(driver), name=f"call {call_sid}")
        self._running[driver] = task
        return driver

    async def take(self, call_sid: str, nonce: str) -> Driver | None:
        """Redeem a stream's token: the call is this worker's from now on.

        Returns:
            Its driver; None when the token was used before, or the call is over.
        """
        async with self._watching(call_sid):
            self._taking[call_sid] += 1
            try:
                try:
                    taken = await patiently(
                        self._store.take(call_sid, nonce, self.owner, TOKEN_LIFE_S)
                    )
                except StoreAway:
                    taken = self._redeem_here(call_sid, nonce)
                if taken is None:
                    return None
                driver = await self._driver_for(call_sid, taken)
                driver.own(taken.epoch)
            finally:
                self._taking[call_sid] -= 1
                if not self._taking[call_sid]:
                    del self._taking[call_sid]
            self._on_taken(call_sid, self._leases.taken_epoch(call_sid))
            if self._drained_by_s is not None:
                driver.feed(DrainRequested(self._drain_left_ms(self._drained_by_s)))
            return driver

    async def drain(self, budget_s: float) -> None:
        """Let the calls end or hand them over, within `budget_s`; returns when none is left."""
        self._drained_by_s = time.monotonic() + budget_s
        for driver in list(self._drivers.values()):
            driver.feed(DrainRequested(self._drain_left_ms(self._drained_by_s)))
        await self._none_left.wait()

    def _drain_left_ms(self, drained_by_s: float) -> int:
        return max(0, int((drained_by_s - time.monotonic()) * 1000))

    def _redeem_here(self, call_sid: str, nonce: str) -> Taken | None:
        """As `Store.take`, for while the store is away: as well as one process can."""
        key = f"{call_sid}/{nonce}"
        if key in self._used or self.ended_reason(call_sid) is not None:
            return None
        self._used[key] = None
        _bound(self._used)
        # Above whatever the store counted, so that it takes us at our word when it is back.
        return Taken(epoch=wall_time_ms() // 1000, checkpoint=None, lines=(), listeners=0)

    async def _driver_for(self, call_sid: str, taken: Taken) -> Driver:
        driver = self.get(call_sid)
        if driver is not None and not self._stale(driver, taken):
            return driver
        if driver is not None:
            driver.feed(OwnershipLost(taken.epoch))
        if taken.checkpoint is not None and taken.checkpoint.handle and taken.listeners > 1:
            await self._leases.wait_released(call_sid, taken.epoch)
        driver = self.open(call_sid, taken.checkpoint, taken.lines)
        await driver.begun.wait()
        return driver

    def _stale(self, driver: Driver, taken: Taken) -> bool:
        """Whether another worker wrote of this call what the driver here does not know."""
        if not driver.epoch:
            return driver.known_lines < len(taken.lines)
        return self._taking[driver.call_sid] == 1 and taken.epoch > driver.epoch + 1

    def _on_taken(self, call_sid: str, epoch: int) -> None:
        if self._taking[call_sid]:
            return  # perhaps by us: looked at when that is known
        driver = self._drivers.get(call_sid)
        if driver is None or epoch <= driver.epoch:
            return
        if driver.over:
            driver.answer_taker(epoch)  # handed over, and still writing
        else:
            driver.feed(OwnershipLost(epoch))

    def _on_status(self, call_sid: str, call_status: str) -> None:
        if (driver := self.get(call_sid)) is not None:
            driver.feed(CallStatus(call_status))

    async def _live(self, driver: Driver) -> None:
        call_sid = driver.call_sid
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch_until_over(call_sid))
                ended = await driver.run()
                watching.cancel()
            if ended.final:
                self._ended[call_sid] = ended.reason
                _bound(self._ended)
        except* Exception:  # a bug ends this one call, and no other
            log.exception("call failed", call_sid=call_sid, recent=driver.recent)
        finally:
            del self._running[driver]
            if self._drivers.get(call_sid) is driver:
                del self._drivers[call_sid]
            if not self._running:
                self._none_left.set()

    async def _watch_until_over(self, call_sid: str) -> None:
        async with self._watching(call_sid):
            await asyncio.get_running_loop().create_future()

    @asynccontextmanager
    async def _watching(self, call_sid: str) -> AsyncIterator[None]:
        """Hear who takes the call, for as long as anybody here needs it."""
        self._watched[call_sid] += 1
        try:
            with suppress(StoreAway):  # it will hold once the store is back
                told = (partial(self._on_taken, call_sid), partial(self._on_status, call_sid))
                await patiently(self._leases.watch(call_sid, *told))
            yield
        finally:
            self._watched[call_sid] -= 1
            if not self._watched[call_sid]:
                del self._watched[call_sid]
                await self._leases.unwatch(call_sid)


def _bound[T](memory: OrderedDict[str, T]) -> None:
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
