"""Looks after callers who wait for somebody, whatever becomes of the worker that did it before.

Each caller who waits is in the store, with the time at which somebody has to look after them. Every
worker asks once a second whose time has come, and one of them gets each: it sees how far the leg
is, and ends the transfer, or does what was left to do after its end.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog

from agent.conversation.next_step import JOINS, REACHED, Leg, Move, NextStep, Stage, ends
from agent.store.base import StoreAway
from agent.store.legs import Legs
from agent.store.promises import Store
from telephony.server.patience import patiently
from telephony.server.reaper import comes_back
from telephony.server.twilio_rest import RestRefused
from telephony.twilio import urls
from telephony.twilio.conference import OfStep

AGAIN_MS = 5_000
"""After what time something is tried again that Twilio refused."""

INTERVAL_S = 1.0
CLAIM_MS = 25_000
"""How long a caller is this worker's to look after; all requests to Twilio take less."""

CALLER_LEFT, TALKED = "caller-left", "completed"

ACCEPTED = frozenset({Leg.ACCEPTED, Leg.JOINED})

log = structlog.get_logger(__name__)


class Rest(Protocol):
    """What is asked of running calls, such as `telephony.server.twilio_rest.TwilioRest`."""

    async def redirect(self, call_sid: str, url: str) -> bool:
        """Redirect a call to `url`; False if it is over. May raise `RestRefused`."""
        ...

    async def hang_up(self, call_sid: str) -> bool:
        """End a call; False if it is over. May raise `RestRefused`."""
        ...

    async def goes_on(self, call_sid: str) -> bool:
        """Whether a call is in progress. May raise `RestRefused`."""
        ...


class OnHold:
    """The callers who wait; `run` runs beside the calls.

    Args:
        public_url: The address under which Twilio reaches us.
        store: The store with the calls.
        legs: The legs in it.
        rest: Redirects and ends calls; None if the account is not known.
        draining: Whether this worker begins nothing any more.
    """

    def __init__(
        self,
        public_url: str,
        store: Store,
        legs: Legs,
        rest: Rest | None,
        draining: Callable[[], bool],
    ) -> None:
        self._url, self._store, self._legs = public_url, store, legs
        self._rest, self._draining = rest, draining

    async def run(self) -> None:
        """Look after callers who wait, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(INTERVAL_S)
                for call_sid in await self.round():
                    tasks.create_task(self.look_after(call_sid), name=f"hold {call_sid}")

    async def round(self) -> tuple[str, ...]:
        """The calls that this worker has to look after now."""
        if self._draining() or self._rest is None:
            return ()
        try:
            return tuple(await patiently(self._legs.overdue(CLAIM_MS)))
        except StoreAway:
            return ()

    async def look_after(self, call_sid: str) -> None:
        """See how a call goes on whose time is over: nobody may wait for ever."""
        try:
            await self._look_after(call_sid)
        except (StoreAway, RestRefused) as away:  # the claim ends, and somebody looks again
            log.warning("caller not looked after", call_sid=call_sid, why=away.why)

    async def _look_after(self, call_sid: str) -> None:
        record = await patiently(self._store.look_up(call_sid))
        step = None if record is None else record.next_step
        if record is None or step is None or step.leg is Leg.NONE:
            await patiently(self._legs.unwatch(call_sid))
            return
        if step.stage is Stage.RUNNING and step.leg in ACCEPTED:
            if self._rest and await self._rest.goes_on(step.leg_id):
                await self.joins(OfStep(call_sid, step.n), step.leg_id)
                await patiently(self._legs.unwatch(call_sid))
                return
            step, _ = await self._move(call_sid, step.n, ends("failed", ACCEPTED))
        elif step.stage is Stage.RUNNING:
            why = "not-taken" if step.leg is Leg.BRIEFED else "failed"
            why = "no-answer" if step.leg is Leg.RINGING else why
            log.warning("caller has waited too long", call_sid=call_sid, leg=step.leg)
            step, _ = await self._move(call_sid, step.n, ends(why))
        if step is not None:
            await self.wind_up(call_sid, step, call_over=record.status == "completed")

    async def wind_up(
        self, call_sid: str, step: NextStep, *, leg_over: bool = False, call_over: bool = False
    ) -> None:
        """Do what is left to do once a step has ended: end the leg, bring the caller back.

        Args:
            call_sid: The caller's call.
            step: The step.
            leg_over: Whether the leg is known to be over.
            call_over: Whether the caller's call is.
        """
        if step.stage is Stage.RUNNING or self._rest is None:
            return
        gone = call_over or step.outcome in {*REACHED, CALLER_LEFT} or step.stage is not Stage.DONE
        try:
            await patiently(self._legs.watch(call_sid, CLAIM_MS, sooner=True))
            if not gone and step.leg is not Leg.BACK:
                log.info("caller comes back", call_sid=call_sid, outcome=step.outcome)
                await patiently(comes_back(self._store, call_sid))  # its worker may be lost
                record = await patiently(self._store.look_up(call_sid))
                closed = record is not None and record.hours == "closed"
                await self._rest.redirect(call_sid, self._way_back(closed=closed))
            if step.leg_id and not leg_over and step.leg is not Leg.JOINED:
                await self._rest.hang_up(step.leg_id)
            await patiently(self._legs.unwatch(call_sid))
        except RestRefused as refused:  # somebody looks after them in a moment
            log.warning("transfer not wound up yet", call_sid=call_sid, why=refused.why)
            with suppress(StoreAway):
                await patiently(self._legs.watch(call_sid, AGAIN_MS, sooner=True))
        except StoreAway as away:
            log.warning("caller still looked after", call_sid=call_sid, why=away.why)

    def _way_back(self, *, closed: bool) -> str:
        return urls.callback_url(self._url, urls.back(closed=closed))

    async def answered(self, of: OfStep, guess: str, reason: str) -> NextStep | None:
        """The target of a transfer that is not warm has answered: see `Legs.answered`.

        Raises:
            StoreAway: It is not stored.
        """
        return await patiently(self._legs.answered(of.call_sid, of.n, guess, reason))

    async def joins(self, of: OfStep, leg: str) -> None:
        """The target is in the conference; if they came too late, they are alone there."""
        try:
            step, moved = await self._move(of.call_sid, of.n, JOINS, leg)
            if moved:
                await patiently(self._legs.unwatch(of.call_sid))
            elif step is None or step.n != of.n or not step.wants(leg):
                await self.hang_up(leg)
        except StoreAway as away:
            log.warning("target's coming not stored", call_sid=of.call_sid, why=away.why)

    async def hang_up(self, leg: str) -> None:
        """End a leg that nobody wants."""
        if self._rest is None or not leg:
            return
        try:
            await self._rest.hang_up(leg)
        except RestRefused as refused:
            log.warning("target's call not ended", why=refused.why)

    async def _move(
        self, call_sid: str, n: int, move: Move, leg: str = ""
    ) -> tuple[NextStep | None, bool]:
        return await patiently(self._legs.move(call_sid, n, move, leg))
