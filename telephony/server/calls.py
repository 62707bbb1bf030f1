"""The calls of this worker: a registry of their drivers, its capacity, and how they are drained.

A call begins at the signed webhook, which dials the model. The token of its first stream takes the
call for this worker (see `ownership`). If another worker takes a call that is held here, it ends
here, and this worker answers once its model session is closed.

The worker's TaskGroup holds one task for each call. The task ends with the call and never raises.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Self

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.consent import going_on
from agent.conversation.meter import NANO, Tariffs
from agent.conversation.persona import Persona
from agent.conversation.transcript import Line
from agent.privacy.masking import NO_MASK, Mask
from agent.store.base import StoreAway, Taken
from agent.store.promises import Leases, Store
from agent.tools.toolbox import NO_TOOLS, Toolbox
from telephony.call.ending import FOR_A_MACHINE, EndedReason
from telephony.call.events import (
    CallOpened,
    CallStatus,
    DrainRequested,
    EndRequested,
    OwnershipLost,
)
from telephony.call.screening import is_screened, stored_words
from telephony.server.admission import wall_time_ms
from telephony.server.driver import Driver, Model
from telephony.server.measuring import Measuring, as_stored
from telephony.server.observers import Observer, Observers
from telephony.server.ownership import NOTHING_TOLD, Owned, Ownership, Tells, bound
from telephony.server.patience import patiently
from telephony.server.purse import Purse
from telephony.server.store_writer import StoreWriter

LAST_WORDS_S = 2.0
"""How long a stopping worker still tries to write to the store, beyond the drain's budget."""

STORE_WRITERS = 16
"""How many calls write to the store at once: half its connections, so that webhooks get one."""

ASKED_FOR = FOR_A_MACHINE | {EndedReason.PUT_THROUGH}
"""How another worker asks for the end of a call here, in place of one of Twilio's statuses: it has
had the caller put through, or was told that a machine has answered.
"""

log = structlog.get_logger(__name__)


class Calls:
    """The drivers of this worker, by CallSid. Enter `running` before anything else."""

    def __init__(
        self,
        *,
        model: Model,
        store: Store,
        leases: Leases,
        has_fallback: bool = False,
        think_ms: int = 0,
        toolbox_of: Callable[[Persona, str], Toolbox] = lambda *_: NO_TOOLS,
        mask_of: Callable[[Persona], Mask] = lambda _: NO_MASK,
        owner: str,
        measuring: Measuring | None = None,
        observers: Sequence[Observer] = (),
        observer_failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.broken = False
        self._model = model
        self._store = store
        self._ownership = Ownership(store, leases, owner, self._on_taken, self._on_status)
        self._has_fallback = has_fallback
        self._think_ms = think_ms
        self._toolbox_of, self._mask_of = toolbox_of, mask_of
        self._measuring = measuring or Measuring()
        self._observers = observers
        self._observer_failed = observer_failed
        self._writers = asyncio.Semaphore(STORE_WRITERS)
        self._tasks = asyncio.TaskGroup()
        self._drivers: dict[str, Driver] = {}
        self._running: dict[Driver, asyncio.Task[None]] = {}
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._ended: OrderedDict[str, EndedReason] = OrderedDict()
        self._drained_by_s: float | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """The life of the worker; all calls end before it ends."""
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
        """How many calls, running or over, wait because the store is away."""
        return sum(driver.waits_for_store for driver in self._running)

    @property
    def held(self) -> list[str]:
        """The calls that run on this worker."""
        return [call_sid for call_sid, driver in self._drivers.items() if not driver.over]

    @property
    def draining(self) -> bool:
        """Whether this worker is stopping."""
        return self._drained_by_s is not None

    def get(self, call_sid: str) -> Driver | None:
        """The driver of a call, if it runs on this worker."""
        driver = self._drivers.get(call_sid)
        return None if driver is None or driver.over else driver

    def ended_reason(self, call_sid: str) -> EndedReason | None:
        """Why a call is over, if it ended on this worker."""
        driver = self._drivers.get(call_sid)
        if driver is not None and driver.ended is not None and driver.ended.final:
            return driver.ended.reason
        return self._ended.get(call_sid)

    def reopen(self, call_sid: str) -> None:
        """The call goes on after all: forget that it ended here."""
        self._ended.pop(call_sid, None)
        driver = self._drivers.get(call_sid)
        if driver is not None and driver.over:
            del self._drivers[call_sid]

    def count_resume(self, call_sid: str) -> int:
        """Like `Store.count_resume`, for use while the store is away."""
        return self._ownership.count_resume(call_sid)

    def open(
        self,
        call_sid: str,
        persona: Persona,
        tariffs: Tariffs,
        checkpoint: Checkpoint | None = None,
        lines: tuple[Line, ...] = (),
        purse: Purse | None = None,
    ) -> Driver:
        """Begin a call here, or continue one from its stored data. This dials the model.

        If the call already runs here, return its driver.
        """
        if (driver := self.get(call_sid)) is not None:
            return driver
        opened = CallOpened(
            call_sid=call_sid,
            seed=secrets.randbits(32),
            wall_time_ms=wall_time_ms(),
            persona=persona,
            tariff=tariffs.wanted,
            fallback_tariff=tariffs.fallback,
            checkpoint=checkpoint,
            lines=lines,
            has_fallback=self._has_fallback,
            think_ms=self._think_ms,
        )
        owned = Owned(len(lines))
        mask, measures = self._mask_of(persona), self._measuring.begin(call_sid)
        writer = StoreWriter(
            self._store,
            call_sid,
            self._writers,
            owned,
            lines,
            purse,
            mask,
            most=round(persona.usd * NANO),
            measured=partial(as_stored, measures),
        )
        driver = Driver(
            opened,
            owned=owned,
            model=self._model,
            writer=writer,
            store=self._store,
            observers=Observers(call_sid, self._observers, self._observer_failed),
            toolbox=self._toolbox_of(persona, call_sid),
        )
        self._drivers[call_sid] = driver
        self._none_left.clear()
        task = self._tasks.create_task(self._live(driver), name=f"call {call_sid}")
        task.add_done_callback(lambda _: self._measuring.end(call_sid, measures))
        self._running[driver] = task
        return driver

    async def take(
        self,
        call_sid: str,
        nonce: str,
        persona: Persona,
        tariffs: Tariffs,
        purse_of: Callable[[Taken], Purse | None] = lambda _: None,
        tells: Tells = NOTHING_TOLD,
    ) -> Driver | None:
        """Redeem a stream's token. From then on the call belongs to this worker.

        Args:
            call_sid: Which call.
            nonce: The token's unique part.
            persona: Who answers, if the call does not run here yet.
            tariffs: What the call costs, likewise.
            purse_of: Makes its purse, likewise.
            tells: What the stream tells of the call.

        Returns:
            The call's driver; None if the token was used before, or the call is over.
        """
        async with self._ownership.watching(call_sid):
            with self._ownership.taking(call_sid):
                held, over = self.get(call_sid), self.ended_reason(call_sid) is not None
                owned = None if held is None else held.owned
                taken = await self._ownership.redeem(call_sid, nonce, owned, tells.began, over=over)
                if taken is None:
                    return None
                if not (told := tells.notice):
                    persona = going_on(persona, taken.checkpoint)
                known = (persona, tariffs, purse_of)
                driver = await self._driver_for(call_sid, taken, *known, told=told)
                driver.owned.took(taken.epoch)
                driver.owned.heard(tells.began, stored=taken.stored)
            if self._drained_by_s is not None:
                driver.feed(DrainRequested(self._drain_left_ms(self._drained_by_s)))
            if taken.verdict:  # its last owner was told of it, and has not acted
                self._judge_taken(call_sid, taken)
            return driver

    async def drain(self, budget_s: float) -> None:
        """Let the calls end or hand them over, within `budget_s`. Returns when no call is left."""
        self._drained_by_s = time.monotonic() + budget_s
        for driver in list(self._drivers.values()):
            driver.feed(DrainRequested(self._drain_left_ms(self._drained_by_s)))
        await self._none_left.wait()

    def _drain_left_ms(self, drained_by_s: float) -> int:
        return max(0, int((drained_by_s - time.monotonic()) * 1000))

    async def _driver_for(
        self,
        call_sid: str,
        taken: Taken,
        persona: Persona,
        tariffs: Tariffs,
        purse_of: Callable[[Taken], Purse | None],
        *,
        told: bool,
    ) -> Driver:
        driver = self.get(call_sid)
        if driver is not None:
            lacks = self._ownership.lacks(call_sid, driver.owned, taken)
            if not lacks and (told or not driver.needs_notice):
                return driver
            driver.feed(OwnershipLost(taken.epoch))
        await self._ownership.wait_released(call_sid, taken)
        known = (taken.checkpoint, taken.lines, purse_of(taken))
        driver = self.open(call_sid, persona, tariffs, *known)
        await driver.begun.wait()
        return driver

    def _on_taken(self, call_sid: str, epoch: int) -> None:
        driver = self._drivers.get(call_sid)
        if driver is None or epoch <= driver.owned.epoch:
            return
        if driver.over:
            driver.answer_taker(epoch)  # handed over, but still writing to the store
        else:
            driver.feed(OwnershipLost(epoch))

    def judge(self, call_sid: str, verdict: str) -> None:
        """End a call that is held here for the reason `verdict`. If it goes on all the same, the
        store forgets the verdict.
        """
        if (driver := self.get(call_sid)) is None:
            return
        driver.feed(EndRequested(EndedReason(verdict)))
        if not driver.over and verdict in FOR_A_MACHINE:
            self._tasks.create_task(self._forget_verdict(call_sid))

    def _judge_taken(self, call_sid: str, taken: Taken) -> None:
        if is_screened(stored_words(taken.lines, taken.checkpoint)):
            self._tasks.create_task(self._forget_verdict(call_sid))
        else:
            self.judge(call_sid, taken.verdict)

    def _on_status(self, call_sid: str, call_status: str) -> None:
        if call_status in ASKED_FOR:
            self.judge(call_sid, call_status)
        elif (driver := self.get(call_sid)) is not None:
            driver.feed(CallStatus(call_status))

    async def _forget_verdict(self, call_sid: str) -> None:
        with suppress(StoreAway):  # whoever comes to hold the call hears the same words
            await patiently(self._store.note_verdict(call_sid, ""))

    async def _live(self, driver: Driver) -> None:
        call_sid = driver.call_sid
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(self._watch_until_over(call_sid))
                ended = await driver.run()
                watching.cancel()
            if ended.final and self._drivers.get(call_sid) is driver:
                self._ended[call_sid] = ended.reason
                bound(self._ended)
        except* Exception:  # a bug ends this one call, and no other
            log.exception("call failed", call_sid=call_sid, recent=driver.recent)
        finally:
            del self._running[driver]
            if self._drivers.get(call_sid) is driver:
                del self._drivers[call_sid]
            if not self._running:
                self._none_left.set()

    async def _watch_until_over(self, call_sid: str) -> None:
        async with self._ownership.watching(call_sid):
            await asyncio.get_running_loop().create_future()
