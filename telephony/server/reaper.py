"""Renews the leases of the calls held here, and rescues calls that no worker holds any more.

Every worker does both, in one round trip a second. When a worker is lost, Twilio usually asks
another one, which has the call long before its lease ends. If not, one worker tells Twilio to ask
`/twilio/resume`, and the worker that answers continues the call.

A worker rescues no call until it has reached the store for the length of a lease: while the store
was away no lease was renewed, so every call would look lost.
"""

import asyncio
from collections.abc import Collection
from typing import Protocol

import structlog

from agent.store.base import StoreAway
from agent.store.held import Orphan
from agent.store.promises import Store
from telephony.call.ending import EndedReason
from telephony.server.calls import Calls
from telephony.server.patience import patiently
from telephony.server.twilio_rest import RestRefused
from telephony.twilio import urls

INTERVAL_S = 1.0
LEASE_MS = 4_000
CLAIM_MS = 25_000
"""How long an orphan is this worker's. All attempts to redirect a call take less."""

log = structlog.get_logger(__name__)


async def comes_back(store: Store, call_sid: str) -> None:
    """A call is on its way back to a worker, so nobody needs to rescue it for now.

    Raises:
        StoreAway: It can not be noted.
    """
    await store.held.hold([call_sid], [], lease_ms=LEASE_MS, claim_ms=None)


class Rest(Protocol):
    """The interface that redirects calls, such as `telephony.server.twilio_rest.TwilioRest`."""

    async def redirect(self, call_sid: str, url: str) -> bool:
        """Redirect a call to `url`; False if it is over. May raise `RestRefused`."""
        ...


class Reaper:
    """The reaper of one worker; `run` runs beside the calls.

    Args:
        calls: The calls of this worker.
        store: The store with all workers' leases.
        rest: Redirects calls.
        public_url: The address under which Twilio reaches us, to which lost calls are redirected.
    """

    def __init__(self, calls: Calls, store: Store, rest: Rest, public_url: str) -> None:
        self._calls, self._store, self._rest = calls, store, rest
        self._url = public_url
        self._held: set[str] = set()
        self._rounds = 0

    async def run(self) -> None:
        """Renew leases and rescue calls until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                for orphan in await self.round():
                    tasks.create_task(self.save(orphan), name=f"save {orphan.conversation_id}")
                await asyncio.sleep(INTERVAL_S)

    async def round(self) -> Collection[Orphan]:
        """Renew the leases. Returns the lost calls that this worker must rescue with `save`."""
        held = set(self._calls.held)
        # Some of the other calls have moved to another worker, which now has the lease.
        let_go = [each for each in self._held - held if self._calls.ended_reason(each) is not None]
        sure = self._rounds * INTERVAL_S * 1000 > LEASE_MS
        claim_ms = CLAIM_MS if sure else None
        try:
            orphans = await patiently(
                self._store.held.hold(held, let_go, lease_ms=LEASE_MS, claim_ms=claim_ms)
            )
        except StoreAway:
            self._rounds = 0
            self._held |= held
            return ()
        self._rounds += 1
        self._held = held
        return orphans

    async def save(self, orphan: Orphan) -> None:
        """Redirect a lost call, unless it is over, or a worker or somebody else has it."""
        try:
            await self._save(orphan)
        except StoreAway as away:  # this claim ends by itself, and another worker gets the call
            log.warning("call not seen after", call_sid=orphan.conversation_id, why=away.why)

    async def _save(self, orphan: Orphan) -> None:
        call_sid = orphan.conversation_id
        record = await patiently(self._store.look_up(call_sid))
        if record is not None and record.status != "completed" and not record.is_away:
            if not await patiently(self._store.held.is_orphan(orphan)):
                return
            back = urls.back(closed=record.hours == "closed")
            try:
                moved = await self._rest.redirect(call_sid, urls.callback_url(self._url, back))
            except RestRefused as refused:
                log.warning("lost call not redirected", call_sid=call_sid, why=refused.why)
            else:
                log.warning(
                    "lost call redirected" if moved else "lost call is over", call_sid=call_sid
                )
                if not moved:
                    await patiently(self._store.mark_completed(call_sid, EndedReason.CUT_OFF))
        await patiently(self._store.held.settle(orphan))
