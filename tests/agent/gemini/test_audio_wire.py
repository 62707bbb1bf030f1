"""Our short way through the WebSocket library does what the library does: byte for byte, both ways.

Each stream of frames is given to a connection of the library and to ours, cut at the same places.
"""

import asyncio
import logging
import os
import secrets
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri
from websockets.utils import accept_key

from agent.gemini.audio_wire import AudioWire
from agent.gemini.wire import secured

MAX_SIZE = 70_000
QUIET = logging.getLogger("none")
QUIET.setLevel(logging.CRITICAL + 1)


class Pipe(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.broken = self.closing = False
        self.full: Callable[[], None] | None = None

    def write(self, data: Any) -> None:
        if self.broken:
            raise OSError("broken pipe")
        self.written.append(bytes(data))
        if self.full is not None:
            self.full()

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def opened(
    kind: type[ClientConnection], behind: bytes = b"", cuts: Sequence[int] = ()
) -> tuple[Any, Pipe]:
    """A connection that has shaken hands.

    Args:
        kind: Its class.
        behind: What came right behind the server's answer.
        cuts: Where these bytes are cut in segments, counted from the end of the answer.
    """
    secured.set(asyncio.Event())
    protocol = ClientProtocol(parse_uri("wss://host/"), max_size=MAX_SIZE, logger=QUIET)
    connection = kind(protocol, ping_interval=None, close_timeout=0.01, max_queue=None)
    pipe = Pipe()
    connection.connection_made(pipe)
    protocol.send_request(protocol.connect())
    connection.send_data()
    answer = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n\r\n"
    )
    whole = answer.encode() + behind
    inner = {len(answer) + cut for cut in cuts if 0 < len(answer) + cut < len(whole)}
    for begin, end in pairwise(sorted({0, *inner, len(whole)})):
        connection.data_received(whole[begin:end])
    pipe.written.clear()
    return connection, pipe


async def drained(connection: Any) -> list[bytes | str]:
    """All that can be received, and the end if there is one."""
    out: list[bytes | str] = []
    try:
        while True:
            async with asyncio.timeout(0):
                out.append(await connection.recv(decode=False))
    except TimeoutError:
        out.append("waits")
    except ConnectionClosed as closed:
        out.append(f"{type(closed).__name__} {closed.rcvd} {closed.sent}")
    return out


async def lived(
    kind: type[ClientConnection],
    behind: bytes,
    pieces: Sequence[bytes],
    leave_at: int,
    cuts: Sequence[int],
) -> list[Any]:
    """What a connection makes of a stream: messages, bytes that it writes, its states, its end.

    It closes, if it is open still, before the piece `leave_at`.
    """
    connection, pipe = opened(kind, behind, cuts)
    seen: list[Any] = []
    for n, piece in enumerate(pieces):
        if n == leave_at and connection.protocol.state is State.OPEN:
            connection.protocol.send_close(1000)
            connection.send_data()
        connection.data_received(piece)
        if n % 3 == 0:
            seen += await drained(connection)
        seen.append((connection.protocol.state, pipe.closing))
    seen.append(await drained(connection))
    connection.eof_received()
    connection.connection_lost(None)
    # A message may be received after the end; what is written does not depend on who reads when.
    seen += [await drained(connection), connection.close_code, connection.close_reason]
    return [*seen, pipe.written]


def frame(opcode: int, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(Opcode(opcode), data, fin).serialize(mask=False)


MASKED = Frame(Opcode.TEXT, b"m").serialize(mask=True)
TOO_LONG = frame(1, bytes(MAX_SIZE + 1))
FRAMES = st.one_of(
    st.builds(frame, st.sampled_from([1, 2]), st.binary(max_size=200)),
    st.sampled_from([frame(1, bytes(126)), frame(2, bytes(65_535)), frame(2, bytes(65_536))]),
    st.builds(frame, st.sampled_from([9, 10]), st.binary(max_size=125)),
    st.builds(frame, st.sampled_from([1, 2]), st.binary(max_size=9), fin=st.just(False)),
    st.builds(frame, st.just(0), st.binary(max_size=9), fin=st.booleans()),
)
RARE = st.sampled_from(
    [
        frame(8, Close(1000, "bye").serialize()),
        frame(8, Close(1011, "Internal error encountered.").serialize()),
        frame(8, b""),
        frame(8, b"\x03"),
        b"\xc1\x0acompressed",
        TOO_LONG,
        MASKED,
        Frame(Opcode.TEXT, b"longer than its head").serialize(mask=True),
        b"\x83\x00",
        b"\x83\x7e\x01",
        b"\x01\x01a\x80\x7f" + MAX_SIZE.to_bytes(8),
        b"\x89\x7e\x00\x80" + bytes(128),
        b"\x82\x7f" + b"\xff" * 8,
    ]
)


@dataclass(frozen=True)
class Stream:
    """What a server sends, in which segments, and what we do meanwhile.

    Args:
        frames: At first.
        more: Behind them.
        cuts: Where the bytes of all frames are cut.
        early: Whether the first segment comes right behind the server's answer.
        leave_at: The number of the segment before which we close.
        answered: Where the answer and what is behind it are cut, counted from its end.
    """

    frames: Sequence[bytes] = ()
    more: Sequence[bytes] = ()
    cuts: Sequence[int] = ()
    early: bool = False
    leave_at: int = 9
    answered: Sequence[int] = ()


@given(
    st.builds(
        Stream,
        frames=st.lists(FRAMES, max_size=8),
        more=st.lists(st.one_of(FRAMES, RARE), max_size=3),
        cuts=st.lists(st.integers(1, 400), max_size=12),
        early=st.booleans(),
        leave_at=st.integers(0, 20),
        answered=st.lists(st.integers(-6, 6), max_size=3),
    )
)
@example(Stream([frame(1, b"a")], [frame(1, b"b"), frame(8, b"")], cuts=[1, 2]))
@example(Stream([frame(1, b"a" * 30)], cuts=[12], early=True))
@example(Stream([frame(1, b"a" * 5)], cuts=[1], early=True, answered=[-2]))
@example(Stream(more=[MASKED]))
@example(Stream(more=[TOO_LONG]))
@example(Stream([frame(1, bytes(MAX_SIZE)), frame(1, b"\xff")]))
@example(Stream([frame(1, b"ab"), frame(2, b"c")], cuts=[3], leave_at=1))
@settings(deadline=None, max_examples=150)
def test_any_stream_however_it_is_cut_is_what_it_is_to_the_library(stream: Stream) -> None:
    whole = b"".join((*stream.frames, *stream.more))
    ends = sorted({0, *stream.cuts, len(whole)})
    pieces = [piece for a, b in pairwise(ends) if (piece := whole[a:b])]
    first = pieces.pop(0) if stream.early and pieces else b""

    async def both() -> None:
        ours, librarys = [
            await lived(kind, first, pieces, stream.leave_at, stream.answered)
            for kind in (AudioWire, ClientConnection)
        ]
        assert ours == librarys

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "token_bytes", bytes)
        asyncio.run(both())


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 200_000])
async def test_a_text_has_the_librarys_bytes(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    key = b"\x01\x02\x03\x04"
    monkeypatch.setattr(secrets, "token_bytes", lambda _: key)
    monkeypatch.setattr(os, "urandom", lambda size: key * (size // 4))
    text = bytes(i % 128 for i in range(size))
    (ours, our_pipe), (librarys, pipe) = opened(AudioWire), opened(ClientConnection)
    await ours.send_text(text)
    await librarys.send(text, text=True)
    assert b"".join(our_pipe.written) == b"".join(pipe.written)


async def test_no_two_frames_have_the_same_key() -> None:
    wire, pipe = opened(AudioWire)
    for _ in range(3_000):
        await wire.send_text(b"")
    assert len({data[2:6] for data in pipe.written}) == 3_000


async def test_a_message_that_is_whole_goes_past_the_librarys_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire, _ = opened(AudioWire)
    monkeypatch.setattr(wire.protocol, "receive_data", lambda _: pytest.fail("the slow way"))
    stream = frame(2, b"one") + frame(1, b"two")
    for byte in range(len(stream)):
        wire.data_received(stream[byte : byte + 1])
    assert await drained(wire) == [b"one", b"two", "waits"]


async def test_a_long_message_in_little_pieces_takes_no_more_memory_than_it_has_bytes() -> None:
    wire, _ = opened(AudioWire)
    stream, step = frame(2, bytes(MAX_SIZE)), 9
    tracemalloc.start()
    try:
        for at in range(0, len(stream) - step, step):
            wire.data_received(stream[at : at + step])
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held_bytes < 1.5 * len(stream)
    wire.data_received(stream[at + step :])
    assert await drained(wire) == [bytes(MAX_SIZE), "waits"]


@pytest.mark.parametrize(("kind", "name"), [(AudioWire, "send_text"), (ClientConnection, "send")])
async def test_a_message_whose_sender_is_cancelled_was_sent_once(
    kind: type[ClientConnection], name: str
) -> None:
    connection, pipe = opened(kind)
    connection.pause_writing()
    sending = asyncio.ensure_future(getattr(connection, name)(b"one"))
    await asyncio.sleep(0)
    sending.cancel()
    await asyncio.wait([sending])
    connection.resume_writing()
    await getattr(connection, name)(b"two")
    assert [len(data) for data in pipe.written] == [9, 9]


async def test_a_full_socket_holds_up_the_sender_until_there_is_room() -> None:
    for kind, name in ((AudioWire, "send_text"), (ClientConnection, "send")):
        connection, pipe = opened(kind)
        connection.pause_writing()
        sending = asyncio.ensure_future(getattr(connection, name)(b"one"))
        await asyncio.sleep(0)
        assert (len(pipe.written), sending.done()) == (1, False)
        connection.resume_writing()
        await sending


async def test_a_socket_that_fills_with_a_message_holds_up_who_sent_it() -> None:
    wire, pipe = opened(AudioWire)
    pipe.full = wire.pause_writing
    sending = asyncio.ensure_future(wire.send_text(b"one"))
    await asyncio.sleep(0)
    assert not sending.done()
    wire.connection_lost(OSError("reset"))
    with pytest.raises(ConnectionClosed):
        await sending


async def test_nothing_is_sent_now_that_would_have_to_wait() -> None:
    wire, pipe = opened(AudioWire)
    assert wire.send_now(b"one")
    wire.pause_writing()
    assert not wire.send_now(b"two")
    wire.resume_writing()
    wire.data_received(frame(8, b""))
    pipe.written.clear()
    assert not wire.send_now(b"three")
    assert not pipe.written


async def test_a_socket_that_breaks_under_what_is_sent_now_tells_the_receiver() -> None:
    wire, pipe = opened(AudioWire)
    pipe.broken = True
    assert wire.send_now(b"one")
    assert pipe.closing
    wire.connection_lost(None)
    with pytest.raises(ConnectionClosed) as caught:
        await wire.recv()
    assert (caught.value.rcvd, type(caught.value.__cause__)) == (None, OSError)


async def test_a_socket_that_breaks_is_a_closed_connection_to_who_sends() -> None:
    for kind, name in ((AudioWire, "send_text"), (ClientConnection, "send")):
        connection, pipe = opened(kind)
        pipe.broken = True
        sending = asyncio.ensure_future(getattr(connection, name)(b"one"))
        await asyncio.sleep(0)
        assert pipe.closing
        connection.connection_lost(None)
        with pytest.raises(ConnectionClosed) as caught:
            await sending
        assert (caught.value.rcvd, type(caught.value.__cause__)) == (None, OSError)
        assert connection.state is State.CLOSED


async def test_what_is_not_received_because_of_a_cancellation_comes_next() -> None:
    for end in (frame(1, b"whole"), frame(0, b"ole")):
        wire, _ = opened(AudioWire)
        wire.data_received(b"" if end[0] & 1 else frame(1, b"wh", fin=False))
        receiving = asyncio.ensure_future(wire.recv(decode=False))
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.wait([receiving])
        wire.data_received(end)
        assert await drained(wire) == [b"whole", "waits"]
