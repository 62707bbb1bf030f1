"""WebSocket classes of uvicorn without a server: a transport that only notes, and an application
that writes down what it is told.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from telephony.server.app import MAX_FRAME_BYTES
from telephony.server.hot_wire import EXTENSION, HotWire

REQUEST = (
    b"GET /twilio/media HTTP/1.1\r\nhost: voice.example.com\r\nupgrade: websocket\r\n"
    b"connection: Upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)

CLOSE = "close "
"""An application that is told this and a code closes with it."""

TURNS = 6
"""Turns of the loop in which whatever was begun is done."""

type Got = tuple[str, str | bytes]


class Line(asyncio.Transport):
    """The transport: it keeps what is written, while it `keeps`, and whether it would be read."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 40_000), "sockname": ("192.0.2.2", 8_000)})
        self.written = b""
        self.keeps = True
        self.closing = False
        self.reading = True
        self.pauses = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closing or not data, "written behind the end"
        if self.keeps:
            self.written += data

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False
        self.pauses += 1

    def resume_reading(self) -> None:
        self.reading = True


@dataclass
class Told:
    """What an application was told, in order."""

    messages: list[Got] = field(default_factory=list)
    handed_on: int = 0
    ended: dict[str, Any] | None = None


class Wire:
    """One connection of one class, and its application.

    Attributes:
        line: Its transport.
        told: What the application was told.
        shown: What was written behind each segment that was received.
    """

    def __init__(
        self,
        kind: type[WebSocketsSansIOProtocol],
        *,
        hand_on: bool = False,
        answer: Sequence[dict[str, Any]] = ({"type": "websocket.accept"},),
        app: Any = None,
    ) -> None:
        self.line, self.told, self.shown = Line(), Told(), list[bytes]()
        self._answer, self._hand_on = answer, hand_on
        self.state = ServerState()
        self.protocol = kind(_config(), self.state, {})
        self.protocol.app = app or self._app
        self.protocol.connection_made(self.line)

    async def receive(self, *segments: bytes) -> None:
        """Segments come, each when the one before it has been dealt with."""
        for segment in segments:
            if not self.line.closing:
                assert self.line.reading, "the application does not take its messages"
                self.protocol.data_received(segment)
            await self.settle()
            self.shown.append(undated(self.line.written))

    async def open(self, headers: bytes = b"") -> None:
        """Ask for the upgrade."""
        await self.receive(REQUEST % headers)

    async def lose(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        self.line.close()
        self.protocol.connection_lost(error)
        await self.settle()

    async def settle(self) -> None:
        """Let the application do what it has to."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "websocket.connect"
        for message in self._answer:
            await send(message)
        wire = scope["extensions"].get(EXTENSION)
        if self._hand_on and wire is not None:
            assert isinstance(wire, HotWire)
            wire.hand_on(self._take)
        while (event := await receive())["type"] != "websocket.disconnect":
            text = event.get("text")
            self._note(event["bytes"] if text is None else text)
            if isinstance(text, str) and text.startswith(CLOSE):
                await send({"type": "websocket.close", "code": int(text[len(CLOSE) :])})
        self.told.ended = event

    def _take(self, message: str | bytes) -> bool:
        if isinstance(message, str) and message.startswith(CLOSE):
            return False
        self.told.handed_on += 1
        self._note(message)
        return True

    def _note(self, message: str | bytes) -> None:
        self.told.messages.append((type(message).__name__, message))


async def _nobody(_scope: object, _receive: object, _send: object) -> None:
    """An application that nobody asks."""


@cache
def _config() -> uvicorn.Config:
    """As the server has it; the application is another for each wire."""
    config = uvicorn.Config(
        _nobody,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_timeout=None,
        log_config=None,
        interface="asgi3",
    )
    config.load()
    return config


def undated(written: bytes) -> bytes:
    """Answers without their dates."""
    return re.sub(rb"(?i)date: [^\r]*\r\n", b"", written)
