"""Answers Twilio's webhooks.

/twilio/voice          a call comes in: dial the model, make a token, answer `<Connect><Stream>`;
                       or another webhook failed, and this one is the number's fallback
/twilio/menu           a caller has heard the agent's menu, and has pressed a key of it, or none
/twilio/resume         a stream ended: connect again, or transfer, or apologise, or hang up
/twilio/transferred    a transfer ended: hang up, or first say that nobody could be reached, or
                       connect to the agent again that had put the caller through
/twilio/played         keys were pressed for the agent: connect to it again
/twilio/status         the call's status changed
/twilio/stream-status  a stream's status changed
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import assert_never

import structlog
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from agent.conversation.commands import Impasse
from agent.conversation.consent import going_on
from agent.conversation.next_step import REACHED, Leg
from agent.persona.agents import Agent
from agent.store.base import CallRecord, StoreAway
from telephony.call.ending import TERMINAL_STATUSES, EndedReason, NotBegun
from telephony.call.events import CallStatus, StreamEnded
from telephony.server import menu, redial, standing, way_out
from telephony.server.admission import Refused
from telephony.server.body import BodyError, body_of
from telephony.server.patience import patiently
from telephony.server.worker import Worker
from telephony.twilio import twiml
from telephony.twilio.numbers import is_number, is_placed, known_party, parties
from telephony.twilio.signature import FORM_LIMIT_BYTES

MAX_RESUMES = 5
"""How many resumes in 60 s a call may have. A call with more will not recover."""

APOLOGISED_FOR = frozenset({*Impasse, EndedReason.TOO_MANY_RESUMES.value})

log = structlog.get_logger(__name__)
router = APIRouter()


@router.post(twiml.VOICE_PATH)
async def voice(request: Request) -> Response:
    """A call comes in. Twilio may deliver this webhook twice."""
    worker = _worker(request)
    form = await form_of(request)
    calls = twiml.calling_agent(request.url.query) if is_placed(form) else ""
    agent = await _agent(worker, form, calls=calls)
    if calls not in {"", agent.persona.name}:  # it was taken away while the telephone rang
        return _xml(twiml.hangup())
    record = await standing.record(worker, form, agent.persona.name)
    failed = form.get("ErrorUrl", "").partition("#")[0]
    if failed.endswith(twiml.TRANSFERRED_PATH) and not way_out.leads_back(record):
        return await _apology(worker, form)  # the fallback after a transfer; do not begin another
    first = record is None or record.epoch == 0
    if "ErrorUrl" in form and not first:
        return await _go_on(worker, form, record, _request(request))
    record = await standing.believed(worker, form, record)
    if (over := await _over(worker, form, record, _request(request))) is not None:
        return over
    closed = not calls and standing.is_closed(agent, form, record)
    if first and not calls and (reason := _not_begun(agent, form, closed=closed)) is not None:
        return await _turn_away(worker, form, agent, reason)
    agent = agent.after_hours if closed else agent
    if first and (offers := menu.offered(worker, form, record, agent)) is not None:
        await _note_party(worker, form)
        return _xml(offers)
    again = f"{twiml.VOICE_PATH}?{request.url.query}" if calls else twiml.VOICE_PATH
    return await _answer(worker, form, agent, record, again, calls=calls)


async def _answer(
    worker: Worker,
    form: Mapping[str, str],
    agent: Agent,
    record: CallRecord | None,
    again: str,
    *,
    calls: str = "",
) -> Response:
    """Let the agent answer; or, if this worker stops, make Twilio ask `again` elsewhere."""
    if worker.calls.draining:
        return _xml(twiml.wait_and_ask(worker.settings.public_url, again))
    _note_numbers(worker, form)
    first = record is None or record.epoch == 0
    begins = first and worker.calls.get(form["CallSid"]) is None
    if begins and not await _begin(worker, form, agent, record):
        told = await _turn_away(worker, form, agent, NotBegun.NO_BUDGET)
        return _xml(twiml.hangup()) if calls else told
    return await _connect(worker, form, agent, first=first)


async def _begin(
    worker: Worker, form: Mapping[str, str], agent: Agent, record: CallRecord | None
) -> bool:
    """Begin a call, unless a day's money does not suffice for it. Returns whether it has begun."""
    call_sid, tariffs = form["CallSid"], worker.tariffs(form)
    account = worker.till.account(form, agent)
    capped = bool(agent.caps.any and tariffs.known)
    if capped and (of := await worker.till.admits(call_sid, account, agent.caps, tariffs)):
        log.info("a day's money is spent", of=of, call_sid=call_sid, persona=agent.persona.name)
        return False
    await _note_party(worker, form)
    left = await redial.left_behind(worker, form, record)
    if capped:
        await worker.till.remember(call_sid, account)
    purse = worker.till.purse(call_sid, account, agent.caps, tariffs, left.checkpoint)
    worker.calls.open(call_sid, agent.persona, tariffs, left.checkpoint, left.lines, purse)
    return True


@router.post(twiml.MENU_PATH)
async def pressed(request: Request) -> Response:
    """A caller has heard the menu. Twilio may deliver this twice, or late."""
    worker = _worker(request)
    form = await form_of(request)
    if form.get("CallStatus") in TERMINAL_STATUSES:
        return _xml(twiml.hangup())
    agent = await _agent(worker, form)
    record = await standing.record(worker, form, agent.persona.name)
    agent, asks = await _agent(worker, form, record), _request(request)
    if record is not None and (record.epoch or record.status == "completed"):
        return await _go_on(worker, form, record, asks)
    rounds = twiml.rounds_of(request.url.query)
    if (document := await menu.chosen(worker, form, agent, asks, rounds)) is not None:
        return _xml(document)
    return await _answer(worker, form, agent, record, twiml.MENU_PATH)


@router.post(twiml.RESUME_PATH)
async def resume(request: Request) -> Response:
    """A stream has ended, for any reason. The call is over, or it must go on."""
    worker = _worker(request)
    form = await form_of(request)
    if form.get("CallStatus") in TERMINAL_STATUSES:
        return _xml(twiml.hangup())
    agent = await _agent(worker, form)
    record = await standing.record(worker, form, agent.persona.name)
    return await _go_on(worker, form, record, _request(request))


async def _go_on(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None, asks: str
) -> Response:
    """The answer for a call that has had a stream, to the request `asks`."""
    call_sid = form["CallSid"]
    record = await standing.believed(worker, form, record)
    if (over := await _over(worker, form, record, asks)) is not None:
        return over
    agent = await _agent(worker, form, record)
    if (away := await way_out.put_through(worker, form, record, agent, asks)) is not None:
        return _xml(away)
    if worker.calls.draining:
        return _xml(twiml.wait_and_ask(worker.settings.public_url, twiml.RESUME_PATH))
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(CallStatus(form.get("CallStatus", "")))
    resumes, left = await standing.resumed(worker, call_sid)
    if resumes > MAX_RESUMES:
        log.warning("too many resumes", call_sid=call_sid, resumes=resumes)
        await standing.complete(worker, call_sid, EndedReason.TOO_MANY_RESUMES)
        return _xml(await way_out.without_agent(worker, form, agent, asks))
    _note_numbers(worker, form)
    if left is not None:
        tariffs = worker.tariffs(form)
        purse = worker.purse(call_sid, agent, form, tariffs, left)
        persona = going_on(agent.persona, left.checkpoint)
        worker.calls.open(call_sid, persona, tariffs, left.checkpoint, left.lines, purse)
    return await _connect(worker, form, agent, first=False)


@router.post(twiml.TRANSFERRED_PATH)
async def transferred(request: Request) -> Response:
    """A transfer is over. Twilio also sends this if it has redirected the call meanwhile, so it
    must change nothing that `/twilio/resume` cannot put right.
    """
    worker = _worker(request)
    form = await form_of(request)
    call_sid, over = form["CallSid"], form.get("CallStatus") in TERMINAL_STATUSES
    step, outcome, tidy = await way_out.ended(worker, form, over=over)
    leads_back = step is not None and step.leads_back
    if outcome in REACHED or over:
        if leads_back:
            done = form | {"CallStatus": "completed"}
            await standing.over_elsewhere(worker, done, EndedReason.TRANSFERRED)
        return _xml(twiml.hangup(), tidy)
    log.warning("transfer failed", call_sid=call_sid, status=outcome)
    if (
        step is not None and step.leg is not Leg.NONE
    ):  # the caller is on their way back already, or goes there now
        return _xml(twiml.ask(worker.settings.public_url, twiml.RESUME_PATH), tidy)
    agent = await _agent(worker, form)
    if leads_back or (step is None and worker.calls.ended_reason(call_sid) is None):
        record = await standing.record(worker, form, agent.persona.name)
        if record is not None and not record.epoch and record.status != "completed":
            agent = await _agent(worker, form, record)  # its menu had put the caller through
            return await _answer(worker, form, agent, record, twiml.MENU_PATH)
        return await _go_on(worker, form, record, _request(request))
    return _xml(twiml.goodbye(agent.says.no_answer, agent.persona.language))


@router.post(twiml.PLAYED_PATH)
async def played(request: Request) -> Response:
    """Keys were pressed for the agent, which goes on now."""
    worker = _worker(request)
    form = await form_of(request)
    if form.get("CallStatus") in TERMINAL_STATUSES:
        return _xml(twiml.hangup())
    agent = await _agent(worker, form)
    record = await standing.record(worker, form, agent.persona.name)
    if record is not None and record.next_step is not None and record.next_step.kind == "digits":
        await way_out.settled(worker, form["CallSid"], "completed")
    return await _go_on(worker, form, record, _request(request))


@router.post(twiml.STATUS_PATH)
async def status(request: Request) -> Response:
    """The call's status changed."""
    worker = _worker(request)
    form = await form_of(request)
    call_sid, call_status = form["CallSid"], form.get("CallStatus", "")
    if call_status not in TERMINAL_STATUSES:
        return Response(status_code=204)  # the others come late, and out of order
    tidy = None
    if (driver := worker.calls.get(call_sid)) is not None:
        driver.feed(CallStatus(call_status))
    else:
        if (held := await way_out.waiting(worker, call_sid)) is not None:
            tidy = BackgroundTask(worker.warm.hung_up, call_sid, held)
        await standing.over_elsewhere(worker, form)
    return Response(status_code=204, background=tidy)


@router.post(twiml.STREAM_STATUS_PATH)
async def stream_status(request: Request) -> Response:
    """A stream's status changed. A failed handshake is visible only here."""
    worker = _worker(request)
    form = await form_of(request)
    event = form.get("StreamEvent", "")
    if event == "stream-error":
        log.warning("stream error", call_sid=form["CallSid"], error=form.get("StreamError", ""))
    if event in {"stream-stopped", "stream-error"}:
        driver = worker.calls.get(form["CallSid"])
        if driver is not None:
            how = "broken" if event == "stream-error" else "status"
            driver.feed(StreamEnded(form.get("StreamSid", ""), how))
    return Response(status_code=204)


async def _note_party(worker: Worker, form: Mapping[str, str]) -> None:
    """Note whose call it is, so that whatever is kept of somebody can be found and removed."""
    if party := known_party(form):
        with suppress(StoreAway):  # what cannot be noted now is found by the call's record alone
            hashed = worker.admission.called(party)
            await patiently(worker.parties.note(hashed, form["CallSid"]))


def _note_numbers(worker: Worker, form: Mapping[str, str]) -> None:
    """Remember a call's numbers for its recording; a stream does not have them."""
    callers = [worker.admission.called(known_party(form))] if known_party(form) else []
    worker.recorder.note_numbers(form["CallSid"], *parties(form), callers=callers)


def _request(request: Request) -> str:
    """Twilio's token for this request and all its repetitions; "" if it sent none."""
    return request.headers.get("i-twilio-idempotency-token", "")


def _worker(request: Request) -> Worker:
    worker: Worker = request.app.state.worker
    return worker


async def form_of(
    request: Request, names: tuple[str, ...] = ("CallSid", "AccountSid")
) -> dict[str, str]:
    """The checked form of a webhook, with SIDs in the fields of these `names`.

    Raises `Refused`, which `app` answers with 403.
    """
    try:
        body = await body_of(request, FORM_LIMIT_BYTES)
    except BodyError as error:
        raise Refused("not a form" if error.why == "too long" else error.why) from None
    signature = request.headers.get("x-twilio-signature")
    query = request.scope["query_string"].decode("latin-1")
    admission = _worker(request).admission
    return dict(admission.webhook(request.url.path, query, body, signature, names=names))


async def _agent(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None = None, *, calls: str = ""
) -> Agent:
    """The agent that answers: the one that began the call, or else that of the dialled number.

    Args:
        worker: This worker.
        form: The webhook's fields.
        record: What is stored of the call.
        calls: The name of the agent that has placed it, if the webhook has it.
    """
    agents = await worker.personas.current()
    name = calls or ("" if record is None else record.persona)
    agent = agents.named(name) if name else agents.answering(parties(form)[0])
    if is_placed(form):
        return agent.calling
    return agent.after_hours if record is not None and record.hours == "closed" else agent


def _not_begun(agent: Agent, form: Mapping[str, str], *, closed: bool) -> NotBegun | None:
    """Why the agent does not answer this caller, or not now; None if it does."""
    theirs = parties(form)[1]
    if agent.refuses(theirs if is_number(theirs) else ""):
        return NotBegun.BLOCKED
    return NotBegun.CLOSED if closed and agent.closed is None else None


async def _turn_away(
    worker: Worker, form: Mapping[str, str], agent: Agent, reason: NotBegun
) -> Response:
    """The answer for a call that is not begun; the reason is stored."""
    log.info("call not begun", reason=reason, call_sid=form["CallSid"], persona=agent.persona.name)
    worker.metrics.not_begun(reason)
    await standing.not_begun(worker, form["CallSid"], reason)
    return _xml(_told_why(agent, reason))


def _told_why(agent: Agent, reason: NotBegun) -> str:
    """What a caller hears whose call is not begun."""
    language = agent.persona.language
    match reason:
        case NotBegun.BLOCKED:
            return twiml.reject()
        case NotBegun.CLOSED:
            closed = agent.says.apology if agent.hours is None else agent.hours.closed
            return twiml.goodbye(closed, language)
        case NotBegun.NO_BUDGET:
            return twiml.goodbye(agent.says.spent, language)
        case _:
            assert_never(reason)


async def _connect(
    worker: Worker, form: Mapping[str, str], agent: Agent, *, first: bool
) -> Response:
    """The answer that connects the call to a stream with a token of its own."""
    token = worker.admission.token(form, first=first)
    default = (await worker.personas.current()).default
    name = "" if agent.persona.name == default.persona.name else agent.persona.name
    document = twiml.connect(
        worker.settings.public_url,
        token,
        name,
        placed=is_placed(form),
        closed=agent.outside,
        says=agent.notice if first else "",
        language=agent.persona.language,
    )
    return _xml(document)


async def _apology(worker: Worker, form: Mapping[str, str]) -> Response:
    agent = await _agent(worker, form)
    return _xml(twiml.goodbye(agent.says.apology, agent.persona.language))


async def _over(
    worker: Worker, form: Mapping[str, str], record: CallRecord | None, asks: str
) -> Response | None:
    """The answer for a call that is over, or None if it goes on."""
    reason: str | None = worker.calls.ended_reason(form["CallSid"])
    if record is not None and record.status == "completed":
        reason = record.ended_reason or reason or "completed"
    if reason is None:
        return None
    if reason in NotBegun:  # Twilio asks again: it has not heard the answer
        return _xml(_told_why(await _agent(worker, form, record), NotBegun(reason)))
    if reason == EndedReason.VOICEMAIL:
        return _xml(_voicemail(await _agent(worker, form, record)))
    if reason not in APOLOGISED_FOR:
        return _xml(twiml.hangup())
    agent = await _agent(worker, form, record)
    return _xml(await way_out.without_agent(worker, form, agent, asks))


def _voicemail(agent: Agent) -> str:
    """The message for the machine that has answered, and is recording now."""
    if agent.outbound is None or not agent.outbound.voicemail:
        return twiml.hangup()
    return twiml.goodbye(agent.outbound.voicemail, agent.persona.language)


def _xml(document: str, task: BackgroundTask | None = None) -> Response:
    return Response(document, media_type="text/xml", background=task)
