"""Answers Twilio's webhooks.

/twilio/voice          a call comes in: dial the model, make a token, answer `<Connect><Stream>`;
                       or another webhook failed, and this one is the number's fallback
/twilio/resume         a stream ended: connect again, or apologise and transfer, or hang up
/twilio/transferred    a transfer ended: hang up, or first say that nobody could be reached
/twilio/status         the call's status changed
/twilio/stream-status  a stream's status changed
"""

import asyncio
from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from agent.conversation.commands import Impasse
from agent.store.base import CallRecord, StoreAway
from telephony.call.ending import GOES_ON, TERMINAL_STATUSES, EndedReason
from telephony.call.events import CallStatus, EndRequested, StreamEnded
from telephony.server import redial
from telephony.server.admission import Refused
from telephony.server.patience import patiently
from telephony.server.reaper import LEASE_MS
from telephony.server.worker import Worker
from telephony.twilio import twiml
from telephony.twilio.numbers import caller_id, parties
from telephony.twilio.signature import FORM_LIMIT_BYTES

MAX_RESUMES = 5
"""How many resumes in 60 s a call may have. A call with more will not recover."""

APOLOGY = "I am sorry, I can not go on with this call right now. Please call again later."
TRANSFERRED = "I am sorry, I can not go on with this call. I will put you through now."
NOT_PUT_THROUGH = "I am sorry, I could not reach anybody. Please call again later."
PUT_THROUGH = frozenset({"completed", "answered"})
"""Each `DialCallStatus` of a transfer that reached somebody."""

APOLOGISED_FOR = frozenset({*Impasse, EndedReason.TOO_MANY_RESUMES.value})

BODY_LIMIT_S = 5.0

log = structlog.get_logger(__name__)
router = APIRouter()


@router.post(twiml.VOICE_PATH)
async def voice(request: Request) -> Response:
    """A call comes in. Twilio may deliver this webhook twice."""
    worker = _worker(request)
    form = await _form(request)
    call_sid = form["CallSid"]
    if form.get("ErrorUrl", "").partition("#")[0].endswith(twiml.TRANSFERRED_PATH):
        return _xml(twiml.apology(APOLOGY))  # the fallback after a transfer; do not begin another
    record = await _record(worker, call_sid)
    first = record is None or record.epoch == 0
    if "ErrorUrl" in form and not first:
        return await _go_on(worker, form, record)
    record = await _believed(worker, form, record)
    if (over := _over(worker, form, record)) is not None:
        return over
    if worker.calls.draining:
        return _xml(twiml.wait_and_ask(worker.settings.public_url, twiml.VOICE_PATH))
    token = worker.admission.token(form, first=first)
    _note_numbers(worker, form)
    if first and worker.calls.get(call_sid) is None:
        left = await redial.left_behind(worker, form, record)
        worker.calls.open(call_sid, left.checkpoint, left.lines)
    return _xml(twiml.connect(worker.settings.public_url, token))


@router.post(twiml.RESUME_PATH)
async def resume(request: Request) -> Response:
    """A stream has ended, for any reason. The call is over, or it must go on."""
    worker = _worker(request)
    form = await _form(request)
    call_sid = form["CallSid"]
    if form.get("CallStatus") in TERMINAL_STATUSES:
        return _xml(twiml.hangup())
    return await _go_on(worker, form, await _record(worker, call_sid))


async def _go_on(worker: Worker, form: Mapping[str, str], record: CallRecord | None) -> Response:
    """The answer for a call that has had a stream."""
    call_sid = form["CallSid"]
    record = await _believed(worker, form, record)
    if (over := _over(worker, form, record)) is not None:
        return over
    if worker.calls.draining:
        return _xml(twiml.wait_and_ask(worker.settings.public_url, twiml.RESUME_PATH))
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(CallStatus(form.get("CallStatus", "")))
    resumes, left = await _resumed(worker, call_sid)
    if resumes > MAX_RESUMES:
        log.warning("too many resumes", call_sid=call_sid, resumes=resumes)
        await _complete(worker, call_sid, EndedReason.TOO_MANY_RESUMES)
        return _way_out(worker, form)
    _note_numbers(worker, form)
    if left is not None:
        worker.calls.open(call_sid, left.checkpoint, left.lines)
    token = worker.admission.token(form, first=False)
    return _xml(twiml.connect(worker.settings.public_url, token))


@router.post(twiml.TRANSFERRED_PATH)
async def transferred(request: Request) -> Response:
    """A transfer is over. Twilio also sends this if it has redirected the call meanwhile, so it
    must change nothing.
    """
    form = await _form(request)
    status = form.get("DialCallStatus", "")
    if status in PUT_THROUGH or form.get("CallStatus") in TERMINAL_STATUSES:
        return _xml(twiml.hangup())
    log.warning("transfer failed", call_sid=form["CallSid"], status=status)
    return _xml(twiml.apology(NOT_PUT_THROUGH))


@router.post(twiml.STATUS_PATH)
async def status(request: Request) -> Response:
    """The call's status changed."""
    worker = _worker(request)
    form = await _form(request)
    call_sid, call_status = form["CallSid"], form.get("CallStatus", "")
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(CallStatus(call_status))
    elif call_status in TERMINAL_STATUSES:
        await _over_elsewhere(worker, call_sid, call_status)
    return Response(status_code=204)


@router.post(twiml.STREAM_STATUS_PATH)
async def stream_status(request: Request) -> Response:
    """A stream's status changed. A failed handshake is visible only here."""
    worker = _worker(request)
    form = await _form(request)
    event = form.get("StreamEvent", "")
    if event == "stream-error":
        log.warning("stream error", call_sid=form["CallSid"], error=form.get("StreamError", ""))
    if event in {"stream-stopped", "stream-error"}:
        driver = worker.calls.get(form["CallSid"])
        if driver is not None:
            how = "broken" if event == "stream-error" else "status"
            driver.feed(StreamEnded(form.get("StreamSid", ""), how))
    return Response(status_code=204)


def _note_numbers(worker: Worker, form: Mapping[str, str]) -> None:
    """Remember a call's numbers for the choice of recordings; a stream does not have them."""
    if worker.recorder is not None:
        worker.recorder.note_numbers(form["CallSid"], *parties(form))


def _worker(request: Request) -> Worker:
    worker: Worker = request.app.state.worker
    return worker


async def _form(request: Request) -> dict[str, str]:
    """The checked form. Raises `Refused`, which `app` answers with 403."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            async for part in request.stream():
                body += part
                if len(body) > FORM_LIMIT_BYTES:
                    raise Refused("not a form")
    except TimeoutError:
        raise Refused("slow") from None
    except ClientDisconnect:
        raise Refused("gone") from None
    signature = request.headers.get("x-twilio-signature")
    query = request.scope["query_string"].decode("latin-1")
    admission = _worker(request).admission
    return dict(admission.webhook(request.url.path, query, bytes(body), signature))


async def _record(worker: Worker, call_sid: str) -> CallRecord | None:
    """The record of the call, made if there is none; None while the store is away."""
    try:
        return await patiently(worker.store.open_call(call_sid))
    except StoreAway as away:
        log.warning("call not looked up", call_sid=call_sid, why=away.why)
        return None


async def _resumed(worker: Worker, call_sid: str) -> tuple[int, CallRecord | None]:
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
        # The call is coming back, so no reaper needs to redirect it.
        await worker.store.hold([call_sid], [], lease_ms=LEASE_MS, claim_ms=None)
    if worker.calls.get(call_sid) is not None:
        return resumes, None
    if await worker.store.announce_status(call_sid, GOES_ON) > 0:  # whoever holds it waits for it
        return resumes, None
    return resumes, await worker.store.look_up(call_sid)


async def _over_elsewhere(worker: Worker, call_sid: str, call_status: str) -> None:
    """A call that is not held here is over. The worker that holds it stores why.

    If no worker holds it, it was cut off; if none ever did, the caller hung up before the stream.
    """
    try:
        told = await patiently(worker.store.announce_status(call_sid, call_status))
        record = await patiently(worker.store.open_call(call_sid))
        reason = EndedReason.CUT_OFF if record.epoch else EndedReason.CALLER_HANGUP
        await patiently(worker.store.mark_completed(call_sid, "" if told else reason))
    except StoreAway as away:
        log.warning("end of call not stored", call_sid=call_sid, why=away.why)


async def _complete(worker: Worker, call_sid: str, reason: EndedReason) -> None:
    """Store that the call is over, whichever worker holds it."""
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(EndRequested(reason))
        return
    try:
        await patiently(worker.store.mark_completed(call_sid, reason))
    except StoreAway as away:
        log.warning("end of call not stored", call_sid=call_sid, reason=reason, why=away.why)


async def _believed(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None
) -> CallRecord | None:
    """What is stored of the call, put right where Twilio knows better: that the caller hung up is
    only a guess after a `stop`, which comes also when the call is moved elsewhere.
    """
    call_sid, guess = form["CallSid"], EndedReason.CALLER_HANGUP
    if form.get("CallStatus") != GOES_ON:
        return record
    if worker.calls.ended_reason(call_sid) is guess:
        worker.calls.reopen(call_sid)
    if record is None or record.ended_reason != guess:
        return record
    log.info("call goes on after all", call_sid=call_sid)
    try:
        await patiently(worker.store.reopen(call_sid, guess))
    except StoreAway as away:
        log.warning("call not reopened", call_sid=call_sid, why=away.why)
    return await _record(worker, call_sid)


def _over(worker: Worker, form: Mapping[str, str], record: CallRecord | None) -> Response | None:
    """The answer for a call that is over, or None if it goes on."""
    reason: str | None = worker.calls.ended_reason(form["CallSid"])
    if record is not None and record.status == "completed":
        reason = record.ended_reason or reason or "completed"
    if reason is None:
        return None
    return _way_out(worker, form) if reason in APOLOGISED_FOR else _xml(twiml.hangup())


def _way_out(worker: Worker, form: Mapping[str, str]) -> Response:
    """The answer for a caller for whom there is no agent: a transfer or an apology."""
    settings = worker.settings
    if settings.transfer_to is None:
        return _xml(twiml.apology(APOLOGY))
    shown = caller_id(*parties(form))
    document = twiml.transfer(
        settings.public_url, TRANSFERRED, settings.transfer_to, caller_id=shown
    )
    return _xml(document)


def _xml(document: str) -> Response:
    return Response(document, media_type="text/xml")
