"""What the page asks: to place a call, what to do next, to hang up, and what is happening."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from telephony.browser_phone.exchange import (
    Answer,
    BrowserCall,
    Exchange,
    Outcome,
    instruction_json,
)
from telephony.browser_phone.live import Live
from telephony.browser_phone.pages import HEADERS
from telephony.server.personas import Personas

NO_CALL = "expected a call of this server, got another one; fix: reload the page and call again"


@dataclass(frozen=True, slots=True)
class Desk:
    """What the routes need.

    Args:
        exchange: Places calls.
        live: What happens in them.
        personas: The agents that answer.
        model: The name of the model, to be shown.
        file: The persona file, to be shown; "" for the built-in agent.
    """

    exchange: Exchange
    live: Live
    personas: Personas
    model: str
    file: str


class HowItWent(BaseModel):
    """How the last instruction went; see `Outcome`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    broken: bool = False
    digits: str = Field("", max_length=64, pattern=r"^[0-9*#]*$")
    answer: Answer = "completed"


def routes() -> APIRouter:
    """The routes. `Desk` is expected as `app.state.desk`."""
    router = APIRouter(prefix="/phone")
    router.add_api_route("/about", about, methods=["GET"])
    router.add_api_route("/calls", place, methods=["POST"])
    router.add_api_route("/calls/{call_sid}/next", go_on, methods=["POST"])
    router.add_api_route("/calls/{call_sid}/end", end, methods=["POST"])
    router.add_api_route("/calls/{call_sid}/events", events, methods=["GET"])
    return router


async def about(request: Request) -> dict[str, object]:
    """Who answers, as the persona file is now, and what is wrong with it."""
    desk = _desk(request)
    agents = await desk.personas.current()
    return {
        "agent": agents.default.persona.name,
        "model": desk.model,
        "file": desk.file,
        "problem": desk.personas.problem,
    }


async def place(request: Request) -> dict[str, object]:
    """Place a call."""
    call, instruction = await _desk(request).exchange.place()
    return instruction_json(call, instruction)


async def go_on(request: Request, call_sid: str, how: HowItWent) -> dict[str, object]:
    """Say how the last instruction went, and get the next one."""
    call = _call(request, call_sid)
    outcome = Outcome(how.broken, how.digits, how.answer)
    return instruction_json(call, await call.go_on(outcome))


async def end(request: Request, call_sid: str) -> dict[str, object]:
    """Hang up."""
    await _call(request, call_sid).hang_up()
    return {"callSid": call_sid}


async def events(
    request: Request, call_sid: str, last_event_id: Annotated[int, Header()] = -1
) -> StreamingResponse:
    """What happens in a call, as server-sent events."""
    _call(request, call_sid)
    happening = _desk(request).live.events(call_sid, last_event_id)
    return StreamingResponse(happening, media_type="text/event-stream", headers=dict(HEADERS))


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _call(request: Request, call_sid: str) -> BrowserCall:
    call = _desk(request).exchange.call(call_sid)
    if call is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, NO_CALL)
    return call
