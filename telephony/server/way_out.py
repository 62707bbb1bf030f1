"""What happens with a line that does not go to the agent: somebody else gets it, or the call ends.

The record's `next_step` says what was asked for, and where it stands. The agent asks with its
checkpoint; the server asks for a caller for whom there is no agent. The webhook that answers with
a `<Dial>` claims the step first, so it is dialled once or never, whichever workers are asked, and
however often. While somebody else has the line, no worker holds the call.
"""

from collections.abc import Mapping

import structlog
from starlette.background import BackgroundTask

from agent.conversation.next_step import REACHED, Asked, Leg, NextStep, Stage
from agent.persona.agents import Agent
from agent.privacy.items import is_masked
from agent.store.base import CallRecord, StoreAway
from telephony.call.ending import GOES_ON, EndedReason
from telephony.call.events import EndRequested
from telephony.server.patience import patiently
from telephony.server.worker import Worker
from telephony.twilio import twiml
from telephony.twilio.conference import OfStep
from telephony.twilio.numbers import caller_id, parties
from telephony.twilio.urls import DIALLED_PATH

log = structlog.get_logger(__name__)


def leads_back(record: CallRecord | None) -> bool:
    """Whether the caller was put through by the agent or its menu, and goes to it if nobody is
    reached.
    """
    return (
        record is not None
        and record.status != "completed"
        and record.next_step is not None
        and record.next_step.leads_back
    )


async def put_through(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None, agent: Agent, request: str
) -> str | None:
    """The document that puts the caller through, if the agent has asked for it.

    Args:
        worker: The worker that is asked what to do.
        form: The webhook's fields.
        record: What is stored of the call; None while the store is away.
        agent: Who answered the call.
        request: Twilio's token for this request and all its repetitions; "" if there is none.

    Returns:
        The document; None if the call goes on with the agent: nothing was asked for, or another
        request carries it out or has done so, or the target is not in the agent's file any more.
    """
    call_sid = form["CallSid"]
    step = None if record is None else record.next_step
    if step is None or step.by != "agent" or step.stage not in {Stage.INTENDED, Stage.RUNNING}:
        return None
    if step.kind == "digits":
        return await _pressed(worker, call_sid, request, closed=agent.outside)
    target = agent.transfers.get(step.to)
    is_warm = target is not None and target.warm
    try:
        if is_warm:
            await worker.warm.watch(call_sid)
        claimed, mine = await patiently(worker.store.claim_step(call_sid, request))
    except StoreAway as away:
        log.warning("transfer not begun", call_sid=call_sid, why=away.why)
        return None
    if claimed is None:
        return None
    if not mine:
        if claimed.stage is Stage.UNKNOWN and claimed.leg is not Leg.NONE:
            await worker.warm.wind_up(call_sid, claimed)  # somebody rings, and the caller is here
        return None
    to = agent.transfers.get(claimed.to)
    if to is None:
        log.warning("transfer to nobody: the persona file has no such target", call_sid=call_sid)
        await settled(worker, call_sid, "failed")
        return None
    log.info("caller is put through", call_sid=call_sid, to=claimed.to, warm=to.warm)
    document: str | None = dial(worker, form, to.to, agent, claimed)
    if to.warm:
        document = await _held(worker, form, record, claimed)
    if document is not None:
        await _let_go(worker, call_sid)
    return document


async def _pressed(worker: Worker, call_sid: str, request: str, *, closed: bool) -> str | None:
    """The document that presses the keys which the agent wants pressed; None as in `put_through`.
    The log does not tell which keys.
    """
    try:
        claimed, mine = await patiently(worker.store.claim_step(call_sid, request))
    except StoreAway as away:
        log.warning("keys not pressed", call_sid=call_sid, why=away.why)
        return None
    if not mine or claimed is None:
        return None
    if is_masked(claimed.to):  # the call was taken for over, so nobody knows them any more
        await settled(worker, call_sid, "failed")
        return None
    log.info("keys are pressed", call_sid=call_sid, keys=len(claimed.to))
    await _let_go(worker, call_sid)
    return twiml.play(worker.settings.public_url, claimed.to, closed=closed)


async def _held(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None, step: NextStep
) -> str | None:
    """The document with which the caller waits; None if the call goes on with the agent."""
    call_sid = form["CallSid"]
    try:
        if record is None:
            return None
        return await worker.warm.hold(call_sid, record, step, parties(form)[0])
    except StoreAway as away:
        log.warning("transfer not begun", call_sid=call_sid, why=away.why)
        return None


async def without_agent(worker: Worker, form: Mapping[str, str], agent: Agent, request: str) -> str:
    """The document for a caller for whom there is no agent: a transfer, once, or an apology.

    The arguments are those of `put_through`. While the store is away, nobody can know whether
    another worker has answered with a transfer already; so this one does.
    """
    to = worker.settings.transfer_to
    apology = twiml.goodbye(agent.says.apology, agent.persona.language)
    if to is None:
        return apology
    try:
        asked = Asked("transfer", "")
        step, mine = await patiently(worker.store.claim_step(form["CallSid"], request, asked))
    except StoreAway:
        step, mine = None, True
    return dial(worker, form, to, agent, step, agent.says.transfer) if mine else apology


async def ended(
    worker: Worker, form: Mapping[str, str], *, over: bool
) -> tuple[NextStep | None, str, BackgroundTask | None]:
    """Store how a transfer ended whose `<Dial>` is over, and end the leg of a warm one.

    Args:
        worker: The worker that is told so.
        form: The webhook's fields.
        over: Whether the call is over with it.

    Returns:
        The step, or None while the store is away; how it ended; and what is to be done after the
        answer.
    """
    call_sid, status = form["CallSid"], form.get("DialCallStatus", "")
    if (held := await waiting(worker, call_sid)) is None:
        step = await settled(worker, call_sid, status)
        await _costs(worker, form, step)
        return step, status, None
    try:
        left, moved = await worker.warm.left(call_sid, held, over=over)
    except StoreAway as away:
        log.warning("end of transfer not stored", call_sid=call_sid, why=away.why)
        return held, "", None
    if left is None:
        return held, "", None
    tidy = BackgroundTask(worker.warm.wind_up, call_sid, left, call_over=True) if moved else None
    return left, left.outcome, tidy


async def dialled(worker: Worker, form: Mapping[str, str], of: OfStep) -> None:
    """The leg of a cold transfer has been answered, or is over.

    Args:
        worker: The worker that is told so.
        form: The fields of the webhook about that leg.
        of: The step that it was dialled for.
    """
    call_sid, seconds = form["ParentCallSid"], form.get("CallDuration", "")
    if of.call_sid != call_sid:
        return
    if form.get("CallStatus") not in {GOES_ON, "completed"}:  # nobody has answered
        return
    guess, reason = EndedReason.CALLER_HANGUP, EndedReason.TRANSFERRED
    try:
        await worker.warm.answered(of, guess, reason)
    except StoreAway as away:
        log.warning("answer of a target not stored", call_sid=call_sid, why=away.why)
        return
    if seconds:
        await worker.extras.leg(call_sid, str(of.n), form.get("To", ""), seconds)


async def _costs(worker: Worker, form: Mapping[str, str], step: NextStep | None) -> None:
    """Store what the second leg of a cold transfer has cost."""
    if step is None or not (seconds := form.get("DialCallDuration", "")):
        return
    to = worker.settings.transfer_to if not step.to else ""
    if step.to:
        record = await _record(worker, form["CallSid"])
        agent = worker.personas.last_good.named("" if record is None else record.persona)
        to = agent.transfers[step.to].to if step.to in agent.transfers else ""
    await worker.extras.leg(form["CallSid"], str(step.n), to or "", seconds)


def why_over(outcome: str) -> EndedReason | None:
    """Why a call is over that ended with a transfer; None if it is not known how that ended."""
    if not outcome:
        return None
    return EndedReason.TRANSFERRED if outcome in REACHED else EndedReason.CALLER_HANGUP


async def waiting(worker: Worker, call_sid: str) -> NextStep | None:
    """The step whose caller waits, or has waited, for somebody who is told of them; or None."""
    record = await _record(worker, call_sid)
    step = None if record is None else record.next_step
    return None if step is None or step.leg is Leg.NONE else step


async def _record(worker: Worker, call_sid: str) -> CallRecord | None:
    """What is stored of a call; None while the store is away."""
    try:
        return await patiently(worker.store.look_up(call_sid))
    except StoreAway:
        return None


async def settled(worker: Worker, call_sid: str, outcome: str) -> NextStep | None:
    """Store how a transfer ended. Returns the step; None while the store is away."""
    try:
        return await patiently(worker.store.settle_step(call_sid, outcome))
    except StoreAway as away:
        log.warning("end of transfer not stored", call_sid=call_sid, why=away.why)
        return None


async def _let_go(worker: Worker, call_sid: str) -> None:
    """No worker holds a call whose line somebody else has. One may, whose stream broke just now."""
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(EndRequested(EndedReason.PUT_THROUGH))
        return
    try:
        await patiently(worker.store.announce_status(call_sid, EndedReason.PUT_THROUGH))
    except StoreAway as away:
        log.warning("transfer not announced", call_sid=call_sid, why=away.why)


def dial(
    worker: Worker,
    form: Mapping[str, str],
    to: str,
    agent: Agent,
    step: NextStep | None,
    says: str = "",
) -> str:
    """The document that puts a caller through to `to`, after `says`. Twilio tells of that leg under
    the `step` it belongs to; None where that is not stored.
    """
    of = None if step is None else OfStep(form["CallSid"], step.n)
    return twiml.transfer(
        worker.settings.public_url,
        says,
        to,
        caller_id=caller_id(*parties(form)),
        language=agent.persona.language,
        closed=agent.outside,
        told_at="" if of is None else of.url(worker.settings.public_url, DIALLED_PATH),
    )
