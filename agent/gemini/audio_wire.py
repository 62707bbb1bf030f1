"""The SDK's WebSocket, with a short way for the messages that are frequent.

The WebSocket library connects, shakes hands, closes, answers pings, and sends and reads what is
rare. Two things are done here instead, with the same bytes on the wire: a text becomes one frame at
once, and a message that comes as one whole frame is handed on as it is. Every other frame, and
whatever breaks the protocol, is handed to the library: a frame at a time, so that it is always at
the beginning of one.

Source: websockets 17.4, `asyncio/connection.py` and `protocol.py`; RFC 6455, section 5.
"""

import os
from asyncio import Future
from collections import deque
from typing import Any

from websockets.frames import CONT, DATA_OPCODES, Frame, Opcode
from websockets.protocol import CONNECTING, OPEN, Event

from agent.gemini.wire import Wire

try:
    from websockets.speedups import apply_mask
except ImportError:  # the library has no faster one for this platform
    from websockets.utils import apply_mask

TEXT = 0x80 | Opcode.TEXT
WHOLE = frozenset((TEXT, 0x80 | Opcode.BINARY))
"""The first byte of a message that is one frame."""

KNOWN = frozenset(int(opcode) for opcode in Opcode)

MASKED = 0x80
KEYS_BYTES = 4_096
"""Random bytes are asked for by the page: asking takes as long as masking."""

_ANSWERED = b"\r\n\r\n"
"""The end of the server's answer to the handshake."""

_LIBRARYS = None
"""In the place of a message that the library has, or has the beginning of."""


class AudioWire(Wire):
    """A connection whose frequent messages take the short way.

    Messages keep their order, whoever reads them. One task may send while another receives.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._arrived = deque[memoryview | None]()
        self._waiter: Future[None] | None = None
        self._begun = bytearray()
        self._missing = 0
        self._librarys = False
        self._answer = b""
        self._keys = b""
        self._key_at = 0

    # Sending

    def send_now(self, text: bytes) -> bool:
        """Send a text message as `send` does, if it need not wait for anything.

        Args:
            text: UTF-8.

        Returns:
            Whether it is sent. A connection that breaks by it tells who sends or receives next.
        """
        if not self._has_room():
            return False
        try:
            self.transport.write(self._frame(text))
        except (OSError, RuntimeError) as error:  # RuntimeError is uvloop's, of a closed transport
            self.set_connection_exc(error)
            self.transport.abort()
        return True

    async def send_text(self, text: bytes) -> None:
        """Send a text message as `send` does, and wait until the socket takes more.

        Args:
            text: UTF-8.

        Raises:
            ConnectionClosed: The connection is over.
        """
        if not self.send_now(text):
            await self.send(text, text=True)
        elif self.transport.is_closing():
            await self.wait_closed()
            raise self.close_exc
        elif not self._has_room():
            async with self.send_context():
                pass  # which waits until there is room, or raises why the connection is over

    def _has_room(self) -> bool:
        is_open = self.protocol.state is OPEN and self.send_in_progress is None
        return is_open and not self.paused

    def _frame(self, text: bytes) -> bytes:
        at = self._key_at
        if at >= len(self._keys):
            self._keys, at = os.urandom(KEYS_BYTES), 0
        self._key_at = at + 4
        key = self._keys[at : at + 4]
        size = len(text)
        if size < 126:
            head = bytes((TEXT, MASKED | size))
        elif size < 65_536:
            head = b"\x81\xfe" + size.to_bytes(2)
        else:
            head = b"\x81\xff" + size.to_bytes(8)
        return b"".join((head, key, apply_mask(text, key)))

    # Receiving

    async def peek(self) -> memoryview | None:
        """Wait until a message comes, or the connection is over, and look at it.

        Returns:
            The message that `recv` returns next; None if only `recv` can tell.
        """
        while not self._arrived and not self.recv_messages.closed:
            self._waiter = self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._arrived[0] if self._arrived else None

    def take(self) -> None:
        """Remove the message that `peek` returned."""
        self._arrived.popleft()

    async def recv(self, decode: bool | None = False) -> Any:  # noqa: ARG002 - it is never asked to
        """The next message, as bytes. Safe to cancel.

        Raises:
            ConnectionClosed: The connection is over, and all that came has been received.
        """
        if (message := await self.peek()) is not None:
            self._arrived.popleft()
            return bytes(message)
        data = await super().recv(decode=False)
        if self._arrived:
            self._arrived.popleft()
        return data

    def data_received(self, data: bytes) -> None:
        """Take what came: called by the loop."""
        if self._librarys:
            super().data_received(data)
        elif self.protocol.state is OPEN:
            self._frames(data)
        elif self.protocol.state is CONNECTING:
            super().data_received(data)
            answer = self._answer + data
            self._answer = answer[1 - len(_ANSWERED) :]
            # What came behind the server's answer may have left the library inside a frame.
            alone = answer.find(_ANSWERED) + len(_ANSWERED) == len(answer)
            alone = alone and not self.protocol.extensions
            self._librarys = self.protocol.state is OPEN and not alone
        else:
            self._hand_over(data)

    def _frames(self, data: bytes | bytearray) -> None:
        if self._missing > len(data):  # a long message, of which more comes
            self._begun += data
            self._missing -= len(data)
            return
        if self._begun:
            self._begun += data
            data, self._begun = self._begun, bytearray()
        at, end, view, max_size = 0, len(data), memoryview(data), self.protocol.max_message_size
        while end - at >= 2:
            first, size, body = data[at], data[at + 1], at + 2
            whole, joined = first in WHOLE, self.protocol.current_size
            if size >= MASKED or not (whole or first & 0x0F in KNOWN):  # only a client masks
                self._hand_over(view[at:])
                return
            if size >= 126:
                body += 2 if size == 126 else 8
                if body > end:
                    break
                size = int.from_bytes(view[at + 2 : body])
            if max_size is not None and size > max_size - (joined or 0):
                self._hand_over(view[at:])
                return
            if body + size > end:
                self._missing = body + size - end
                self._begun += view[at:]
                return
            if whole and joined is None:
                self._arrived.append(view[body : body + size])
                self._wake()
            else:
                super().data_received(bytes(view[at : body + size]))
                if self.protocol.state is not OPEN:
                    self._hand_over(view[body + size :])
                    return
            at = body + size
        self._missing = 0
        self._begun += view[at:]

    def _hand_over(self, data: bytes | memoryview) -> None:
        """Leave everything from now on to the library."""
        self._librarys = True
        self._begun += data
        data, self._begun = bytes(self._begun), bytearray()
        if data:
            super().data_received(data)

    def process_event(self, event: Event) -> None:
        """Take a frame from the library: called by it."""
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES and event.opcode is not CONT:
            self._arrived.append(_LIBRARYS)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the end: called by the loop."""
        super().connection_lost(exc)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
