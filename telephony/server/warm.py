"""Warm transfers: the caller waits, and somebody is called who is told of them first.

    the caller      waits in a conference, with music; no worker holds the call
    the leg         the call to the target, which is placed once, whoever is asked to do so
    the conference  the two talk in it, once the target has accepted

Any worker is asked by Twilio how each of them goes on. The call's next step says where the leg
stands, and is moved before Twilio is told anything; so each thing is done by one worker, or by
nobody. If that worker dies, the caller is still among those whom every worker looks after
(`agent.store.legs`), and comes back to the agent.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from agent.conversation.next_step import (
    ACCEPTS,
    BRIEFS,
    PLACES,
    RINGS,
    Leg,
    NextStep,
    Stage,
    ends,
)
from agent.conversation.tools import Ledger
from agent.persona.agents import Agent, Destination
from agent.store.base import CallRecord, StoreAway
from agent.store.legs import Legs
from agent.store.promises import Store
from telephony.server.asked_once import DoneOrNot
from telephony.server.on_hold import ACCEPTED, CALLER_LEFT, TALKED, OnHold, Rest
from telephony.server.patience import patiently
from telephony.server.personas import Personas
from telephony.server.placing import Placement
from telephony.server.twilio_rest import RestRefused
from telephony.twilio import conference, twiml
from telephony.twilio.conference import OfStep
from telephony.twilio.numbers import is_number

PLACE_MS = 30_000
"""How long the target may take to be called: Twilio may take 20 s to answer."""

RING_MS = (twiml.RING_S + 25) * 1_000
"""How long it may ring, with the time in which Twilio finds out whether a machine has answered."""

BRIEF_MS = 90_000
"""How long the target may take to be told of the caller, and to press a key."""

JOIN_MS = 10_000
"""How long they may take to join, after they have accepted."""

LEFT_MS = 3_000
"""The same, if their call is over already."""

TALKED_MS = 20_000
"""How long Twilio may take to tell that the caller's part of a talk is over, once the target's is.
They may not have talked: who has accepted and does not come is taken for somebody who has come.
"""

MOST_ROUNDS = 16
"""How often a caller hears the music who is not looked after: longer than all of these together."""

SUMMARY_CHARS = 600
"""How much of a summary is spoken: about 40 s."""

OUTCOMES = {"busy": "busy", "no-answer": "no-answer", "completed": "not-taken"}
"""How a transfer ends whose target has not accepted, by the last status of the target's call."""

log = structlog.get_logger(__name__)


class WarmTransfers(OnHold):
    """The warm transfers of one worker; `run` runs beside the calls.

    Args:
        public_url: The address under which Twilio reaches us.
        store: The store with the calls.
        legs: The legs in it.
        personas: The agents, whose files say who may be called.
        rest: Redirects and ends calls; None if the account is not known.
        place: Places a call, as `placing.place`.
        draining: Whether this worker begins nothing any more.
    """

    def __init__(
        self,
        public_url: str,
        store: Store,
        legs: Legs,
        personas: Personas,
        *,
        rest: Rest | None,
        place: Callable[[Placement], Awaitable[str]],
        draining: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(public_url, store, legs, rest, draining)
        self._personas, self._place = personas, place

    # The caller.

    async def watch(self, call_sid: str) -> None:
        """Look after a caller who is about to wait. Call it before the step is claimed.

        Raises:
            StoreAway: Nobody would look after them.
        """
        await patiently(self._legs.watch(call_sid, PLACE_MS))

    async def hold(
        self, call_sid: str, record: CallRecord, step: NextStep, ours: str
    ) -> str | None:
        """The document with which the caller waits for the target of a step that is claimed.

        Args:
            call_sid: The caller's call.
            record: What was stored of it when the step was claimed.
            step: The step.
            ours: The number that was called, which now calls.

        Returns:
            None if nobody can be called: the step is settled.

        Raises:
            StoreAway: Nobody knows.
        """
        if self._rest is None or not is_number(ours):
            log.error(
                "nobody is called: a transfer with warm = true needs TWILIO_ACCOUNT_SID, and a "
                "telephone number that was called",
                call_sid=call_sid,
            )
            await patiently(self._store.settle_step(call_sid, "failed"))
            await patiently(self._legs.unwatch(call_sid))
            return None
        summary = _summary(record, step)
        held = await patiently(self._legs.hold(call_sid, step.n, summary, ours))
        if held is None or held.leg in {Leg.NONE, Leg.BACK}:
            return None
        return conference.hold(self._url, OfStep(call_sid, step.n, record.hours == "closed"))

    async def waits(self, of: OfStep, rounds: int = 0) -> None:
        """The caller waits: call the target, if nobody has.

        Args:
            of: The step.
            rounds: How often they have heard the music. With `MOST_ROUNDS` they come back, whatever
                is stored of them: nobody looks after them while the store is away.
        """
        if rounds >= MOST_ROUNDS and self._rest is not None:
            log.warning("caller has waited too long", call_sid=of.call_sid, rounds=rounds)
            with suppress(RestRefused):  # it is tried again after the next round
                await self._rest.redirect(of.call_sid, self._way_back(closed=of.closed))
            return
        try:
            await self._waits(of)
        except StoreAway as away:  # Twilio asks again, or somebody looks after the caller
            log.warning("target not called yet", call_sid=of.call_sid, why=away.why)

    async def left(
        self, call_sid: str, step: NextStep, *, over: bool
    ) -> tuple[NextStep | None, bool]:
        """The caller has left the conference. Returns the step, and whether it has ended by that;
        then the leg may have to be ended: see `wind_up`.

        Args:
            call_sid: The caller's call.
            step: The step.
            over: Whether the call is over with it.

        Raises:
            StoreAway: Nobody knows.
        """
        talked, moved = await self._move(call_sid, step.n, ends(TALKED, ACCEPTED))
        if moved:
            return talked, True
        return await self._move(call_sid, step.n, ends(CALLER_LEFT if over else "failed"))

    async def may_have_left(self, of: OfStep) -> None:
        """The caller has left the conference: they hung up, or are on their way back."""
        try:
            step = await self._found(of)
            if step is None or step.stage is not Stage.RUNNING or self._rest is None:
                return
            if not await self._rest.goes_on(of.call_sid):
                await self.hung_up(of.call_sid, step)
        except (StoreAway, RestRefused) as away:
            log.warning("caller not looked after", call_sid=of.call_sid, why=away.why)

    async def hung_up(self, call_sid: str, step: NextStep) -> None:
        """The caller has hung up: nobody needs to ring, or to be told of them."""
        try:
            found, moved = await self.left(call_sid, step, over=True)
            if moved and found is not None:
                await self.wind_up(call_sid, found, call_over=True)
        except StoreAway as away:
            log.warning("caller's end not stored", call_sid=call_sid, why=away.why)

    # The target.

    async def answers(self, of: OfStep, leg: str, answered_by: str) -> tuple[str, NextStep | None]:
        """The target has answered.

        Args:
            of: The step.
            leg: The target's CallSid.
            answered_by: Twilio's word for who has answered; "" if it was not asked.

        Returns:
            The document with which the call goes on; and the step, if it has ended now: then
            `wind_up` has to be called, which may take longer.

        Raises:
            StoreAway: Nobody knows how the call goes on.
        """
        if answered_by.startswith(("machine", "fax")):
            return twiml.hangup(), await self.ended(of, leg, "voicemail")
        await patiently(self._legs.watch(of.call_sid, BRIEF_MS))
        step, _ = await self._move(of.call_sid, of.n, BRIEFS, leg)
        return await self._goes_on(of, leg, step), None

    async def presses(self, of: OfStep, leg: str, key: str) -> tuple[str, NextStep | None]:
        """The target has pressed a key. Arguments, result and errors as for `answers`."""
        if key == conference.DECLINE:
            return twiml.hangup(), await self.ended(of, leg, "declined")
        if key == conference.ACCEPT:
            step, moved = await self._move(of.call_sid, of.n, ACCEPTS, leg)
            if moved:
                await patiently(self._legs.watch(of.call_sid, JOIN_MS, sooner=True))
        else:
            step = await self._found(of)
        return await self._goes_on(of, leg, step), None

    async def changes(self, of: OfStep, leg: str, status: str) -> str:
        """The status of the target's call has changed, and it is not over.

        Returns:
            The leg, if nobody wants it any more; then it must be ended. Else "".

        Raises:
            StoreAway: Nobody knows whether it is wanted.
        """
        step, moved = await self._move(of.call_sid, of.n, RINGS, leg)
        if moved:
            await patiently(self._legs.watch(of.call_sid, RING_MS))
        if step is not None and step.n == of.n and step.wants(leg):
            return ""
        log.info("a target is not wanted any more", call_sid=of.call_sid, status=status)
        return leg

    async def ended(self, of: OfStep, leg: str, outcome: str) -> NextStep | None:
        """The target's call is over, or about to be. Returns the step, if it has ended by that:
        then `wind_up` has to be called. Whoever has accepted may have talked: somebody looks soon.

        Raises:
            StoreAway: It is not stored.
        """
        step, moved = await self._move(of.call_sid, of.n, ends(outcome), leg)
        if moved:
            return step
        if step is not None and step.leg in ACCEPTED and step.wants(leg):
            within_ms = LEFT_MS if step.leg is Leg.ACCEPTED else TALKED_MS
            await patiently(self._legs.watch(of.call_sid, within_ms, sooner=True))
        return None

    async def _waits(self, of: OfStep) -> None:
        record = await patiently(self._store.look_up(of.call_sid))
        step = None if record is None else record.next_step
        if record is None or step is None or step.n != of.n or step.leg is not Leg.HELD:
            return
        agent = (await self._personas.current()).named(record.persona)
        target = agent.transfers.get(step.to)
        await patiently(self._legs.watch(of.call_sid, PLACE_MS))
        step, mine = await self._move(of.call_sid, of.n, PLACES)
        if not mine or step is None:
            return
        leg = ""
        if target is None or not target.warm:
            log.warning("the persona file has no such target", call_sid=of.call_sid)
        else:
            leg = await self._called(of, step, target)
        if not leg:
            if (over := await self.ended(of, "", "failed")) is not None:
                await self.wind_up(of.call_sid, over)
        elif unwanted := await self.changes(of, leg, "placed"):
            await self.hang_up(unwanted)

    async def _called(self, of: OfStep, step: NextStep, target: Destination) -> str:
        """Call the target; returns the CallSid, or "" if nobody was called, or nobody knows."""
        placement = Placement(
            to=target.to,
            ours=step.ours,
            voice_url=of.url(self._url, conference.BRIEFING_PATH),
            status_url=of.url(self._url, conference.LEG_PATH),
            ring_s=twiml.RING_S,
            waits_for_machine=target.notice_machines,
        )
        try:
            leg = await self._place(placement)
        except (RestRefused, DoneOrNot) as refused:
            log.warning("target not called", call_sid=of.call_sid, why=refused.why, to=step.to)
            return ""
        log.info("target called", call_sid=of.call_sid, to=step.to)
        return leg

    async def _goes_on(self, of: OfStep, leg: str, step: NextStep | None) -> str:
        """The document for a target whose leg stands there."""
        record = await patiently(self._store.look_up(of.call_sid))
        agent = (await self._personas.current()).named("" if record is None else record.persona)
        if step is None or step.n != of.n or not step.wants(leg):
            return twiml.goodbye(agent.says.caller_left, agent.persona.language)
        if step.leg in ACCEPTED:
            return conference.join(of)
        return conference.briefing(self._url, of, _briefing(agent, step), agent.persona.language)

    async def _found(self, of: OfStep) -> NextStep | None:
        record = await patiently(self._store.look_up(of.call_sid))
        step = None if record is None else record.next_step
        return step if step is not None and step.n == of.n else None


def _summary(record: CallRecord, step: NextStep) -> str:
    """What the model wrote for the target, as far as it is spoken."""
    if record.checkpoint is None:
        return ""
    written = Ledger.from_text(record.checkpoint.tools, ()).summary_of(step.n)
    words = " ".join(twiml.speakable(written).split())
    if len(words) <= SUMMARY_CHARS:
        return words
    return words[:SUMMARY_CHARS].rpartition(" ")[0] or words[:SUMMARY_CHARS]


def _briefing(agent: Agent, step: NextStep) -> str:
    return " ".join(part for part in (agent.says.briefing, step.summary, agent.says.keys) if part)
