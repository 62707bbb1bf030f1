"""A media stream on both WebSocket classes: order, backpressure, and how it ends."""

import asyncio
import json
import struct
from typing import Any

import pytest
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Opcode

from telephony import settings
from telephony.call.commands import CloseStream, SendClear, SendMark, SendMedia
from telephony.call.events import StreamEnded
from telephony.server.app import Server, application
from telephony.server.hot_wire import HotWire
from telephony.server.stream import MediaStream
from telephony.server.twilio_wire import TwilioWire
from telephony.simulator import wire as twilio
from telephony.twilio.messages import Malformed, Mark, Media, Message, Stop
from tests.telephony.server.frames import close, frame, text
from tests.telephony.server.wires import Wire

SID = "MZ1"
KINDS = (TwilioWire, HotWire)


class Streamed:
    """A stream that has started, and what was fed from it."""

    def __init__(self, kind: type[WebSocketsSansIOProtocol]) -> None:
        self.fed: list[Message | StreamEnded] = []
        self.stream: MediaStream
        self.task: asyncio.Task[Any]
        self.wire = Wire(kind, app=self._app)

    @property
    def kinds(self) -> list[type]:
        """Of what was fed."""
        return [type(message) for message in self.fed]

    async def sent(self) -> list[str]:
        """The events that were written, in order."""
        await self.wire.settle()
        written = self.wire.line.written.partition(b"\r\n\r\n")[2]
        events = []
        while written and written[0] == 0x81:
            length, head = written[1], 2
            if length == 126:
                (length,), head = struct.unpack_from("!H", written, 2), 4
            message = json.loads(written[head : head + length])
            events.append(message["mark"]["name"] if "mark" in message else message["event"])
            written = written[head + length :]
        return events

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        self.stream = MediaStream(socket, SID)
        self.task = asyncio.ensure_future(self.stream.run(self.fed.append))
        await asyncio.wait({self.task})


async def streamed(kind: type[WebSocketsSansIOProtocol]) -> Streamed:
    """Of a class."""
    one = Streamed(kind)
    await one.wire.open()
    return one


def media(number: int) -> bytes:
    """A frame of a caller."""
    return text(twilio.media(number, SID, number, 20 * number, b"\xff" * 160))


STOP = text(twilio.stop(9, SID, "CA1", "AC1"))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_follows_a_stop_is_not_fed_and_the_end_is_last(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    await one.wire.receive(media(1) + media(2) + STOP + media(3) + close(1000))
    await one.wire.receive()
    assert one.kinds == [Media, Media, Stop, StreamEnded]
    assert one.fed[-1] == StreamEnded(SID, "close")
    await one.wire.lose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_frame_that_cannot_be_read_breaks_it_behind_what_came_before(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    await one.wire.receive(media(1) + frame(Opcode.TEXT, b"{}", mask=False) + media(2))
    assert one.kinds == [Media, StreamEnded]
    assert one.fed[-1] == StreamEnded(SID, "broken")
    await one.wire.lose()


@pytest.mark.parametrize("kind", KINDS)
async def test_fragments_nonsense_and_bytes_are_fed_in_order(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    mark = twilio.mark(3, SID, "r1:1").encode()
    await one.wire.receive(
        media(1)
        + frame(Opcode.TEXT, mark[:9], fin=False)
        + frame(Opcode.PING, b"")
        + frame(Opcode.CONT, mark[9:])
        + frame(Opcode.BINARY, b"\x00")
        + text(twilio.mark(4, "MZ9", "r1:2"))
        + text(twilio.connected())
        + media(2)
    )
    reasons = [each.reason for each in one.fed if isinstance(each, Malformed)]
    assert one.kinds == [Media, Mark, Malformed, Malformed, Malformed, Media]
    assert reasons == ["binary frame", "wrong streamSid", "out of order"]
    await one.wire.lose()
    assert one.fed[-1] == StreamEnded(SID, "broken")


@pytest.mark.parametrize("kind", KINDS)
async def test_who_does_not_keep_up_gets_everything_in_order_and_a_clear_overtakes(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    one.stream.put(SendMark(SID, "1"))
    assert await one.sent() == ["1"]
    one.wire.protocol.pause_writing()
    for name in ("2", "3", "4"):
        one.stream.put(SendMark(SID, name))
    await one.wire.settle()  # the writer has taken one
    one.stream.put(SendClear(SID))
    one.stream.put(SendMark(SID, "5"))
    one.wire.protocol.resume_writing()
    one.stream.put(SendMedia(SID, 1, b"\xff" * 160))
    assert await one.sent() == ["1", "2", "clear", "5", "media"]
    one.stream.put(SendMark(SID, "6"))
    one.stream.put(CloseStream(SID))
    one.stream.put(SendMark(SID, "too late"))
    await one.wire.settle()
    await one.wire.receive(close(1000))
    assert (await one.sent())[-1] == "6"
    assert one.fed == [StreamEnded(SID, "close")]
    await one.wire.lose()


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_written_behind_the_end_whoever_finds_it(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    one.stream.put(SendMark(SID, "1"))
    one.stream.put(CloseStream(SID))
    asyncio.get_running_loop().call_soon(one.stream.put, SendMark(SID, "too late"))
    await one.wire.settle()
    await one.wire.receive(close(1000))
    one.stream.put(SendMark(SID, "much too late"))
    assert await one.sent() == ["1"]
    assert one.fed == [StreamEnded(SID, "close")]
    await one.wire.lose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_stream_that_is_cancelled_while_it_sends_sends_nothing_more_and_feeds_nothing_more(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    one.wire.protocol.pause_writing()
    for name in ("1", "2"):
        one.stream.put(SendMark(SID, name))
    await one.wire.settle()  # the writer has taken one
    one.task.cancel()
    await one.wire.settle()
    await one.wire.receive(media(1))
    one.wire.protocol.resume_writing()
    one.stream.put(SendMark(SID, "3"))
    await one.wire.settle()
    assert (await one.sent(), one.fed) == ([], [])
    await one.wire.lose()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_transport_that_is_lost_while_it_is_full_ends_it(
    kind: type[WebSocketsSansIOProtocol],
) -> None:
    one = await streamed(kind)
    one.wire.protocol.pause_writing()
    for name in ("1", "2"):
        one.stream.put(SendMark(SID, name))
    await one.wire.receive(media(1))
    await one.wire.lose(ConnectionResetError())
    assert one.fed[-1] == StreamEnded(SID, "broken")
    assert one.kinds == [Media, StreamEnded]
    assert await one.sent() == []


async def test_on_our_class_a_command_is_written_before_the_loop_turns() -> None:
    one = await streamed(HotWire)
    before = len(one.wire.line.written)
    one.stream.put(SendMedia(SID, 1, b"\xff" * 1600))
    assert len(one.wire.line.written) > before + 2_000
    assert await one.sent() == ["media"]
    await one.wire.lose()


@pytest.mark.parametrize(("chosen", "kind"), [("fast", HotWire), ("sdk", TwilioWire)])
def test_hot_path_chooses_the_class(chosen: str, kind: type) -> None:
    given = settings.load(
        gemini_api_key="simulated",
        twilio_auth_token="t",
        public_url="https://voice.example.com",
        hot_path=chosen,
    )
    assert Server(application(given), given).config.ws is kind
