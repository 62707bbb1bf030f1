"""The calls of this worker: opening, taking over, draining.

A call begins at the signed webhook, which dials the model, and is taken with the token of its
first stream, under a new epoch. Whoever holds a call without owning it any more is told over its
lease channel, lets its model session go and answers; a resumed session waits for that answer,
since the model refuses a handle whose old socket is still open.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Self

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.persona import Persona
from agent.conversation.transcript import Line
from agent.store.base import Leases, Store, StoreAway, Taken
from telephony.call.events import CallOpened, DrainRequested, OwnershipLost
from telephony.server.admission import TOKEN_LIFE_S, wall_time_ms
from telephony.server.driver import Driver, Model, Observer

STORE_PATIENCE_S = 1.0
"""How long a caller waits for the store before the call goes on without it."""

LAST_WORDS_S = 2.0
"""How long a stopping worker still tries to store what it has, beyond the drain's budget."""

REMEMBERED = 10_000
"""Ended calls and used tokens that this process remembers, for while the store is away."""

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
        owner: str,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.owner = owner
        self.draining = False
        self._model = model
        self._store = store
        self._leases = leases
        self._persona = persona
        self._observers = observers
        self._tasks = asyncio.TaskGroup()
        self._drivers: dict[str, Driver] = {}
        self._running: dict[Driver, asyncio.Task[None]] = {}
        self._announced: dict[str, int] = {}
        self._taking: set[str] = set()
        self._ended: OrderedDict[str, str] = OrderedDict()
        self._used: OrderedDict[str, None] = OrderedDict()
        self._none_left = asyncio.Event()
        self._none_left.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """The worker's life; all calls end within it."""
        async with self._tasks:
            yield self
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_S):
                    await self.drain(0)
            for driver, task in self._running.items():
                log.error("lines lost", call_sid=driver.call_sid, lines=driver.waiting_lines)
                task.cancel()

    def __len__(self) -> int:
        return sum(not driver.over for driver in self._drivers.values())

    def get(self, call_sid: str) -> Driver | None:
        """The call, if it is going on here."""
        driver = self._drivers.get(call_sid)
        return None if driver is None or driver.over else driver

    def ended_reason(self, call_sid: str) -> str | None:
        """Why a call ended, if it ended on this worker."""
        return self._ended.get(call_sid)

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
        )
        driver = Driver(opened, model=self._model, store=self._store, observers=self._observers)
        self._drivers[call_sid] = driver
        self._none_left.clear()
        task = self._tasks.create_task(self._live(driver), name=f"call {call_sid}")
        self._running[driver] = task
        return driver

    async def take(self, call_sid: str, nonce: str) -> tuple[Driver, int] | None:
        """Redeem a stream's token: the call is this worker's from now on.

        Returns:
            Its driver and the new epoch; None when the token was used before, or the call is over.
        """
        self._taking.add(call_sid)
        self._announced[call_sid] = 0
        try:
            try:
                taken = await self._redeem(call_sid, nonce)
            except (StoreAway, TimeoutError):
                taken = self._redeem_here(call_sid, nonce)
            if taken is None:
                return None
            driver = await self._driver_for(call_sid, taken)
        finally:
            self._taking.discard(call_sid)
            newest = self._announced.pop(call_sid)
        if newest > taken.epoch:
            driver.feed(OwnershipLost(newest))
        return driver, taken.epoch

    async def drain(self, budget_s: float) -> None:
        """Let the calls end or hand them over, within `budget_s`; returns when none is left."""
        self.draining = True
        for driver in list(self._drivers.values()):
            driver.feed(DrainRequested(int(budget_s * 1000)))
        await self._none_left.wait()

    async def _redeem(self, call_sid: str, nonce: str) -> Taken | None:
        async with asyncio.timeout(STORE_PATIENCE_S):
            await self._leases.watch(call_sid, partial(self._on_taken, call_sid))
            return await self._store.take(call_sid, nonce, self.owner, TOKEN_LIFE_S)

    def _redeem_here(self, call_sid: str, nonce: str) -> Taken | None:
        """As `Store.take`, for while the store is away: as well as one process can."""
        key = f"{call_sid}/{nonce}"
        if key in self._used or call_sid in self._ended:
            return None
        self._used[key] = None
        if len(self._used) > REMEMBERED:
            self._used.popitem(last=False)
        # Above whatever the store counted, so that it takes us at our word when it is back.
        return Taken(epoch=int(time.time()), checkpoint=None, lines=(), listeners=0)

    async def _driver_for(self, call_sid: str, taken: Taken) -> Driver:
        driver = self.get(call_sid)
        stale = driver is not None and not driver.epoch and driver.known_lines < len(taken.lines)
        if driver is not None and stale:
            # Opened while the store was away, without what another worker had left.
            driver.feed(OwnershipLost(taken.epoch))
            driver = None
        if driver is not None:
            return driver
        if taken.checkpoint is not None and taken.checkpoint.handle and taken.listeners > 1:
            await self._leases.wait_released(call_sid, taken.epoch)
        return self.open(call_sid, taken.checkpoint, taken.lines)

    def _on_taken(self, call_sid: str, epoch: int) -> None:
        if call_sid in self._taking:
            self._announced[call_sid] = max(self._announced[call_sid], epoch)
            return
        driver = self._drivers.get(call_sid)
        if driver is None or epoch <= driver.epoch:
            return
        if driver.over:  # handed over, and still writing
            self._tasks.create_task(driver.answer_taker(epoch))
        else:
            driver.feed(OwnershipLost(epoch))

    async def _live(self, driver: Driver) -> None:
        call_sid = driver.call_sid
        watching = self._tasks.create_task(self._watch(call_sid))
        try:
            ended = await driver.run()
            if ended.final:
                self._ended[call_sid] = ended.reason
                if len(self._ended) > REMEMBERED:
                    self._ended.popitem(last=False)
        except* Exception:  # a bug ends this one call, and no other
            log.exception("call failed", call_sid=call_sid, recent=driver.recent)
        finally:
            watching.cancel()
            del self._running[driver]
            if self._drivers.get(call_sid) is driver:
                del self._drivers[call_sid]
                await self._leases.unwatch(call_sid)
            if not self._running:
                self._none_left.set()

    async def _watch(self, call_sid: str) -> None:
        await self._leases.watch(call_sid, partial(self._on_taken, call_sid))
