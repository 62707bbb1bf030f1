"""Gemini's half of the load: a TLS WebSocket that takes audio by its length, and sends messages
that were encoded before. It understands nothing, so that it costs next to nothing.

listening socket   acquired and released: `listening`
"""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from agent.simulator import server_messages as say
from agent.simulator.server_messages import Message
from tests.benchmarks.calls.timing import now_ms

CHUNK_MS = 100
CHUNK_BYTES = CHUNK_MS * 24 * 2
SPEED = 4
"""Replies come so many times faster than they are spoken."""

_DATA = '"data": "'
_HANDLE_UPDATE = json.dumps(say.handle_update("a-handle"))


class ModelSession:
    """One session, as its far end sees it.

    Attributes:
        received: When so many samples of caller audio (16 kHz) had come in all.
        replied: When the first audio of each reply was sent.
        greeted: Set once the server has asked for words.
    """

    def __init__(self, socket: ServerConnection) -> None:
        self.received: list[tuple[float, int]] = []
        self.replied: list[float] = []
        self.greeted = asyncio.Event()
        self.kept = bytearray()
        self.keeps = False
        self._socket = socket
        self._samples = 0

    async def reply(self, messages: Sequence[str]) -> None:
        """Say something encoded by `encoded_reply`."""
        began_ms = now_ms()
        self.replied.append(began_ms)
        for n, message in enumerate(messages):
            await asyncio.sleep((began_ms + n * CHUNK_MS / SPEED - now_ms()) / 1000)
            await self._socket.send(message)

    async def send(self, message: str) -> float:
        """Send one message. Returns when."""
        at_ms = now_ms()
        await self._socket.send(message)
        return at_ms

    async def take(self) -> None:
        """Take what the server sends, until it is gone."""
        with suppress(ConnectionClosed):
            while True:
                self._take(await self._socket.recv(decode=True))

    def _take(self, frame: str) -> None:
        at_ms = now_ms()
        begin = frame.find(_DATA)
        if begin < 0:
            self.greeted.set()
            return
        begin += len(_DATA)
        end = frame.index('"', begin)
        if self.keeps:
            self.kept += base64.b64decode(frame[begin:end].translate(_STANDARD))
        padding = frame.count("=", end - 2, end)
        self._samples += ((end - begin) * 3 // 4 - padding) // 2
        self.received.append((at_ms, self._samples))


_STANDARD = str.maketrans("-_", "+/")


class ModelSide:
    """All sessions. `next` gives the one that was opened last."""

    def __init__(self) -> None:
        self._opened: asyncio.Queue[ModelSession] = asyncio.Queue()

    async def next(self) -> ModelSession:
        """Wait for the next session to be set up."""
        async with asyncio.timeout(10):
            return await self._opened.get()

    async def talk(self, socket: ServerConnection) -> None:
        """One connection, from its setup to its end."""
        await socket.recv()  # the setup
        await socket.send(json.dumps(say.setup_complete()))
        await socket.send(_HANDLE_UPDATE)
        session = ModelSession(socket)
        self._opened.put_nowait(session)
        await session.take()


@asynccontextmanager
async def listening(port: int, cert: Path, key: Path) -> AsyncIterator[ModelSide]:
    """Listen on 127.0.0.1 until the block ends."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    side = ModelSide()
    async with serve(
        side.talk,
        "127.0.0.1",
        port,
        ssl=tls,
        compression=None,
        ping_interval=None,
        max_size=None,
    ):
        yield side


def encoded_reply(pcm: bytes, text: str) -> list[str]:
    """A reply as messages: audio in pieces of 100 ms, words beside every fourth of them.

    Args:
        pcm: PCM16 little-endian, mono, 24 kHz.
        text: What it says.
    """
    words = text.split()
    starts = range(0, len(pcm), CHUNK_BYTES)
    return [
        json.dumps(_piece(pcm[at : at + CHUNK_BYTES], words[n : n + 1] if n % 4 == 0 else []))
        for n, at in enumerate(starts)
    ]


def encoded_end() -> list[str]:
    """What follows a reply."""
    return [
        json.dumps(say.server_content(generationComplete=True)),
        json.dumps(say.turn_complete(500, 100)),
        _HANDLE_UPDATE,
    ]


def encoded_words(text: str) -> str:
    """What the caller said."""
    return json.dumps(say.server_content(inputTranscription={"text": text}))


INTERRUPTED = json.dumps(say.server_content(interrupted=True))
TURN_COMPLETE = json.dumps(say.turn_complete(500, 10))


def _piece(pcm: bytes, words: Sequence[str]) -> Message:
    told = {"outputTranscription": {"text": f"{words[0]} "}} if words else {}
    return say.server_content(modelTurn=say.audio_part(pcm), **told)
