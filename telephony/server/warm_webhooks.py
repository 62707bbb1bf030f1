"""Answers Twilio's webhooks of warm transfers. Each URL names the step that it belongs to.

/twilio/hold        a caller waits: music, and the target is called, if nobody has called them yet
/twilio/hold.wav    the music
/twilio/conference  somebody has come to the conference, or has left it
/twilio/briefing    the target has answered: tell them of the caller
/twilio/briefed     the target has pressed a key
/twilio/leg         the status of the target's call has changed

What asks something of Twilio does so after the answer, which Twilio does not have to wait for.
"""

import structlog
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from agent.conversation.next_step import NextStep
from agent.store.base import StoreAway
from telephony.audio import hold_music
from telephony.call.ending import TERMINAL_STATUSES
from telephony.server.admission import Refused
from telephony.server.warm import OUTCOMES, WarmTransfers
from telephony.server.webhooks import form_of
from telephony.server.worker import Worker
from telephony.twilio import conference
from telephony.twilio.conference import OfStep

log = structlog.get_logger(__name__)
router = APIRouter()


@router.post(conference.HOLD_PATH)
async def hold(request: Request) -> Response:
    """A caller waits, or has heard the music once."""
    await form_of(request, ("AccountSid",))
    of, worker = _of(request), _worker(request)
    rounds = conference.rounds_of(request.scope["query_string"].decode("latin-1"))
    waits = BackgroundTask(worker.warm.waits, of, rounds)
    return _xml(conference.music(worker.settings.public_url, of, rounds + 1), waits)


@router.get(conference.MUSIC_PATH)
async def music() -> Response:
    """The music. It is no secret."""
    kept = {"Cache-Control": "public, max-age=86400"}
    return Response(hold_music.wav(), media_type="audio/wav", headers=kept)


@router.post(conference.CONFERENCE_PATH)
async def in_conference(request: Request) -> Response:
    """Somebody has come to a conference, or has left it. Some events name nobody."""
    form = await form_of(request, ("AccountSid",))
    of, warm = _of(request), _worker(request).warm
    event, who = form.get("StatusCallbackEvent", ""), form.get("CallSid", "")
    task = None
    match event, who == of.call_sid:
        case "participant-join", True:
            task = BackgroundTask(warm.waits, of)
        case "participant-join", False if who:
            task = BackgroundTask(warm.joins, of, who)
        case "participant-leave", True:
            task = BackgroundTask(warm.may_have_left, of)
    return Response(status_code=204, background=task)


@router.post(conference.BRIEFING_PATH)
async def briefing(request: Request) -> Response:
    """The target has answered. Twilio may ask this twice."""
    form = await form_of(request)
    of, warm = _of(request), _worker(request).warm
    leg = form["CallSid"]
    try:
        document, over = await warm.answers(of, leg, form.get("AnsweredBy", ""))
    except StoreAway as away:
        return _nobody_knows(away)
    return _xml(document, _winding_up(warm, of, over))


@router.post(conference.BRIEFED_PATH)
async def briefed(request: Request) -> Response:
    """The target has pressed a key. Twilio may ask this twice."""
    form = await form_of(request)
    of, warm = _of(request), _worker(request).warm
    leg = form["CallSid"]
    try:
        document, over = await warm.presses(of, leg, form.get("Digits", ""))
    except StoreAway as away:
        return _nobody_knows(away)
    return _xml(document, _winding_up(warm, of, over))


@router.post(conference.LEG_PATH)
async def leg(request: Request) -> Response:
    """The status of the target's call has changed. These come late, and out of order."""
    form = await form_of(request)
    of, warm = _of(request), _worker(request).warm
    call_sid, status = form["CallSid"], form.get("CallStatus", "")
    try:
        if status in TERMINAL_STATUSES:
            over = await warm.ended(of, call_sid, OUTCOMES.get(status, "failed"))
            return Response(status_code=204, background=_winding_up(warm, of, over))
        unwanted = await warm.changes(of, call_sid, status)
    except StoreAway as away:
        return _nobody_knows(away)
    task = BackgroundTask(warm.hang_up, unwanted) if unwanted else None
    return Response(status_code=204, background=task)


def _winding_up(warm: WarmTransfers, of: OfStep, over: NextStep | None) -> BackgroundTask | None:
    if over is None:
        return None
    return BackgroundTask(warm.wind_up, of.call_sid, over, leg_over=True)


def _nobody_knows(away: StoreAway) -> Response:
    """Twilio asks again. If it gives up, the target's call ends, and the caller comes back."""
    log.warning("target's call not stored", why=away.why)
    return Response(status_code=503)


def _of(request: Request) -> OfStep:
    of = conference.step_of(request.scope["query_string"].decode("latin-1"))
    if of is None:
        raise Refused("no step")
    return of


def _worker(request: Request) -> Worker:
    worker: Worker = request.app.state.worker
    return worker


def _xml(document: str, task: BackgroundTask | None = None) -> Response:
    return Response(document, media_type="text/xml", background=task)
