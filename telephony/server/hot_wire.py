"""The WebSocket class for Twilio's media streams: its messages go straight to the call.

It is uvicorn's class, and in front of it a scan that finds the frames in what the socket delivers.
Nearly every frame of a stream is a whole text message. Once a stream has asked for its messages
(`hand_on`), such a frame is unmasked and handed to the stream at once: there is no queue, no task
is woken, and reading is not paused after each message. Every other frame goes to uvicorn's class
and its parser: fragments, pings, closes and faults. So the wire shows what uvicorn would show.

Laws: uvicorn's parser gets whole frames, or a beginning that it refuses and all that follows.
Messages keep their order, whichever way they take, and those before a bad frame are not lost. No
more is kept of an unfinished frame than uvicorn's `ws_max_size`. What is used of the insides of
uvicorn and websockets is listed in `tests/telephony/server/test_hot_wire_insides.py`, and both
classes are compared byte by byte in `test_hot_wire.py`.

Why not a parser of others alone: for the frame of a caller, websockets' takes 3.7 µs and wsproto's
11.2, where the scan takes 0.7; picows would be as fast, but is a server of its own.
"""

import struct
from collections.abc import Callable
from typing import Any, cast

from starlette.websockets import WebSocket
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.protocol import State

from telephony.server.twilio_wire import TwilioWire

try:
    from websockets.speedups import apply_mask
except ImportError:  # websockets has no compiled part for this platform
    from websockets.utils import apply_mask

EXTENSION = "offhook.wire"
"""Where the ASGI scope of a WebSocket has its `HotWire`, among the extensions."""

KNOWN = frozenset(int(opcode) for opcode in Opcode)
WHOLE_TEXT = 0x80 | Opcode.TEXT
"""The first byte of a frame that is a whole text message."""

REQUESTED = b"\r\n\r\n"
"""The end of the request for the upgrade, which uvicorn hands over as a whole."""

type Sink = Callable[[str | bytes], bool]
"""Takes a message: text, or bytes of a binary one. False: it wants neither this nor any more."""

_head = struct.Struct("!BBH").pack
_two_bytes = struct.Struct("!H").unpack_from
_eight_bytes = struct.Struct("!Q").unpack_from


class HotWire(TwilioWire):
    """One WebSocket. Until a sink is given, it behaves as uvicorn's class."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._max_size = self.config.ws_max_size
        self._sink: Sink | None = None
        self._unfinished = bytearray()
        self._parser_alone = False
        self._extensions: dict[str, object] = {}

    def hand_on(self, sink: Sink) -> None:
        """Give messages to `sink` as they come, and first those that wait. What it does not want
        waits to be received, and all that follows, too.
        """
        self._sink = sink
        self._hand_on_waiting()

    def keep(self) -> None:
        """Let messages wait to be received, as uvicorn does."""
        self._sink = None

    def send_now(self, text: str) -> bool:
        """Write a message. False if the other end does not keep up, or the socket is closing: then
        nothing is written, and sending by ASGI waits, or tells that it is closed.
        """
        gone = self.disconnected or self.transport.is_closing()
        if gone or self.conn.state is not State.OPEN or not self.writable.is_set():
            return False
        data = text.encode()
        length = len(data)
        if length < 126:
            head = bytes((WHOLE_TEXT, length))
        elif length < 65_536:
            head = _head(WHOLE_TEXT, 126, length)
        else:
            return False
        self.transport.write(head + data)
        return True

    # What uvicorn calls.

    def handle_connect(self, event: Request) -> None:
        """Answer the upgrade as uvicorn does, and let the application find this object."""
        super().handle_connect(event)
        if not self.close_sent:
            self._extensions = cast("dict[str, object]", self.scope["extensions"])
            self._extensions[EXTENSION] = self

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn, and leave no cycle of references."""
        super().connection_lost(exc)
        self._sink = None
        self._extensions.pop(EXTENSION, None)

    def data_received(self, data: bytes) -> None:
        """Handle the next bytes: of the upgrade, and then of frames."""
        if not self.handshake_initiated:
            super().data_received(data)
            # What came behind the request may have left the parser inside a frame.
            self._parser_alone = data.partition(REQUESTED)[1:] != (REQUESTED, b"")
        elif self._parser_alone:
            self._parse(data)
        elif self._unfinished:
            self._unfinished += data
            del self._unfinished[: self._take_frames(self._unfinished)]
        else:
            self._unfinished += data[self._take_frames(data) :]

    def handle_ping(self) -> None:
        """Answer. Who sends pings and reads no answers is not read from, either."""
        super().handle_ping()
        if not self.writable.is_set() and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The other end reads again."""
        super().resume_writing()
        if self._sink is not None:
            self._hand_on_waiting()
        elif self.queue.empty() or self.close_sent:  # nobody would receive, and so read on
            self._read_on()

    # Frames.

    def _take_frames(self, data: bytes | bytearray) -> int:
        """Handle the whole frames that some bytes begin with; returns how many bytes these are."""
        at, end = 0, len(data)
        while end - at >= 2:
            first, length, begin = data[at], data[at + 1] - 0x80, at + 6
            known = length >= 0 and first & 0x0F in KNOWN  # less than 0: it is not masked
            if known and length == 126:
                if end - at < 4:
                    break
                (length,), begin = _two_bytes(data, at + 2), at + 8
            elif known and length == 127:
                if end - at < 10:
                    break
                (length,), begin = _eight_bytes(data, at + 2), at + 14
            if not known or length > self._max_size - (self.conn.current_size or 0):
                self._parser_alone = True
                self._parse(data[at:])
                return end
            stop = begin + length
            if stop > end:
                break
            if first != WHOLE_TEXT or not self._took(data[begin:stop], data[begin - 4 : begin]):
                self._parse(data[at:stop])
                if self.conn.eof_sent:  # nothing is read behind a close or a fault
                    return end
            at = stop
        return at

    def _took(self, masked: bytes | bytearray, mask: bytes | bytearray) -> bool:
        """Give the sink a message, if it wants it and nothing speaks against that."""
        conn = self.conn
        if self._sink is None or conn.current_size is not None or conn.state is not State.OPEN:
            return False
        try:
            text = apply_mask(masked, mask).decode()
        except UnicodeDecodeError:
            return False
        if self._sink(text):
            return True
        self._sink = None
        return False

    def _parse(self, data: bytes | bytearray) -> None:
        super().data_received(bytes(data))
        if self._sink is not None:
            self._hand_on_waiting()

    def _hand_on_waiting(self) -> None:
        """Give the sink what waits to be received, and read on if nothing of it is left."""
        for _ in range(self.queue.qsize()):
            event = self.queue.get_nowait()
            if event["type"] == "websocket.receive" and self._sink is not None:
                text = event.get("text")
                if self._sink(event.get("bytes") or b"" if text is None else text):
                    continue
                self._sink = None
            self.queue.put_nowait(event)
        if self._sink is not None:
            self._read_on()

    def _read_on(self) -> None:
        if self.read_paused and self.writable.is_set():
            self.read_paused = False
            self.transport.resume_reading()


def wire_of(socket: WebSocket) -> HotWire | None:
    """The wire of a WebSocket; None if the server has another class, or the connection is lost."""
    wire = (socket.scope.get("extensions") or {}).get(EXTENSION)
    return wire if isinstance(wire, HotWire) else None
