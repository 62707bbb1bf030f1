"""A session whose audio messages are ours is, on the wire, the session that the SDK would have.

Both have the same TLS server, on real sockets. A new version of the SDK or of the WebSocket library
that changes what they say fails here, and in test_audio_messages.py and test_audio_wire.py.
"""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from google import genai
from websockets.frames import Frame, Opcode

from agent.conversation.commands import (
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
)
from agent.conversation.declaration import Tool
from agent.conversation.events import GoAway, ModelEvent, ReplyAudio, SessionLost, SessionReady
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.transcript import Line
from agent.gemini.audio_wire import AudioWire
from agent.gemini.connection import Connection as Ours
from agent.gemini.outbox import MAX_LIVE_BYTES, ModelOutbox
from tests.agent.gemini.conftest import (
    GO_AWAY,
    HANG_GUARD_S,
    OPEN,
    Answer,
    Connection,
    Dial,
    Diary,
    Gemini,
    reply,
    running,
    whole,
)

WAYS = ("fast", "sdk")
LENGTHY = bytes(range(256)) * 400


async def heard(answer: Answer, dial: Dial, way: str) -> tuple[Gemini, list[str | bytes]]:
    """All that a server hears of a session that says everything there is to say."""
    words: list[str | bytes] = []

    async def listen(connection: Connection) -> None:
        words.append(await connection.websocket.recv())
        await connection.say({"setupComplete": {}})
        words.extend([await connection.websocket.recv() for _ in range(9)])

    gemini, outbox = await answer(listen), ModelOutbox()
    outbox.put(SayToModel(3, 'Say "hello", Zoë \U0001f600.'))
    outbox.put(SendCallerAudio(3, bytes(range(256))))
    outbox.put(MarkSpeech(3, begins=True))
    outbox.put(SendCallerAudio(3, LENGTHY, live=False))
    outbox.put(SendCallerAudio(3, b"", live=False))
    outbox.put(MarkSpeech(3, begins=False))
    outbox.put(EndCallerAudio(3))
    outbox.put(SendToolResult(3, "call-1", "look", '{"found": "Zoë"}', "WHEN_IDLE"))
    persona = replace(DEFAULT_PERSONA, tools=(Tool("look", "Looks."),))
    history = (Line(1, "caller", "Hi.", "Hi.", 0, 1),)
    async with asyncio.timeout(HANG_GUARD_S):
        live = dial(gemini, hot_path=way)
        await live.run(OpenModel(3, persona, "H1", history), outbox, Diary())
    return gemini, words


async def test_each_message_and_the_request_are_those_of_the_sdk(
    answer: Answer, dial_by: Dial
) -> None:
    (ours, our_words), (sdks, words) = [await heard(answer, dial_by, way) for way in WAYS]
    assert our_words == words
    assert ours.requests[0].path == sdks.requests[0].path
    told = [
        {
            (name.lower(), value.replace(f":{gemini.port}", ""))
            for name, value in gemini.requests[0].headers.raw_items()
            if name.lower() != "sec-websocket-key"
        }
        for gemini in (ours, sdks)
    ]
    assert told[0] == told[1]
    assert all(isinstance(word, str) for word in words)
    assert not any(name == "sec-websocket-extensions" for name, _ in told[0]), "deflate costs"


async def test_the_sdk_still_takes_our_socket(
    answer: Answer, dial_by: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    wires: dict[str, Any] = {}
    for way in WAYS:
        monkeypatch.setattr(
            Ours,
            "send_history",
            lambda self, _, way=way: wires.setdefault(way, self._wire) or done(),
        )
        history = (Line(1, "caller", "Hi.", "Hi.", 0, 1),)
        await whole(
            dial_by(await answer(), hot_path=way),
            Diary(),
            OpenModel(3, DEFAULT_PERSONA, "", history),
        )
    assert isinstance(wires["fast"], AudioWire)
    assert wires["sdk"] is None


async def done() -> None:
    pass


def test_the_sdk_is_the_one_that_was_read() -> None:
    assert genai.__version__ == "3.4.0", "read live.py again: what of it is ours to repeat?"


async def test_pings_are_answered_and_fragments_joined_in_order(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    ponged: list[float] = []

    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(reply(b"\1\0"))
        ponged.append(await (await connection.websocket.ping()))
        text = b'{"goAway": {"timeLeft": "1s"}}'
        await connection.websocket.send([text[:9], text[9:10], text[10:]])
        await connection.say(reply(b"\2\0"))
        await connection.hang_up(1000, "")

    events = await whole(dial(await answer(talk)), diary)
    assert len(ponged) == 1
    assert events == [
        SessionReady(3),
        ReplyAudio(3, b"\1\0"),
        GoAway(3, 1_000),
        ReplyAudio(3, b"\2\0"),
        SessionLost(3, 1000, ""),
    ]


async def test_what_comes_in_one_piece_with_the_answer_to_the_setup_is_told_in_order(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def hurry(connection: Connection) -> None:
        await connection.hear()
        messages: list[dict[str, Any]] = [{"setupComplete": {}}, GO_AWAY, reply(b"\1\0")]
        messages += [GO_AWAY, reply(b"\2\0")]
        frames = [
            Frame(Opcode.BINARY, json.dumps(message).encode()).serialize(mask=False)
            for message in messages
        ]
        connection.websocket.transport.write(b"".join(frames))
        await connection.hang_up(1000, "")

    events = await whole(dial(await answer(hurry)), diary)
    assert events == [
        SessionReady(3),
        GoAway(3, 1_000),
        ReplyAudio(3, b"\1\0"),
        GoAway(3, 1_000),
        ReplyAudio(3, b"\2\0"),
        SessionLost(3, 1000, ""),
    ]


async def test_what_came_before_the_end_of_the_line_is_told_and_nothing_of_half_a_message(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def half(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(GO_AWAY, reply(b"\1\0"))
        words = json.dumps(reply(b"\2\0")).encode()
        connection.websocket.transport.write(Frame(Opcode.TEXT, words).serialize(mask=False)[:-1])
        connection.websocket.transport.close()

    events = await whole(dial(await answer(half)), diary)
    assert events[:-1] == [SessionReady(3), GoAway(3, 1_000), ReplyAudio(3, b"\1\0")]
    assert isinstance(events[-1], SessionLost)
    assert events[-1].code == 1006


async def test_all_that_is_said_in_a_session_goes_out_in_order(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def listen(connection: Connection) -> None:
        await connection.set_up()
        for _ in range(300):
            await connection.hear()
        await connection.hang_up(1000, "")

    gemini, outbox = await answer(listen), ModelOutbox()
    async with running(dial(gemini), diary, outbox) as task:
        await diary.until(SessionReady)
        for n in range(300):
            text = n % 7 == 0
            outbox.put(SayToModel(3, str(n)) if text else SendCallerAudio(3, n.to_bytes(2) * 99))
            if n % 5 == 0:
                await asyncio.sleep(0)
        await asyncio.wait([task])
    said = [message["realtime_input"] for message in gemini.connections[0].heard[1:]]
    assert [
        int(one["text"])
        if "text" in one
        else int.from_bytes(urlsafe_b64decode(one["audio"]["data"])[:2])
        for one in said
    ] == list(range(300))


async def test_a_peer_that_stops_reading_fills_neither_the_socket_nor_the_outbox(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    read_on = asyncio.Event()

    async def stall(connection: Connection) -> None:
        await connection.set_up()
        connection.websocket.transport.pause_reading()
        await read_on.wait()
        connection.websocket.transport.resume_reading()
        for _ in range(5):
            await connection.hear()
        await connection.hang_up(1000, "")

    gemini, outbox = await answer(stall), ModelOutbox()
    async with running(dial(gemini), diary, outbox) as task:
        await diary.until(SessionReady)
        put = 0
        async with asyncio.timeout(HANG_GUARD_S):
            while not outbox.dropped_bytes:
                outbox.put(SendCallerAudio(3, bytes(6_400)))
                put += 6_400
                await asyncio.sleep(0)
        assert outbox.waiting == MAX_LIVE_BYTES // 6_400
        read_on.set()
        await asyncio.wait([task])
    assert put < 32 * 2**20
    assert diary.events == [SessionReady(3), SessionLost(3, 1000, "")]


STRANGE = {
    "too long": Frame(Opcode.BINARY, bytes(5_000)).serialize(mask=False),
    "masked": Frame(Opcode.BINARY, b"{}").serialize(mask=True),
    "no such frame": b"\x83\x00",
    "compressed": b"\xc2\x02{}",
    "a continuation of nothing": b"\x80\x02{}",
    "too many fragments": b"\x02\x01{" + 4_096 * b"\x00\x00" + b"\x80\x01}",
    "fragments too long together": b"\x02\x01{\x80\x7e\x0f\xa0",
    "a close without a reason": b"\x88\x00",
    "a close that is no close": b"\x88\x01\x03",
}


@pytest.mark.parametrize("what", STRANGE)
async def test_what_breaks_the_protocol_has_the_same_end(
    answer: Answer, dial_by: Dial, what: str
) -> None:
    ends: list[tuple[list[ModelEvent], object]] = []

    async def break_it(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(GO_AWAY)
        connection.websocket.transport.write(STRANGE[what])
        await connection.gone()

    for way in WAYS:
        gemini = await answer(break_it)
        events = await whole(dial_by(gemini, hot_path=way, max_message_bytes=4_000), Diary())
        ends.append((events, gemini.connections[0].websocket.close_code))
    assert ends[0] == ends[1]
    assert isinstance(ends[0][0][-1], SessionLost)


@asynccontextmanager
async def proxy(seen: list[bytes]) -> AsyncIterator[str]:
    """An HTTP proxy that connects to whatever it is asked for."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        seen.append(request.split()[1])
        host, _, port = request.split()[1].decode().partition(":")
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_proxy_of_the_environment_is_gone_through(
    answer: Answer, dial: Dial, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()
        await connection.say(reply(b"\1\0"))
        await connection.hang_up(1000, "")

    seen, gemini, outbox = list[bytes](), await answer(talk), ModelOutbox()
    outbox.put(SendCallerAudio(3, bytes(640)))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with proxy(seen) as url, asyncio.timeout(HANG_GUARD_S):
        monkeypatch.setenv("HTTPS_PROXY", url)
        await dial(gemini).run(OPEN, outbox, diary)
    assert seen == [f"127.0.0.1:{gemini.port}".encode()]
    assert diary.events == [SessionReady(3), ReplyAudio(3, b"\1\0"), SessionLost(3, 1000, "")]
