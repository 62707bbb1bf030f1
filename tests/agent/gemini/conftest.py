"""A Gemini that does what a test's script says, on a real TLS WebSocket, for the real SDK."""

import asyncio
import base64
import datetime as dt
import ipaddress
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from agent.conversation.commands import OpenModel
from agent.conversation.events import ModelEvent
from agent.conversation.persona import DEFAULT_PERSONA
from agent.gemini.guarded import GuardedLive
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings

API_KEY = "AIza-not-a-real-key"
OPEN = OpenModel(session=3, persona=DEFAULT_PERSONA)
TURN_COMPLETE = {"serverContent": {"turnComplete": True}}
GO_AWAY = {"goAway": {"timeLeft": "1s"}}
HANG_GUARD_S = 60

type Script = Callable[[Connection], Awaitable[None]]
type Answer = Callable[..., Awaitable[Gemini]]
type Dial = Callable[..., GeminiLive]


class Connection:
    """The server's end of one session."""

    def __init__(self, websocket: ServerConnection) -> None:
        self.websocket = websocket
        self.heard: list[dict[str, Any]] = []

    async def hear(self) -> dict[str, Any]:
        """The next message of the client."""
        message: dict[str, Any] = json.loads(await self.websocket.recv())
        self.heard.append(message)
        return message

    async def set_up(self) -> None:
        """Take the setup and answer it."""
        await self.hear()
        await self.say({"setupComplete": {}})

    async def say(self, *messages: dict[str, Any] | str) -> None:
        """Send messages as Google does, in binary frames."""
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            await self.websocket.send(text.encode())

    async def hang_up(self, code: int, reason: str) -> None:
        """Close as a server does that has had enough."""
        await self.websocket.close(code, reason)

    async def gone(self) -> None:
        """Wait until the client has closed."""
        await self.websocket.wait_closed()

    def say_close_and_hold_the_line(self, code: int) -> None:
        """Send a close frame, then neither read nor close the TCP connection."""
        self.websocket.transport.pause_reading()
        self.websocket.protocol.send_close(code)
        self.websocket.send_data()

    def reset(self) -> None:
        """Cut the connection with a TCP RST."""
        transport = self.websocket.transport
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()


@dataclass
class Gemini:
    """A server that runs `script` on each connection, or refuses each with `refusal`."""

    script: Script
    refusal: tuple[int, dict[str, str], str] | None
    ca_file: str
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    async def handle(self, websocket: ServerConnection) -> None:
        connection = Connection(websocket)
        self.connections.append(connection)
        await self.script(connection)

    def admit(self, _websocket: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refusal is None:
            return None
        status, headers, body = self.refusal
        return Response(status, HTTPStatus(status).phrase, Headers(headers), body.encode())


class Diary:
    """The events that a session fed, in order."""

    def __init__(self) -> None:
        self.events: list[ModelEvent] = []
        self._more = asyncio.Event()

    def __call__(self, event: ModelEvent) -> None:
        self.events.append(event)
        self._more.set()

    async def until(self, kind: type[ModelEvent]) -> None:
        """Wait until an event of this kind has been fed."""
        async with asyncio.timeout(30):
            while not any(isinstance(event, kind) for event in self.events):
                self._more.clear()
                await self._more.wait()


async def whole(
    live: GeminiLive | GuardedLive, diary: Diary, command: OpenModel = OPEN
) -> list[ModelEvent]:
    """Live a session to its end."""
    async with asyncio.timeout(HANG_GUARD_S):
        await live.run(command, ModelOutbox(), diary)
    return diary.events


@asynccontextmanager
async def running(
    live: GeminiLive, diary: Diary, outbox: ModelOutbox
) -> AsyncIterator[asyncio.Task[None]]:
    """A session in a task of its own, cancelled at the end."""
    async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(live.run(OPEN, outbox, diary))
        yield task
        task.cancel()


def reply(pcm: bytes) -> dict[str, Any]:
    data = base64.b64encode(pcm).decode()
    blob = {"mimeType": "audio/pcm;rate=24000", "data": data}
    return {"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}}


@pytest.fixture
async def diary() -> Diary:
    return Diary()


@pytest.fixture
async def answer(tls: tuple[ssl.SSLContext, str]) -> AsyncIterator[Answer]:
    """Start a server: `await answer(script)` or `await answer(refusal=(429, headers, body))`."""
    context, ca_file = tls
    async with AsyncExitStack() as stack:

        async def start(
            script: Script = Connection.set_up,
            refusal: tuple[int, dict[str, str], str] | None = None,
        ) -> Gemini:
            gemini = Gemini(script, refusal, ca_file)
            server = await stack.enter_async_context(
                serve(
                    gemini.handle,
                    "127.0.0.1",
                    0,
                    ssl=context,
                    process_request=gemini.admit,
                    compression=None,
                    max_size=None,
                    max_queue=None,  # it reads on, whether the script listens or not
                    close_timeout=None,  # nor does it help a client out that waits for it
                )
            )
            gemini.port = server.sockets[0].getsockname()[1]
            return gemini

        yield start


@pytest.fixture
async def dial_by(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Dial]:
    """A client for a server: `dial_by(gemini)`, with settings of `GeminiSettings` by name."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with AsyncExitStack() as stack:

        def build(gemini: Gemini, **settings: Any) -> GeminiLive:
            chosen = {"api_key": API_KEY, "base_url": gemini.url, "ca_file": gemini.ca_file}
            live = GeminiLive(GeminiSettings(**(chosen | settings)))
            stack.push_async_callback(live.aclose)
            return live

        yield build


@pytest.fixture(params=["fast", "sdk"])
def dial(request: pytest.FixtureRequest, dial_by: Dial) -> Dial:
    """The same for a test that runs twice: audio messages are ours, and the SDK's."""
    return partial(dial_by, hot_path=request.param)


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context for 127.0.0.1, and the PEM file that makes a client trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "scripted Gemini")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("tls")
    ca_file, chain = folder / "ca.pem", folder / "chain.pem"
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    ca_file.write_bytes(pem)
    chain.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, str(ca_file)
