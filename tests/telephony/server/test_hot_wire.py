"""Our WebSocket class beside uvicorn's: the same bytes on the wire and the same end, whatever comes
and however it is cut. No message is lost, and none is told twice.

If a version of uvicorn or websockets changes what ours relies on, these tests fail: read what has
changed, and mend `telephony/server/hot_wire.py`. Until then, HOT_PATH=sdk does without it.
"""

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Opcode

from telephony.server.app import MAX_FRAME_BYTES
from telephony.server.hot_wire import EXTENSION, HotWire
from telephony.server.twilio_wire import TwilioWire
from tests.telephony.server.frames import BOUNDARY, FRAMES, close, frame, text
from tests.telephony.server.wires import CLOSE, REQUEST, Wire, undated


class Kept(TwilioWire):
    """Counts texts that are not UTF-8 and have a close or a fault behind them in their segment."""

    ended_twice = 0

    def send_receive_event_to_app(self) -> None:
        try:
            WebSocketsSansIOProtocol.send_receive_event_to_app(self)
        except InvalidState:
            self.ended_twice += 1


async def fed(wire: Wire, segments: Sequence[bytes]) -> Wire:
    """The wire, when all of this came, and then the end of the connection."""
    await wire.open()
    await wire.receive(*segments)
    before = wire.line.closing
    await wire.lose()
    wire.shown.append(b"closed" if before else b"open")
    return wire


async def all_alike(segments: Sequence[bytes]) -> None:
    """Wires that get these do the same: uvicorn's, ours, and ours with a sink.

    Of two reasons to close in one segment, the first counts for ours. For uvicorn it is the second,
    or it raises, if the first is a text that is not UTF-8.
    """
    kept = await fed(Wire(Kept), segments)
    ours = await fed(Wire(HotWire), segments)
    sunk = await fed(Wire(HotWire, hand_on=True), segments)
    assert (ours.shown, ours.told.ended) == (sunk.shown, sunk.told.ended)
    assert ours.told.messages == sunk.told.messages
    assert isinstance(kept.protocol, Kept)
    if kept.protocol.ended_twice:
        assert kept.shown[-1] == ours.shown[-1] == b"closed"
        return
    plain = await fed(Wire(WebSocketsSansIOProtocol), segments)
    assert ours.shown == plain.shown == kept.shown
    assert ours.told.messages == kept.told.messages
    assert ours.told.ended == kept.told.ended


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    """Data in segments."""
    return [data[a:b] for a, b in pairwise([0, *sorted(set(at)), len(data)]) if a < b]


@pytest.mark.parametrize("name", FRAMES)
async def test_what_is_sent_and_how_it_ends_is_as_with_uvicorn(name: str) -> None:
    frames = FRAMES[name]
    whole = b"".join(frames)
    await all_alike([whole])
    await all_alike(frames)
    for length in (1, 3, 7) if len(whole) < 300 else (30_011,):
        await all_alike(cut(whole, range(0, len(whole), length)))


PARTS = st.one_of(
    st.sampled_from([one for frames in FRAMES.values() for one in frames if len(one) < 300]),
    st.text(max_size=20).map(text),
    st.binary(min_size=1, max_size=8),
)


@given(st.lists(PARTS, max_size=8), st.data())
async def test_any_frames_and_any_bytes_however_they_are_cut(
    parts: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(parts)
    ends = st.integers(0, len(whole))
    await all_alike(cut(whole, data.draw(st.lists(ends, max_size=6))))


BAD = frame(Opcode.TEXT, b"\xc3(")


@pytest.mark.parametrize("behind", [close(1000), frame(Opcode.TEXT, b"b", mask=False), BAD])
@pytest.mark.parametrize("kind", [TwilioWire, HotWire])
async def test_two_reasons_to_close_in_one_segment_close_once(
    kind: type[WebSocketsSansIOProtocol], behind: bytes
) -> None:
    await all_alike([text("a") + BAD + behind])
    wire = await fed(Wire(kind, hand_on=True), [text("a") + BAD + behind])
    assert [word for _, word in wire.told.messages] == ["a"]
    assert wire.shown[-1] == b"closed"
    written = wire.shown[-2].partition(b"\r\n\r\n")[2]
    assert (written[0], len(written)) == (0x80 | Opcode.CLOSE, 2 + written[1])


@pytest.mark.parametrize("first", range(256))
async def test_every_first_byte_of_a_frame(first: int) -> None:
    for second in (0x01, 0x7F, 0x80, 0x81, 0xFE, 0xFF):
        await all_alike([bytes([first, second]), b"\x00\x02mask..", b"\x00\x00\x01mask."])


HANDSHAKES = {
    "plain": b"",
    "a subprotocol": b"sec-websocket-protocol: twilio, other\r\n",
    "compression": b"sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n",
    "no key": b"sec-websocket-key: twice\r\n",
    "an odd version": b"sec-websocket-version: 8\r\n",
}

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "accepts": [{"type": "websocket.accept"}],
    "accepts with more": [
        {
            "type": "websocket.accept",
            "subprotocol": "twilio",
            "headers": [(b"x-served-by", b"\xe9")],
        }
    ],
    "refuses": [{"type": "websocket.close"}],
    "refuses with a page": [
        {"type": "websocket.http.response.start", "status": 404, "headers": [(b"x-why", b"gone")]},
        {"type": "websocket.http.response.body", "body": b"not ", "more_body": True},
        {"type": "websocket.http.response.body", "body": b"here"},
    ],
    "says nothing": [],
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("asked", HANDSHAKES)
async def test_the_upgrade_is_answered_as_by_uvicorn(asked: str, answer: str) -> None:
    shown = []
    for kind in (WebSocketsSansIOProtocol, HotWire):
        wire = Wire(kind, answer=ANSWERS[answer])
        await wire.open(HANDSHAKES[asked])
        await wire.receive(text("early"))
        shown.append((wire.shown, wire.line.closing))
        await wire.lose()
    assert shown[0] == shown[1]
    assert b"permessage-deflate" not in shown[1][0][0]


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
@pytest.mark.parametrize("frames", [[], [text("a"), text("b")[:5]], [text("a", fin=False)]])
async def test_a_connection_that_is_lost(error: Exception | None, frames: list[bytes]) -> None:
    ends = []
    for kind in (TwilioWire, HotWire):
        wire = Wire(kind, hand_on=True)
        await wire.open()
        await wire.receive(*frames)
        await wire.lose(error)
        ends.append((wire.shown, wire.told.messages, wire.told.ended, wire.state.connections))
    assert ends[0] == ends[1]
    assert ends[1][2] == {"type": "websocket.disconnect", "code": 1005}


@pytest.mark.parametrize("opened", [True, False])
async def test_a_server_that_shuts_down_closes_it_as_uvicorn_does(opened: bool) -> None:
    ends = []
    for kind in (WebSocketsSansIOProtocol, HotWire):
        wire = Wire(kind, hand_on=True, answer=ANSWERS["accepts"] if opened else [])
        await wire.open()
        if opened:
            await wire.receive(text("a"), text("half")[:4])
        wire.protocol.shutdown()
        shown = undated(wire.line.written), wire.line.closing
        await wire.settle()
        ends.append((shown, wire.told.messages, wire.told.ended))
        await wire.lose()
    assert ends[0] == ends[1]
    assert ends[1][0][1] is True


async def test_pings_of_ours_are_as_uvicorns() -> None:
    written = []
    for kind in (WebSocketsSansIOProtocol, HotWire):
        wire = Wire(kind, hand_on=True)
        await wire.open()
        random.seed(7)
        before = len(wire.line.written)
        wire.protocol.send_keepalive_ping()
        written.append(wire.line.written[before:])
        await wire.receive(frame(Opcode.PONG, written[-1][2:]), text("a"))
        assert wire.protocol.pending_ping_payload is None
        await wire.lose()
    assert written[0] == written[1] != b""


async def opened(*, hand_on: bool = True) -> Wire:
    """A wire of ours, with a sink or without."""
    wire = Wire(HotWire, hand_on=hand_on)
    await wire.open()
    return wire


def hot(wire: Wire) -> HotWire:
    """What is under test."""
    assert isinstance(wire.protocol, HotWire)
    return wire.protocol


async def test_messages_are_handed_on_before_anything_else_is_read_and_reading_never_pauses() -> (
    None
):
    wire = await opened()
    hot(wire).data_received(b"".join(text(str(n)) for n in range(100)))
    assert [word for _, word in wire.told.messages] == [str(n) for n in range(100)]
    assert (wire.told.handed_on, wire.line.pauses) == (100, 0)
    await wire.lose()


async def test_what_waited_goes_first_and_what_is_not_wanted_waits() -> None:
    wire = await opened(hand_on=False)
    hot(wire).data_received(text("1") + frame(Opcode.BINARY, b"2") + text("3"))
    got: list[str | bytes] = []

    def two(message: str | bytes) -> bool:
        got.append(message)
        return len(got) < 4

    hot(wire).hand_on(two)
    assert wire.line.reading
    hot(wire).data_received(text("4") + text("5"))
    hot(wire).data_received(text("6"))
    assert got == ["1", b"2", "3", "4"]
    await wire.settle()
    assert [word for _, word in wire.told.messages] == ["4", "5", "6"]
    await wire.lose()


async def test_after_keep_messages_are_received() -> None:
    wire = await opened()
    await wire.receive(text("1"))
    hot(wire).keep()
    await wire.receive(text("2"))
    assert (len(wire.told.messages), wire.told.handed_on) == (2, 1)
    await wire.lose()


@pytest.mark.parametrize("length", [0, 1, *BOUNDARY[:-1]])
async def test_what_is_sent_at_once_is_what_uvicorn_sends(length: int) -> None:
    words = "é" * (length // 2) + "x" * (length % 2)
    ours, plain = await opened(), Wire(WebSocketsSansIOProtocol)
    await plain.open()
    before = len(plain.line.written)
    assert hot(ours).send_now(words)
    await plain.protocol.send({"type": "websocket.send", "text": words})
    assert undated(ours.line.written) == undated(plain.line.written)
    assert len(plain.line.written) > before + length
    await ours.lose()
    await plain.lose()


async def test_what_is_longer_is_left_to_uvicorn() -> None:
    wire = await opened()
    before = wire.line.written
    assert not hot(wire).send_now("x" * 65_536)
    assert wire.line.written == before
    await wire.lose()


async def test_nothing_is_sent_to_who_does_not_keep_up_or_is_gone() -> None:
    wire = await opened()
    hot(wire).pause_writing()
    assert not hot(wire).send_now("a")
    hot(wire).resume_writing()
    assert hot(wire).send_now("a")
    await wire.receive(text(f"{CLOSE}1000"))
    assert not hot(wire).send_now("a")
    lost = await opened()
    hot(lost).connection_lost(ConnectionResetError())
    assert not hot(lost).send_now("a")
    await wire.lose()


async def test_who_sends_pings_and_reads_no_answers_is_not_read_from() -> None:
    wire = await opened()
    hot(wire).pause_writing()
    hot(wire).data_received(text("a") + frame(Opcode.PING, b""))
    assert wire.line.pauses == 1
    hot(wire).resume_writing()
    await wire.receive(text("b"))
    assert wire.told.handed_on == 2
    await wire.lose()


@pytest.mark.parametrize("end", ["", f"{CLOSE}1000"])
async def test_nor_is_it_left_so_when_nobody_has_asked_for_messages(end: str) -> None:
    wire = await opened(hand_on=False)
    await wire.receive(*([text(end)] if end else []))
    hot(wire).pause_writing()
    hot(wire).data_received(frame(Opcode.PING, b""))
    reading = [wire.line.reading]
    hot(wire).resume_writing()
    reading.append(wire.line.reading)
    await wire.receive(close(1000))
    assert (reading, wire.line.closing) == ([False, True], True)
    await wire.lose()


async def test_but_a_message_that_waits_is_received_before_more_is_read() -> None:
    wire = await opened(hand_on=False)
    hot(wire).data_received(text("a"))
    hot(wire).pause_writing()
    hot(wire).resume_writing()
    assert not wire.line.reading
    await wire.settle()
    assert (wire.told.messages, wire.line.reading) == ([("str", "a")], True)
    await wire.lose()


LIKE_A_HEAD = "ab\x02\x01cd"
"""Behind its second letter, the frame of this text reads as if a long frame began."""


@pytest.mark.parametrize("cut", [1, 3, 8, 12])
async def test_frames_right_behind_the_request_are_uvicorns_and_so_is_all_that_follows(
    cut: int,
) -> None:
    told, first = [], text(LIKE_A_HEAD)
    for kind in (TwilioWire, HotWire):
        wire = Wire(kind, hand_on=True)
        await wire.receive(REQUEST % b"" + first[:cut], first[cut:] + text("b"), text("c"))
        told.append((wire.told.messages, wire.shown))
        await wire.lose()
    assert told[0] == told[1]
    assert [word for _, word in told[0][0]] == [LIKE_A_HEAD, "b", "c"]


async def test_of_an_unfinished_frame_no_more_is_kept_than_a_frame() -> None:
    wire = await opened()
    long = text("x" * MAX_FRAME_BYTES)
    for at in range(0, len(long) - 1, 9_999):
        hot(wire).data_received(long[at : at + 9_999][: len(long) - 1 - at])
    assert len(hot(wire)._unfinished) == len(long) - 1
    hot(wire).data_received(long[-1:] + text("y"))
    assert not hot(wire)._unfinished
    assert wire.told.handed_on == 2
    await wire.lose()


async def test_a_wire_that_is_gone_is_not_held_by_its_scope() -> None:
    wire = await opened()
    protocol = hot(wire)
    extensions: Any = protocol.scope["extensions"]
    assert extensions[EXTENSION] is protocol
    await wire.lose()
    assert EXTENSION not in extensions
