"""A TLS server in Gemini's place, for any kind of Live service behind it.

This module only reads the clock, moves frames, and wakes each session at its deadline.

    listening socket     acquired: `Endpoint.__aenter__`; released: `__aexit__`
    temporary cert dir   the same, if no `cert_dir` was given
    a connection         acquired: by websockets, which runs `_serve` for it; released: when that
                         returns, with its reader and its writer in one TaskGroup
"""

import asyncio
import json
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, Self
from urllib.parse import parse_qs, urlsplit
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State

from agent.simulator.certificate import certificate_in
from agent.simulator.faults import Close, Reset
from agent.simulator.model import Refusal
from agent.simulator.posts import PostOrWebSocket
from agent.simulator.server_messages import Message


class Answering(Protocol):
    """The methods of a session, such as `session.Session`."""

    def receive(self, message: object, now_ms: int) -> None:
        """Take one message of the client, as parsed JSON; None for what is not JSON. Then poll."""
        ...

    def poll(self, now_ms: int) -> Sequence[Message | Close | Reset]:
        """The messages to send by now, in order. Nothing follows a `Close` or `Reset`."""
        ...

    def deadline_ms(self) -> int | None:
        """When to poll next, if nothing is received before; None for never."""
        ...

    def closed(self, now_ms: int) -> None:
        """The client is gone, for any reason."""
        ...


class Live(Protocol):
    """The methods of a service, such as `model.GeminiServer`."""

    def connect(self, now_ms: int, *, path: str, key: str) -> Answering | Refusal:
        """A client asks for a WebSocket."""
        ...


class Endpoint[L: Live]:
    """A Live service on 127.0.0.1; use with ``async with``.

    Args:
        server: The service that answers.
        port: The port to listen on; 0 for any free port.
        cert_dir: The folder for cert.pem and key.pem; None for a temporary folder.
        pong_ms: How late a ping is answered.

    Attributes:
        server: The service, so that tests can read what it received.
        ca_file: For SSL_CERT_FILE or `ssl.create_default_context(cafile=…)`; set once entered.
    """

    ca_file: Path
    _listener: Server

    def __init__(
        self, server: L, *, port: int = 0, cert_dir: Path | None = None, pong_ms: int = 0
    ) -> None:
        self.server = server
        self._pong_s = pong_ms / 1000
        self._port = port
        self._cert_dir = cert_dir
        self._held = AsyncExitStack()
        self._accepted: WeakKeyDictionary[ServerConnection, Answering] = WeakKeyDictionary()
        self._wakes: dict[Answering, asyncio.Event] = {}
        self._started_s = 0.0

    async def __aenter__(self) -> Self:
        self._started_s = asyncio.get_running_loop().time()
        async with AsyncExitStack() as held:
            folder = self._cert_dir or Path(
                held.enter_context(TemporaryDirectory(prefix="offhook-"))
            )
            today = datetime.now(UTC)  # noqa: TID251 - the edge; a certificate is good for a time
            self.ca_file, key_file = certificate_in(folder, today)
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self.ca_file, key_file)
            self._listener = await held.enter_async_context(
                listen(
                    self._serve,
                    "127.0.0.1",
                    self._port,
                    ssl=tls,
                    process_request=self._answer_request,
                    create_connection=PostOrWebSocket,
                    compression=None,
                    max_size=None,
                    ping_interval=None,
                )
            )
            self._held = held.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.aclose()

    @property
    def port(self) -> int:
        """The port it listens on, once entered."""
        return int(next(iter(self._listener.sockets)).getsockname()[1])

    @property
    def base_url(self) -> str:
        """The URL for GOOGLE_GEMINI_BASE_URL or `HttpOptions.base_url`, once entered."""
        return f"https://127.0.0.1:{self.port}"

    def now_ms(self) -> int:
        """The time since it was entered, in ms; the sessions get the same."""
        return int((asyncio.get_running_loop().time() - self._started_s) * 1000)

    def wake(self) -> None:
        """Poll every session now."""
        for wake in self._wakes.values():
            wake.set()

    async def answer_post(self, path: str, key: str, body: object) -> Response:
        """The answer to a POST, such as `generateContent`.

        Args:
            path: Its path.
            key: The API key or token; "" for none.
            body: Its body, as parsed JSON; None for anything else.
        """
        del path, key, body
        return json_answer(HTTPStatus.METHOD_NOT_ALLOWED, {})

    async def _answer_request(
        self, connection: ServerConnection, request: Request
    ) -> Response | None:
        url = urlsplit(f"wss://gemini{request.path}")  # the path may begin with two slashes
        key = _key(url.query, request)
        if request.method == "POST" and isinstance(connection, PostOrWebSocket):
            return await self.answer_post(url.path, key, _parsed(connection.body))
        answer = self.server.connect(self.now_ms(), path=url.path, key=key)
        if isinstance(answer, Refusal):
            return connection.respond(HTTPStatus(answer.status), f"{answer.reason}\n")
        self._accepted[connection] = answer
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        if self._pong_s:
            _answer_pings_late(connection, self._pong_s)
        session = self._accepted.pop(connection)
        self._wakes[session] = wake = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(connection, session, wake))
                await self._read(connection, session, wake)
                writer.cancel()
        finally:
            session.closed(self.now_ms())
            del self._wakes[session]

    async def _read(
        self, connection: ServerConnection, session: Answering, wake: asyncio.Event
    ) -> None:
        """Pass the client's frames to the session until the connection ends."""
        with suppress(ConnectionClosed):
            async for frame in connection:
                session.receive(_parsed(frame), self.now_ms())
                wake.set()

    async def _write(
        self, connection: ServerConnection, session: Answering, wake: asyncio.Event
    ) -> None:
        """Send the session's messages when they are due, until the connection ends."""
        with suppress(ConnectionClosed):
            while True:
                wake.clear()
                for one in session.poll(self.now_ms()):
                    await _carry_out(one, connection)
                await self._due(session, wake)

    async def _due(self, session: Answering, wake: asyncio.Event) -> None:
        """Wait until the session must be polled."""
        deadline_ms = session.deadline_ms()
        deadline_s = None if deadline_ms is None else self._started_s + deadline_ms / 1000
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline_s):
                await wake.wait()


def _answer_pings_late(connection: ServerConnection, pong_s: float) -> None:
    """Delay the answer to a ping, which the WebSocket library would send at once."""
    at_once = connection.protocol.send_frame

    def send_later(frame: Frame) -> None:
        if connection.state is State.OPEN:
            at_once(frame)
            connection.send_data()

    def send(frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            asyncio.get_running_loop().call_later(pong_s, send_later, frame)
        else:
            at_once(frame)

    connection.protocol.send_frame = send  # type: ignore[method-assign]  # there is no other hook


async def _carry_out(one: Message | Close | Reset, connection: ServerConnection) -> None:
    match one:
        case Close(code, reason):
            await connection.close(code, reason)
        case Reset():
            connection.transport.abort()
        case _:
            await connection.send(json.dumps(one).encode())


def json_answer(status: int, body: Mapping[str, object]) -> Response:
    """An HTTP answer with this JSON; the connection is closed behind it."""
    text = json.dumps(body).encode()
    headers = Headers(
        {
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(text)),
        }
    )
    return Response(status, HTTPStatus(status).phrase, headers, text)


def _parsed(frame: str | bytes) -> object:
    """The JSON in a frame; None for anything else."""
    try:
        return json.loads(frame)
    except ValueError:
        return None


def _key(query: str, request: Request) -> str:
    """The API key or token, from any place where a client may put it; "" for none."""
    in_query = parse_qs(query)
    return (
        request.headers.get("x-goog-api-key")
        or request.headers.get("Authorization", "").partition(" ")[2]
        or "".join(in_query.get("key", in_query.get("access_token", [])))
    )
