"""Frames that a client may send to a WebSocket, or may not."""

import struct

from websockets.frames import Opcode

from telephony.server.app import MAX_FRAME_BYTES
from tests.telephony.server.wires import CLOSE


def frame(
    opcode: Opcode, data: bytes, *, fin: bool = True, mask: bool = True, rsv: int = 0
) -> bytes:
    """A frame of a client, with a mask that is the same each time. Nothing is checked."""
    length = len(data)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if length < 126:
        head += bytes([bit | length])
    elif length < 65_536:
        head += struct.pack("!BH", bit | 126, length)
    else:
        head += struct.pack("!BQ", bit | 127, length)
    key = b"\x13\xd7\x00\xff"
    return head + (key + bytes(b ^ key[n % 4] for n, b in enumerate(data)) if mask else data)


def text(words: str, *, fin: bool = True) -> bytes:
    """A text message, or its first part."""
    return frame(Opcode.TEXT, words.encode(), fin=fin)


def close(code: int, reason: str = "") -> bytes:
    """A close with a code."""
    return frame(Opcode.CLOSE, struct.pack("!H", code) + reason.encode())


BOUNDARY = (124, 125, 126, 127, 65_535, MAX_FRAME_BYTES)

FRAMES = {
    "text": [text("hello"), text("größe €"), text("")],
    "lengths": [text("x" * length) for length in BOUNDARY],
    "binary": [frame(Opcode.BINARY, b"\x00\xff"), frame(Opcode.BINARY, b"")],
    "pings": [frame(Opcode.PING, b"1"), frame(Opcode.PING, b""), text("between")],
    "pongs": [frame(Opcode.PONG, b"nobody asked"), text("behind")],
    "fragments": [
        *(text("gr", fin=False), frame(Opcode.CONT, b"\xc3", fin=False)),
        *(frame(Opcode.PING, b"within"), frame(Opcode.CONT, b"\xb6\xc3\x9fe"), text("next")),
    ],
    "fragments of bytes": [
        frame(Opcode.BINARY, b"\x01", fin=False),
        *(frame(Opcode.CONT, b"", fin=False), frame(Opcode.CONT, b"\x02")),
    ],
    "a fragment that is not gone on with": [text("a", fin=False), text("b")],
    "a fragment, and a close": [text("a", fin=False), close(1000)],
    "a part of nothing": [text("a"), frame(Opcode.CONT, b"b"), text("c")],
    "fragments too long together": [
        text("x" * (MAX_FRAME_BYTES - 9), fin=False),
        frame(Opcode.CONT, b"x" * 10),
    ],
    "a fragment that would be too long, its beginning alone": [
        text("x" * (MAX_FRAME_BYTES - 9), fin=False),
        bytes([0x80, 0x80 | 10]),
    ],
    "fragments as long as they may be": [
        text("x" * (MAX_FRAME_BYTES - 9), fin=False),
        *(frame(Opcode.CONT, b"x" * 9), text("y")),
    ],
    "too long": [text("a"), text("x" * (MAX_FRAME_BYTES + 1)), text("b")],
    "much too long": [text("a"), b"\x81\xff" + b"\xff" * 8 + b"mask"],
    "bad UTF-8": [text("a"), frame(Opcode.TEXT, b"\xc3("), text("b")],
    "bad UTF-8 in fragments": [text("a", fin=False), frame(Opcode.CONT, b"\xff"), text("b")],
    "half a character": [frame(Opcode.TEXT, b"\xc3")],
    "a surrogate": [frame(Opcode.TEXT, b"\xed\xa0\x80")],
    "no mask": [text("a"), frame(Opcode.TEXT, b"b", mask=False), text("c")],
    "a ping without a mask": [text("a"), frame(Opcode.PING, b"", mask=False)],
    "reserved bits": [text("a"), frame(Opcode.TEXT, b"b", rsv=4), text("c")],
    "an unknown opcode": [text("a"), bytes([0x83, 0x80]), text("b")],
    "a long ping": [text("a"), frame(Opcode.PING, b"x" * 126), text("b")],
    "a fragmented ping": [text("a"), frame(Opcode.PING, b"x", fin=False), text("b")],
    **{f"close {code}": [text("a"), close(code, "why"), text("b")] for code in (1000, 1001, 4000)},
    **{f"close {code}, which none may": [text("a"), close(code)] for code in (999, 1005, 5000)},
    "close without a code": [text("a"), frame(Opcode.CLOSE, b"")],
    "close with half a code": [text("a"), frame(Opcode.CLOSE, b"\x03")],
    "close with bad UTF-8": [frame(Opcode.CLOSE, struct.pack("!H", 1000) + b"\xff")],
    "closed by us": [text("a"), text(f"{CLOSE}1008"), text("b"), close(1008), text("c")],
    "closed by us, a ping first": [text(f"{CLOSE}1000"), frame(Opcode.PING, b"1"), close(1000)],
    "closed by both": [text(f"{CLOSE}1013"), frame(Opcode.PONG, b""), close(1000)],
    "closed by us, then a fault": [text(f"{CLOSE}1000"), frame(Opcode.TEXT, b"", mask=False)],
}
"""What a client sends, by name; each is cut in several ways."""
