"""How a call stands: what the store knows of it, put right by what Twilio says.

While the store is away, only this worker's own data is used.
"""

from collections.abc import Mapping

import structlog

from agent.conversation.meter import NANO
from agent.conversation.next_step import Leg, Stage
from agent.persona.agents import Agent
from agent.store.base import CallRecord, Direction, HoursAre, StoreAway
from agent.store.budgets import Account
from telephony.call.ending import GOES_ON, NOT_REACHED, EndedReason, NotBegun
from telephony.call.events import EndRequested
from telephony.call.screening import is_screened, stored_words
from telephony.server.admission import wall_time_ms
from telephony.server.patience import patiently
from telephony.server.reaper import comes_back
from telephony.server.worker import Worker
from telephony.twilio.numbers import is_placed, known_party

GUESSES = frozenset({EndedReason.CALLER_HANGUP, EndedReason.TRANSFERRED})
"""Reasons that are stored before Twilio says that the call is over."""

log = structlog.get_logger(__name__)


async def record(
    worker: Worker, form: Mapping[str, str], persona: str = "", *, closed: bool | None = None
) -> CallRecord | None:
    """The record of the call, made for the agent `persona` if there is none; None while the store
    is away. Who called is stored only where a webhook of the owner is told of it, or the agent may
    send them a text message. `closed` is as for `is_closed`.
    """
    try:
        return await _open(worker, form, persona, closed=closed)
    except StoreAway as away:
        log.warning("call not looked up", call_sid=form["CallSid"], why=away.why)
        return None


async def _open(
    worker: Worker, form: Mapping[str, str], persona: str = "", *, closed: bool | None = None
) -> CallRecord:
    agent = worker.personas.last_good.named(persona)
    caller = known_party(form) if agent.keeps_number(told=bool(worker.settings.webhook_url)) else ""
    direction: Direction = "outbound" if is_placed(form) else "inbound"
    hours: HoursAre = "closed" if persona and is_closed(agent, form, told=closed) else "open"
    return await patiently(
        worker.store.open_call(form["CallSid"], persona, caller, direction, hours)
    )


def is_closed(
    agent: Agent,
    form: Mapping[str, str],
    record: CallRecord | None = None,
    *,
    told: bool | None = None,
) -> bool:
    """Whether a call has come outside the hours of its agent: as it is stored, so that each worker
    takes it for the same; as the URL has `told` by which it comes back, if nothing is; by the
    clock, where it has not begun yet (None). A call that we placed never has.
    """
    if record is not None:
        return record.hours == "closed"
    if told is not None:
        return told
    return not is_placed(form) and not agent.is_open(wall_time_ms())


async def resumed(worker: Worker, call_sid: str) -> tuple[int, CallRecord | None]:
    """How often the call was resumed lately, and its record if no worker holds it.

    In that case the model can be dialled at once; otherwise the stream's token decides which worker
    continues the call. While the store is away, only this worker's own data is used.
    """
    try:
        return await patiently(_ask_store(worker, call_sid))
    except StoreAway:
        nothing = CallRecord("in-progress", "", 0, "", None)
        return worker.calls.count_resume(call_sid), nothing


async def _ask_store(worker: Worker, call_sid: str) -> tuple[int, CallRecord | None]:
    resumes = await worker.store.count_resume(call_sid)
    if worker.settings.twilio_account_sid:  # otherwise lost calls are not rescued
        await comes_back(worker.store, call_sid)
    if worker.calls.get(call_sid) is not None:
        return resumes, None
    if await worker.store.announce_status(call_sid, GOES_ON) > 0:  # whoever holds it waits for it
        return resumes, None
    return resumes, await worker.store.look_up(call_sid)


async def over_elsewhere(
    worker: Worker, form: Mapping[str, str], reason: EndedReason | None = None
) -> None:
    """A call that is not held here is over. The worker that holds it stores why.

    If no worker holds it, it was cut off; if none ever did, the caller hung up before the stream,
    or nobody answered a call that we placed. If somebody else had the line, or `reason` is known,
    nobody needs to be asked: the call was transferred, or its caller did not wait for that.
    """
    call_sid, call_status = form["CallSid"], form["CallStatus"]
    try:
        told = await patiently(worker.store.announce_status(call_sid, call_status))
        record = await _open(worker, form)
        why = reason or _why_over(form, record, told=bool(told))
        await patiently(worker.store.mark_completed(call_sid, why))
        if why:
            await _give_back(worker, call_sid, record)
    except StoreAway as away:
        log.warning("end of call not stored", call_sid=call_sid, why=away.why)


def _why_over(form: Mapping[str, str], record: CallRecord, *, told: bool) -> str:
    """Why a call is over that is not held here; "" if the worker tells that was `told`."""
    step = record.next_step
    waited = step is not None and step.stage is Stage.DONE and step.leg not in {Leg.NONE, Leg.BACK}
    if step is not None and (record.is_away or waited):
        return EndedReason.TRANSFERRED if step.may_have_reached else EndedReason.CALLER_HANGUP
    if told:
        return ""
    if record.epoch and (step is None or step.stage is not Stage.INTENDED):
        return EndedReason.CUT_OFF
    no_one = NOT_REACHED.get(form["CallStatus"]) if is_placed(form) else None
    return EndedReason.CALLER_HANGUP if record.epoch or no_one is None else no_one


async def _give_back(worker: Worker, call_sid: str, record: CallRecord) -> None:
    """Give back what a call had reserved which no worker holds, as far as its cost is known."""
    account = Account.from_json(record.account)
    known = record.usd is not None or not record.epoch
    # What it has cost besides is booked by itself.
    own = max(0.0, (record.usd or 0) - record.besides_usd)
    if account is not None and known:
        await worker.till.settle(call_sid, account, round(own * NANO))


async def not_begun(worker: Worker, call_sid: str, reason: NotBegun) -> None:
    """Store why a call is not begun."""
    try:
        await patiently(worker.store.mark_completed(call_sid, reason))
    except StoreAway as away:
        log.warning("call not stored", call_sid=call_sid, reason=reason, why=away.why)


async def complete(worker: Worker, call_sid: str, reason: EndedReason) -> None:
    """Store that the call is over, whichever worker holds it."""
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(EndRequested(reason))
        return
    try:
        await patiently(worker.store.mark_completed(call_sid, reason))
    except StoreAway as away:
        log.warning("end of call not stored", call_sid=call_sid, reason=reason, why=away.why)


async def end_for_machine(worker: Worker, call_sid: str, reason: EndedReason) -> bool:
    """End a call that a machine has answered, or have the worker do it that holds it; unless it is
    known here that the machine only screens calls.

    Returns:
        Whether it ends, as far as is known here.
    """
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(EndRequested(reason))
        return driver.over
    try:
        await patiently(worker.store.note_verdict(call_sid, reason))  # Twilio tells only once
        if await patiently(worker.store.announce_status(call_sid, reason)):
            return True  # the worker that holds it knows all that was said, if it still lives
        return await _heed(worker, call_sid, reason)
    except StoreAway as away:
        log.warning("end of call not stored", call_sid=call_sid, reason=reason, why=away.why)
    return True


async def _heed(worker: Worker, call_sid: str, verdict: str) -> bool:
    """End a call that no worker holds as it was to end, by what is stored of it.

    Returns:
        Whether it is over. If not, its verdict is forgotten.

    Raises:
        StoreAway: The store is away.
    """
    stored = await patiently(worker.store.look_up(call_sid))
    if stored is not None and is_screened(stored_words(stored.lines, stored.checkpoint)):
        await patiently(worker.store.note_verdict(call_sid, ""))
        return False
    await patiently(worker.store.mark_completed(call_sid, verdict))
    return True


async def believed(
    worker: Worker, form: Mapping[str, str], stored: CallRecord | None
) -> CallRecord | None:
    """What is stored of the call, put right where Twilio knows better. That the caller hung up is
    only a guess after a `stop`, which comes also when the call is moved elsewhere; so is that a
    call is over once a transfer is. A verdict that stands was told to a worker that is gone.
    """
    call_sid = form["CallSid"]
    if form.get("CallStatus") != GOES_ON:
        return stored
    if stored is not None and stored.status != "completed" and stored.verdict:
        return await _put_into_effect(worker, form, stored)
    if worker.calls.ended_reason(call_sid) in GUESSES:
        worker.calls.reopen(call_sid)
    if stored is None or stored.ended_reason not in GUESSES:
        return stored
    log.info("call goes on after all", call_sid=call_sid)
    try:
        await patiently(worker.store.reopen(call_sid, stored.ended_reason))
    except StoreAway as away:
        log.warning("call not reopened", call_sid=call_sid, why=away.why)
    return await record(worker, form)


async def _put_into_effect(
    worker: Worker, form: Mapping[str, str], stored: CallRecord
) -> CallRecord | None:
    """What is stored of a call after its verdict was acted on."""
    call_sid, verdict = form["CallSid"], stored.verdict
    log.info("a verdict is acted on that nobody has", call_sid=call_sid, reason=verdict)
    if worker.calls.get(call_sid) is not None:
        worker.calls.judge(call_sid, verdict)
        return stored
    try:
        await _heed(worker, call_sid, verdict)
    except StoreAway as away:
        log.warning("end of call not stored", call_sid=call_sid, reason=verdict, why=away.why)
        return stored
    return await record(worker, form)
