"""Accepts Twilio's media streams, which are WebSockets.

The signature is checked before the upgrade is accepted, and the token before anything else happens.
From then on the call owns the stream, and this handler only waits for its end.
"""

import asyncio

import structlog
from fastapi import APIRouter, WebSocket

from agent.store.base import Began, Taken
from telephony.server.admission import Refused
from telephony.server.ownership import Tells
from telephony.server.purse import Purse
from telephony.server.stream import MediaStream, close, receive
from telephony.server.worker import Worker
from telephony.twilio.messages import Connected, Malformed, Start
from telephony.twilio.signature import TokenError
from telephony.twilio.twiml import (
    DIRECTION_PARAMETER,
    HOURS_PARAMETER,
    NOTICE_PARAMETER,
    PERSONA_PARAMETER,
    TRIED_PARAMETER,
)
from telephony.twilio.urls import MEDIA_PATH

START_LIMIT_S = 3.0

POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013

log = structlog.get_logger(__name__)
router = APIRouter()


@router.websocket(MEDIA_PATH)
async def media(socket: WebSocket) -> None:
    """Handle one media stream, from the upgrade to its end."""
    worker: Worker = socket.app.state.worker
    try:
        worker.admission.upgrade(socket.headers.get("x-twilio-signature"))
    except Refused as refused:
        worker.metrics.refused("upgrade", refused.why)
        await socket.close()  # before `accept` this answers 403
        return
    await socket.accept()
    if worker.calls.draining:  # not before: a refused handshake is an account error
        await close(socket, TRY_AGAIN_LATER, "stopping")
        return
    start = await _started(socket, worker)
    if start is None:
        worker.metrics.refused("stream", "no start")
        await close(socket, POLICY_VIOLATION, "no start")
        return
    try:
        nonce = worker.admission.nonce(start)
    except TokenError as error:
        worker.metrics.refused("stream", f"token {error.reason}")
        await close(socket, POLICY_VIOLATION, error.reason)
        return
    agent = worker.personas.last_good.named(start.custom_parameters.get(PERSONA_PARAMETER, ""))
    placed = DIRECTION_PARAMETER in start.custom_parameters
    agent = agent.calling if placed else agent
    closed = HOURS_PARAMETER in start.custom_parameters
    agent = agent.after_hours if closed else agent
    to, tried, outcome = start.custom_parameters.get(TRIED_PARAMETER, "").partition(":")
    agent = agent.after_menu(to, outcome) if tried else agent
    tariffs = worker.tariffs({"Direction": "outbound-api"} if placed else {})

    def purse_of(taken: Taken) -> Purse | None:
        return worker.purse(start.call_sid, agent, {}, tariffs, taken)

    tells = Tells(
        notice=NOTICE_PARAMETER in start.custom_parameters,
        began=Began(agent.persona.name, "closed" if closed else "open"),
    )
    driver = await worker.calls.take(start.call_sid, nonce, agent.persona, tariffs, purse_of, tells)
    if driver is None:
        worker.metrics.refused("stream", "token used")
        await close(socket, POLICY_VIOLATION, "used")
        return
    if driver.over:
        await close(socket, TRY_AGAIN_LATER, "handed over")
        return
    stream = MediaStream(socket, start.stream_sid)
    driver.attach(stream)
    await stream.closed.wait()


async def _started(socket: WebSocket, worker: Worker) -> Start | None:
    """Wait for `start`. Other messages before it are counted and ignored."""
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not isinstance(message := await receive(socket), str):
                if isinstance(message, Start):
                    return message
                if isinstance(message, Malformed):
                    worker.metrics.malformed(message.reason)
                elif not isinstance(message, Connected):
                    worker.metrics.malformed("out of order")
    except TimeoutError:
        pass
    return None
