"""A small real server for the simulated Twilio to call, and calls to it."""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect

from telephony.audio.g711 import encode
from telephony.simulator.caller import call
from telephony.simulator.faults import CallFaults
from telephony.simulator.identity import CALLER, NumberWebhooks
from telephony.simulator.report import (
    CallEvent,
    Report,
)
from telephony.simulator.rest import RestAccount
from telephony.simulator.script import parse

PUBLIC = "https://voice.example.com"
TOKEN = "an auth token"
ACCOUNT = "AC" + "2" * 32
TONE = encode((b"\x00\x20" * 4 + b"\x00\xe0" * 4) * 200)
"""200 ms."""
HANG_UP = 'quiet_ms = 200\nsteps = [{wait = "agent", hang_up = true}]'
QUICK = CallFaults(connect_ms=(0, 10), reconnect_ms=(0, 10))

CONNECT = """<Response><Connect action="/twilio/resume">
  <Stream url="wss://voice.example.com/twilio/media"
          statusCallback="https://voice.example.com/twilio/stream-status">
    <Parameter name="token" value="secret"/></Stream></Connect></Response>"""
DESK = "+14155550100"
HANGUP = "<Response><Hangup/></Response>"


def message(event: str, sid: str, **fields: object) -> str:
    return json.dumps({"event": event, "streamSid": sid, **fields})


def media(sid: str, ulaw: bytes) -> str:
    return message("media", sid, media={"payload": base64.b64encode(ulaw).decode()})


async def greet(websocket: WebSocket, sid: str) -> None:
    """Say a tone, and mark its end."""
    await websocket.send_text(media(sid, TONE))
    await websocket.send_text(message("mark", sid, mark={"name": "end"}))


type Agent = Callable[[WebSocket, str], Awaitable[None]]


@dataclass
class Server:
    """A worker that answers with the given documents, one after another, then hangs up."""

    documents: list[str] = field(default_factory=lambda: [CONNECT])
    agent: Agent = greet
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    upgrades: list[dict[str, str]] = field(default_factory=list)
    received: list[dict[str, object]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for requested, form, _ in self.requests if requested == path]

    async def answer(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.requests.append((request.url.path, form, dict(request.headers)))
        if request.url.path in {"/twilio/voice", "/twilio/resume", "/twilio/fallback"}:
            document = self.documents.pop(0) if self.documents else HANGUP
            return Response(document, media_type="text/xml")
        return Response(status_code=204)

    async def media(self, websocket: WebSocket) -> None:
        self.upgrades.append(dict(websocket.headers))
        await websocket.accept()
        try:
            while True:
                said = json.loads(await websocket.receive_text())
                self.received.append(said)
                if said["event"] == "start":
                    await self.agent(websocket, said["streamSid"])
        except WebSocketDisconnect:
            self.gone.set()
        except RuntimeError:  # the agent itself closed it
            return


@dataclass
class Failing(Server):
    """Fails some requests: how, and how many, by path."""

    fails: dict[str, list[Response]] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        fails = self.fails.get(request.url.path, [])
        good = await super().answer(request) if not fails else None
        if good is None:
            form = {name: str(value) for name, value in (await request.form()).items()}
            self.requests.append((request.url.path, form, dict(request.headers)))
        return good or fails.pop(0)


def broken(status: int = 500) -> Response:
    return Response(status_code=status)


@asynccontextmanager
async def serving(*servers: Server) -> AsyncIterator[list[str]]:
    async with asyncio.TaskGroup() as group:
        running = []
        for server in servers:
            app = FastAPI()
            app.add_api_route("/{path:path}", server.answer, methods=["GET", "POST"])
            app.add_api_websocket_route("/twilio/media", server.media)
            listener = socket.create_server(("127.0.0.1", 0))
            server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                app, log_config=None, lifespan="off", ws="websockets-sansio", loop="none"
            )
            running.append(uvicorn.Server(config))
            group.create_task(running[-1].serve(sockets=[listener]))
        yield [server.url for server in servers]
        for each in running:
            each.should_exit = True


async def dial(
    *servers: Server,
    script: str = HANG_UP,
    faults: CallFaults = QUICK,
    on_event: Callable[[CallEvent], None] | None = None,
    heard_path: Path | None = None,
    route: Callable[[str], int] | None = None,
    rest: RestAccount | None = None,
    allow_warnings: bool = False,
    caller: str = CALLER,
    number: NumberWebhooks | None = None,
) -> Report:
    async with serving(*servers) as urls:
        return await call(
            urls, PUBLIC, TOKEN, ACCOUNT, parse(script), caller=caller, number=number, rest=rest,
            route=route, faults=faults, on_event=on_event, heard_path=heard_path,
            allow_warnings=allow_warnings,
        )  # fmt: skip
