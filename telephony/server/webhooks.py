"""Answers Twilio's webhooks.

/twilio/voice          a call comes in: dial the model, make a token, answer `<Connect><Stream>`;
                       or another webhook failed, and this one is the number's fallback
/twilio/menu           a caller has heard the agent's menu, and has pressed a key of it, or none
/twilio/resume         a stream ended: connect again, or transfer, or apologise, or hang up
/twilio/transferred    a transfer ended: hang up, or first say that nobody could be reached, or
                       connect to the agent again that had put the caller through
/twilio/dialled        somebody to whom a caller is put through has answered, or has hung up
/twilio/played         keys were pressed for the agent: connect to it again
/twilio/status         the call's status changed
/twilio/stream-status  a stream's status changed
"""

from collections.abc import Mapping

import structlog
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from agent.conversation.next_step import REACHED, Leg
from agent.store.base import CallRecord
from telephony.call.ending import TERMINAL_STATUSES
from telephony.call.events import CallStatus, StreamEnded
from telephony.server import answering, menu, standing, way_out
from telephony.server.checked import after_menu, agent_of, form_of, token_of, worker_of, xml
from telephony.server.worker import Worker
from telephony.twilio import twiml, urls
from telephony.twilio.conference import step_of
from telephony.twilio.numbers import is_placed

log = structlog.get_logger(__name__)
router = APIRouter()


@router.post(urls.VOICE_PATH)
async def voice(request: Request) -> Response:
    """A call comes in. Twilio may deliver this webhook twice."""
    worker = worker_of(request)
    form = await form_of(request)
    calls = urls.calling_agent(request.url.query) if is_placed(form) else ""
    agent = await agent_of(worker, form, calls=calls)
    if calls not in {"", agent.persona.name}:  # it was taken away while the telephone rang
        return xml(twiml.hangup())
    failed, _, query = form.get("ErrorUrl", "").partition("#")[0].partition("?")
    told = _told_closed(failed, query if failed else request.url.query)
    record = await standing.record(worker, form, agent.persona.name, closed=told)
    if failed.endswith(urls.TRANSFERRED_PATH) and not way_out.leads_back(record):
        return await _apology(worker, form)  # the fallback after a transfer; do not begin another
    first = record is None or record.epoch == 0
    if "ErrorUrl" in form and not first:
        return await answering.go_on(worker, form, record, token_of(request), closed=bool(told))
    record = await standing.believed(worker, form, record)
    if (over := await answering.if_over(worker, form, record, token_of(request))) is not None:
        return over
    closed = not calls and standing.is_closed(agent, form, record, told=told)
    reason = answering.why_not(agent, form, closed=closed) if first and not calls else None
    if reason is not None:
        return await answering.turn_away(worker, form, agent, reason)
    agent = after_menu(agent.after_hours if closed else agent, record)
    if first and (offers := menu.offered(worker, form, record, agent)) is not None:
        await answering.note_party(worker, form)
        return xml(offers)
    again = urls.back(closed=agent.outside, path=urls.VOICE_PATH)
    again = f"{urls.VOICE_PATH}?{request.url.query}" if calls else again
    return await answering.answer(worker, form, agent, record, again, calls=calls)


@router.post(urls.MENU_PATH)
async def pressed(request: Request) -> Response:
    """A caller has heard the menu. Twilio may deliver this twice, or late."""
    if (asked := await _goes_on(request)) is None:
        return xml(twiml.hangup())
    worker, form, record, closed = asked
    agent, asks = await agent_of(worker, form, record, closed=closed), token_of(request)
    if record is not None and (record.epoch or record.status == "completed"):
        return await answering.go_on(worker, form, record, asks)
    rounds = urls.rounds_of(request.url.query)
    if (document := await menu.chosen(worker, form, agent, asks, rounds)) is not None:
        return xml(document)
    return await answering.answer(worker, form, agent, record, urls.MENU_PATH)


@router.post(urls.RESUME_PATH)
async def resume(request: Request) -> Response:
    """A stream has ended, for any reason. The call is over, or it must go on."""
    if (asked := await _goes_on(request)) is None:
        return xml(twiml.hangup())
    worker, form, record, closed = asked
    return await answering.go_on(worker, form, record, token_of(request), closed=closed)


@router.post(urls.TRANSFERRED_PATH)
async def transferred(request: Request) -> Response:
    """A transfer is over. Twilio also sends this if it has redirected the call meanwhile, so it
    must change nothing that `/twilio/resume` cannot put right.
    """
    worker = worker_of(request)
    form = await form_of(request)
    call_sid, over = form["CallSid"], form.get("CallStatus") in TERMINAL_STATUSES
    closed = urls.began_closed(request.url.query)
    step, outcome, tidy = await way_out.ended(worker, form, over=over)
    leads_back = step is not None and step.leads_back
    if outcome in REACHED or over:
        if leads_back:
            done = form | {"CallStatus": "completed"}
            await standing.over_elsewhere(worker, done, way_out.why_over(outcome))
        return xml(twiml.hangup(), tidy)
    log.warning("transfer failed", call_sid=call_sid, status=outcome)
    if step is not None and step.leg is not Leg.NONE:  # they are on their way back, or go now
        return xml(twiml.ask(worker.settings.public_url, urls.back(closed=closed)), tidy)
    agent = await agent_of(worker, form)
    if leads_back or (step is None and worker.calls.ended_reason(call_sid) is None):
        record = await standing.record(worker, form, agent.persona.name, closed=closed)
        if record is not None and not record.epoch and record.status != "completed":
            agent = await agent_of(worker, form, record)  # its menu had put the caller through
            return await answering.answer(worker, form, agent, record, urls.MENU_PATH)
        return await answering.go_on(worker, form, record, token_of(request), closed=closed)
    return xml(twiml.goodbye(agent.says.no_answer, agent.persona.language))


@router.post(urls.DIALLED_PATH)
async def dialled(request: Request) -> Response:
    """The leg to somebody to whom a caller is put through has been answered, or is over. That a
    caller who has hung up talked with them is known by this alone.
    """
    worker = worker_of(request)
    form = await form_of(request, ("CallSid", "ParentCallSid", "AccountSid"))
    if (of := step_of(request.scope["query_string"].decode("latin-1"))) is not None:
        await way_out.dialled(worker, form, of)
    return Response(status_code=204)


@router.post(urls.PLAYED_PATH)
async def played(request: Request) -> Response:
    """Keys were pressed for the agent, which goes on now."""
    if (asked := await _goes_on(request)) is None:
        return xml(twiml.hangup())
    worker, form, record, closed = asked
    if record is not None and record.next_step is not None and record.next_step.kind == "digits":
        await way_out.settled(worker, form["CallSid"], "completed")
    return await answering.go_on(worker, form, record, token_of(request), closed=closed)


@router.post(urls.STATUS_PATH)
async def status(request: Request) -> Response:
    """The call's status changed."""
    worker = worker_of(request)
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
        await worker.extras.line(form)
    return Response(status_code=204, background=tidy)


@router.post(urls.STREAM_STATUS_PATH)
async def stream_status(request: Request) -> Response:
    """A stream's status changed. A failed handshake is visible only here."""
    worker = worker_of(request)
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


async def _goes_on(
    request: Request,
) -> tuple[Worker, dict[str, str], CallRecord | None, bool] | None:
    """Whose call it is that a webhook asks about, what is stored of it, and whether the URL tells
    that it began outside the hours; None if it is over.
    """
    worker, form = worker_of(request), await form_of(request)
    if form.get("CallStatus") in TERMINAL_STATUSES:
        return None
    agent, closed = await agent_of(worker, form), urls.began_closed(request.url.query)
    record = await standing.record(worker, form, agent.persona.name, closed=closed)
    return worker, form, record, closed


def _told_closed(failed: str, query: str) -> bool | None:
    """Whether a call began outside the hours, by the query of the URL that is asked, or of the one
    that `failed`, if one did. None if that is the voice webhook of a call that has not begun.
    """
    begins = not failed or failed.endswith(urls.VOICE_PATH)
    return urls.began_closed(query) or (None if begins else False)


async def _apology(worker: Worker, form: Mapping[str, str]) -> Response:
    agent = await agent_of(worker, form)
    return xml(twiml.goodbye(agent.says.apology, agent.persona.language))
