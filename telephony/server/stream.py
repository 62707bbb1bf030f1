"""One media stream: a reader and a writer around Twilio's WebSocket.

Where the server's WebSocket class is `HotWire`, messages do not wait for either: they are fed from
the socket's callback, and written while the socket takes them. The reader then gets `stop` and the
end, and the writer what has to wait.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from telephony.call.commands import CloseStream, PhoneCommand, SendClear, SendMark, SendMedia
from telephony.call.events import StreamEnded
from telephony.call.outbox import Outbox
from telephony.server.hot_wire import wire_of
from telephony.twilio.messages import (
    Connected,
    Malformed,
    Message,
    Start,
    Stop,
    parse,
    render_clear,
    render_mark,
    render_media,
)

CLOSE_LIMIT_S = 1.0

STUCK_AFTER_S = 5.0
"""A socket that accepts no data for so long is given up."""

NORMAL_CLOSURE = 1000
NO_CODE = 1005
"""A close frame without a code: how Twilio ends a stream of a normal call."""

GONE_AWAY = "gone"
"""What the writer finds of a socket that is no more there."""

GONE = (WebSocketDisconnect, OSError)
"""Starlette raises these when it writes to a socket that the other end has closed."""

type StreamFeed = Callable[[StreamEnded | Message], None]


class MediaStream:
    """The socket of one stream that has started. Run `run` in the call's TaskGroup."""

    def __init__(self, socket: WebSocket, stream_sid: str) -> None:
        self.stream_sid = stream_sid
        self.closed = asyncio.Event()
        self._socket = socket
        self._outbox = Outbox()
        self._filled = asyncio.Event()
        self._full = False
        self._wire = wire_of(socket)
        self._sending = False

    def put(self, command: PhoneCommand) -> None:
        """Write a command, if nothing waits before it, or queue it for the writer; never blocks."""
        if self._sent_now(command):
            return
        self._full = not self._outbox.put(command) or self._full
        self._filled.set()

    async def run(self, feed: StreamFeed) -> None:
        """Read and write until either end closes. The last event is one `StreamEnded`."""
        how = "close"
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write(), name="phone writer")
                reader = tasks.create_task(self._read(feed), name="phone reader")
                done, _ = await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
                if writer in done and writer.exception() is None:
                    how = writer.result()
                    if how == GONE_AWAY:  # the reader knows how, once it has read what came before
                        how = await self._read_out(reader)
                elif reader in done and reader.exception() is None:
                    how = reader.result()
                reader.cancel()
                writer.cancel()
        finally:
            self._wire = None
            self._outbox.forget()
            try:
                await self._close()
            finally:
                self.closed.set()
        feed(StreamEnded(self.stream_sid, how))

    async def _read_out(self, reader: asyncio.Task[str]) -> str:
        await asyncio.wait((reader,), timeout=CLOSE_LIMIT_S)
        return "broken" if not reader.done() or reader.exception() else reader.result()

    async def _read(self, feed: StreamFeed) -> str:
        """Feed messages until the end. Where the wire hands them on, the end alone is received."""

        def take(text: str | bytes) -> bool:
            message = parse(text)
            if isinstance(message, Stop):
                return False
            feed(self._checked(message))
            return True

        wire = self._wire
        if wire is not None:
            wire.hand_on(take)
        try:
            while True:
                message = await receive(self._socket)
                if isinstance(message, str):
                    return message
                feed(self._checked(message))
                if isinstance(message, Stop):
                    return "close"
        finally:
            if wire is not None:
                wire.keep()

    def _checked(self, message: Message) -> Message:
        if isinstance(message, Connected | Start):
            return Malformed("out of order")
        if not isinstance(message, Malformed) and message.stream_sid != self.stream_sid:
            return Malformed("wrong streamSid")
        return message

    def _sent_now(self, command: PhoneCommand) -> bool:
        """Whether the wire took it at once. Nothing overtakes what waits, or is being sent."""
        if self._wire is None or self._sending or len(self._outbox):
            return False
        return not isinstance(command, CloseStream) and self._wire.send_now(_render(command))

    async def _write(self) -> str:
        while not self._full:
            command = self._outbox.take()
            if command is None:
                self._filled.clear()
                await self._filled.wait()
                continue
            self._sending = True
            if isinstance(command, CloseStream):
                return "close"
            try:
                async with asyncio.timeout(STUCK_AFTER_S):
                    await self._socket.send_text(_render(command))
            except TimeoutError:
                return "stuck"
            except GONE:
                return GONE_AWAY
            self._sending = False
        return "stuck"

    async def _close(self) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await close(self._socket, NORMAL_CLOSURE)


async def close(socket: WebSocket, code: int, reason: str = "") -> None:
    """Close a socket, even if the other end has closed it already."""
    with suppress(TimeoutError, RuntimeError, *GONE):  # RuntimeError: both ends closed at once
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await socket.close(code, reason)


async def receive(socket: WebSocket) -> Message | Literal["close", "broken"]:
    """The next message of a socket, or how it ended: the other end closed it normally (1000), or it
    broke, perhaps at a proxy in between (1001, 1011, 1012 ...).
    """
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        # uvicorn gives a reason only if there was a close frame
        done = "reason" in message and message.get("code") in {NORMAL_CLOSURE, NO_CODE}
        return "close" if done else "broken"
    text = message.get("text")
    return Malformed("binary frame") if text is None else parse(text)


def _render(command: SendMedia | SendMark | SendClear) -> str:
    match command:
        case SendMedia():
            return render_media(command.stream_sid, command.ulaw)
        case SendMark():
            return render_mark(command.stream_sid, command.name)
        case SendClear():
            return render_clear(command.stream_sid)
