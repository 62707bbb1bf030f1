"""Answers Twilio's webhooks of warm transfers. Each URL names the step that it belongs to.

/twilio/hold        a caller waits: music, and the target is called, if nobody has called them yet
/twilio/hold.wav    the music
/twilio/conference  somebody has come to the conference, or has left it
/twilio/briefing    the target has answered: tell them of the caller
/twilio/briefed     the target has pressed a key
/twilio/leg         the status of the target's call has changed

What asks something of Twilio does so after the answer, which Twilio does not have to wait for.
"""

from collections.abc import Awaitable

import structlog
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask

from agent.conversation.next_step import NextStep
from agent.store.base import StoreAway
from telephony.audio import hold_music
from telephony.call.ending import TERMINAL_STATUSES
from telephony.server.admission import Refused
from telephony.server.checked import form_of, worker_of, xml
from telephony.server.warm import OUTCOMES, WarmTransfers
from telephony.twilio import conference
from telephony.twilio.conference import OfStep

log = structlog.get_logger(__name__)
router = APIRouter()


@router.post(conference.HOLD_PATH)
async def hold(request: Request) -> Response:
    """A caller waits, or has heard the music once."""
    await form_of(request, ("AccountSid",))
    of, worker = _of(request), worker_of(request)
    rounds = conference.rounds_of(request.scope["query_string"].decode("latin-1"))
    waits = BackgroundTask(worker.warm.waits, of, rounds)
    return xml(conference.music(worker.settings.public_url, of, rounds + 1), waits)


@router.get(conference.MUSIC_PATH)
async def music() -> Response:
    """The music. It is no secret."""
    kept = {"Cache-Control": "public, max-age=86400"}
    return Response(hold_music.wav(), media_type="audio/wav", headers=kept)


@router.post(conference.CONFERENCE_PATH)
async def in_conference(request: Request) -> Response:
    """Somebody has come to a conference, or has left it. Some events name nobody."""
    form = await form_of(request, ("AccountSid",))
    of, warm = _of(request), worker_of(request).warm
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
    form, of, warm = await _of_target(request)
    return await _told(warm, of, warm.answers(of, form["CallSid"], form.get("AnsweredBy", "")))


@router.post(conference.BRIEFED_PATH)
async def briefed(request: Request) -> Response:
    """The target has pressed a key. Twilio may ask this twice."""
    form, of, warm = await _of_target(request)
    return await _told(warm, of, warm.presses(of, form["CallSid"], form.get("Digits", "")))


@router.post(conference.LEG_PATH)
async def leg(request: Request) -> Response:
    """The status of the target's call has changed. These come late, and out of order."""
    form, of, warm = await _of_target(request)
    call_sid, status = form["CallSid"], form.get("CallStatus", "")
    try:
        if status in TERMINAL_STATUSES:
            await _costs(request, form, of)
            over = await warm.ended(of, call_sid, OUTCOMES.get(status, "failed"))
            return Response(status_code=204, background=_winding_up(warm, of, over))
        unwanted = await warm.changes(of, call_sid, status)
    except StoreAway as away:
        return _nobody_knows(away)
    task = BackgroundTask(warm.hang_up, unwanted) if unwanted else None
    return Response(status_code=204, background=task)


async def _costs(request: Request, form: dict[str, str], of: OfStep) -> None:
    """Store what the call to the target has cost, that is over."""
    if seconds := form.get("CallDuration", ""):
        await worker_of(request).extras.leg(of.call_sid, f"{of.n}", form.get("To", ""), seconds)


async def _of_target(request: Request) -> tuple[dict[str, str], OfStep, WarmTransfers]:
    form = await form_of(request)
    return form, _of(request), worker_of(request).warm


async def _told(
    warm: WarmTransfers, of: OfStep, goes_on: Awaitable[tuple[str, NextStep | None]]
) -> Response:
    """The answer to a target: how their call goes on."""
    try:
        document, over = await goes_on
    except StoreAway as away:
        return _nobody_knows(away)
    return xml(document, _winding_up(warm, of, over))


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
