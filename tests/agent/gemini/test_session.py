"""Whole sessions: the real SDK, over real TLS sockets, against a scripted server."""

import asyncio
import base64
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from google.genai.live import AsyncSession
from websockets.exceptions import ConnectionClosedError

from agent.conversation.commands import EndCallerAudio, OpenModel, SayToModel, SendCallerAudio
from agent.conversation.events import (
    GoAway,
    HandleUpdated,
    ModelEvent,
    ReplyAudio,
    SessionLost,
    SessionReady,
    SessionRefused,
    TurnComplete,
    UnknownModelMessage,
)
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.transcript import Line
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import MAX_UNREADABLE_IN_A_ROW, GeminiLive, _send
from agent.gemini.settings import GeminiSettings
from tests.agent.gemini.conftest import API_KEY, Answer, Connection, Dial, Diary

OPEN = OpenModel(session=3, persona=DEFAULT_PERSONA)
TURN_COMPLETE = {"serverContent": {"turnComplete": True}}
GO_AWAY = {"goAway": {"timeLeft": "1s"}}
HANG_GUARD_S = 60


async def whole(live: GeminiLive, diary: Diary, command: OpenModel = OPEN) -> list[ModelEvent]:
    """Live a session to its end."""
    async with asyncio.timeout(HANG_GUARD_S):
        await live.run(command, ModelOutbox(), diary)
    return diary.events


@asynccontextmanager
async def running(
    live: GeminiLive, diary: Diary, outbox: ModelOutbox
) -> AsyncIterator[asyncio.Task[None]]:
    """A session in a task of its own, cancelled at the end."""
    async with asyncio.timeout(HANG_GUARD_S), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(live.run(OPEN, outbox, diary))
        yield task
        task.cancel()


def reply(pcm: bytes) -> dict[str, Any]:
    data = base64.b64encode(pcm).decode()
    blob = {"mimeType": "audio/pcm;rate=24000", "data": data}
    return {"serverContent": {"modelTurn": {"parts": [{"inlineData": blob}]}}}


# Opening


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_session_is_asked_for_as_the_settings_say(
    answer: Answer, dial: Dial, diary: Diary, slash: str
) -> None:
    gemini = await answer()
    await whole(dial(gemini, base_url=gemini.url + slash), diary)
    [request] = gemini.requests
    assert request.path == (
        "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    )
    assert request.headers["x-goog-api-key"] == API_KEY
    assert "Sec-WebSocket-Extensions" not in request.headers
    setup = gemini.connections[0].heard[0]["setup"]
    assert setup["model"] == "models/gemini-3.8-live"
    assert setup["generationConfig"]["responseModalities"] == ["AUDIO"]
    assert "thinkingConfig" not in setup["generationConfig"]
    assert setup["systemInstruction"]["parts"] == [{"text": DEFAULT_PERSONA.instructions}]
    assert setup["sessionResumption"] == {}
    assert setup["contextWindowCompression"]["trigger_tokens"] == 25_000


async def test_model_version_and_handle_are_passed_on(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    gemini = await answer()
    live = dial(gemini, model="gemini-3.8-live-extended-thinking", api_version="v1alpha")
    await whole(live, diary, OpenModel(3, DEFAULT_PERSONA, handle="H1"))
    assert ".v1alpha." in gemini.requests[0].path
    setup = gemini.connections[0].heard[0]["setup"]
    assert setup["model"] == "models/gemini-3.8-live-extended-thinking"
    assert setup["generationConfig"]["thinkingConfig"] == {"thinking_level": "LOW"}
    assert setup["sessionResumption"] == {"handle": "H1"}


async def test_a_session_is_ready_when_its_setup_was_answered_and_not_before(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    before: list[list[ModelEvent]] = []

    async def slow(connection: Connection) -> None:
        await connection.hear()
        for _ in range(100):
            await asyncio.sleep(0)
        before.append(list(diary.events))
        await connection.say({"setupComplete": {}})
        await connection.gone()

    async with running(dial(await answer(slow)), diary, ModelOutbox()):
        await diary.until(SessionReady)
    assert before == [[]]
    assert diary.events == [SessionReady(3)]


async def test_the_history_is_sent_before_the_session_is_ready(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def take_history(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()

    lines = (
        Line(1, "agent", "Hello, how can I help you today?", "Hello, how can I", 0, 1),
        Line(2, "caller", "Are you open?", "Are you open?", 900, 1),
        Line(3, "agent", "Yes, until nine.", "", 1800, 1),
    )
    gemini = await answer(take_history)
    # The server hangs up after the history, so that a later SessionReady finds no one.
    events = await whole(dial(gemini), diary, OpenModel(3, DEFAULT_PERSONA, "", lines))
    assert [type(event) for event in events] == [SessionReady, SessionLost]
    assert gemini.connections[0].heard[1] == {
        "client_content": {
            "turns": [
                {"parts": [{"text": "Hello, how can I"}], "role": "model"},
                {"parts": [{"text": "Are you open?"}], "role": "user"},
            ],
            "turnComplete": False,
        }
    }


async def test_history_goes_out_ahead_of_everything_in_the_outbox(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def hear_two(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()
        await connection.hear()

    gemini = await answer(hear_two)
    outbox = ModelOutbox()
    outbox.put(SayToModel(3, "go on"))
    command = OpenModel(3, DEFAULT_PERSONA, "", (Line(1, "caller", "Hi.", "Hi.", 0, 1),))
    async with asyncio.timeout(HANG_GUARD_S):
        await dial(gemini).run(command, outbox, diary)
    assert [next(iter(message)) for message in gemini.connections[0].heard] == [
        "setup",
        "client_content",
        "realtime_input",
    ]


async def test_no_history_sends_nothing(answer: Answer, dial: Dial, diary: Diary) -> None:
    async def hear_one_more(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()

    gemini = await answer(hear_one_more)
    outbox = ModelOutbox()
    outbox.put(EndCallerAudio(3))
    async with asyncio.timeout(HANG_GUARD_S):
        await dial(gemini).run(OPEN, outbox, diary)
    assert gemini.connections[0].heard[1] == {"realtime_input": {"audioStreamEnd": True}}


# Refusals


@pytest.mark.parametrize(
    ("status", "headers", "retry_after_ms"),
    [
        (429, {"Retry-After": "7"}, 7_000),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (429, {}, None),
        (401, {}, None),
        (404, {}, None),
    ],
)
async def test_a_refused_handshake_gives_its_status_and_how_long_to_wait(
    answer: Answer, dial: Dial, status: int, headers: dict[str, str], retry_after_ms: int | None
) -> None:
    gemini = await answer(refusal=(status, headers, '{"error": {"message": "no"}}'))
    [event] = await whole(dial(gemini), Diary())
    assert isinstance(event, SessionRefused)
    assert (event.session, event.code, event.retry_after_ms) == (3, status, retry_after_ms)
    assert event.reason.startswith(f"HTTP {status} ")
    assert event.reason.endswith('{"error": {"message": "no"}}')


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1007, "Invalid session handle"), (1011, "RESOURCE_EXHAUSTED"), (1000, "")],
)
async def test_a_close_instead_of_setup_complete_is_a_refusal_with_its_code(
    answer: Answer, dial: Dial, diary: Diary, code: int, reason: str
) -> None:
    async def refuse(connection: Connection) -> None:
        await connection.hear()
        await connection.hang_up(code, reason)

    assert await whole(dial(await answer(refuse)), diary) == [SessionRefused(3, code, reason)]


async def test_a_reset_while_opening_is_a_refusal_without_code(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def reset(connection: Connection) -> None:
        await connection.hear()
        connection.reset()

    [event] = await whole(dial(await answer(reset)), diary)
    assert isinstance(event, SessionRefused)
    assert event.code == 0


@pytest.mark.parametrize(
    "first", [{"serverContent": {}}, {"error": {"code": 400}}, "<html>", '"text"', "[]"]
)
async def test_another_first_message_than_setup_complete_is_a_refusal(
    answer: Answer, dial: Dial, diary: Diary, first: dict[str, Any] | str
) -> None:
    async def babble(connection: Connection) -> None:
        await connection.hear()
        await connection.say(first)
        await connection.gone()

    [event] = await whole(dial(await answer(babble)), diary)
    assert isinstance(event, SessionRefused)
    assert event.code == 0
    assert "<html>" not in event.reason


async def test_a_setup_that_is_never_answered_times_out(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    live = dial(await answer(Connection.gone), connect_timeout_ms=300)
    assert await whole(live, diary) == [SessionRefused(3, 0, "timed out")]


async def test_nobody_at_the_other_end_is_a_refusal_without_code(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    live = dial(await answer(), base_url=f"https://127.0.0.1:{port}")
    [event] = await whole(live, diary)
    assert isinstance(event, SessionRefused)
    assert event.code == 0


async def test_a_certificate_nobody_vouches_for_is_a_refusal_without_code(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    gemini = await answer()
    [event] = await whole(dial(gemini, ca_file=None), diary)
    assert isinstance(event, SessionRefused)
    assert event.code == 0
    assert "CERTIFICATE_VERIFY_FAILED" in event.reason
    assert not gemini.requests


def test_a_ca_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match=r"ca_file: expected .* got 'nowhere\.pem'"):
        GeminiLive(GeminiSettings(api_key="k", ca_file="nowhere.pem"))


# Sending


async def test_what_is_in_the_outbox_goes_out_in_order(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def hear_three(connection: Connection) -> None:
        await connection.set_up()
        for _ in range(3):
            await connection.hear()

    pcm = bytes(range(256))
    outbox = ModelOutbox()
    outbox.put(SayToModel(3, "Greet the caller."))
    outbox.put(SendCallerAudio(3, pcm))
    outbox.put(EndCallerAudio(3))
    gemini = await answer(hear_three)
    async with asyncio.timeout(HANG_GUARD_S):
        await dial(gemini).run(OPEN, outbox, diary)
    text, audio, end = [message["realtime_input"] for message in gemini.connections[0].heard[1:]]
    assert text == {"text": "Greet the caller."}
    assert audio["audio"]["mime_type"] == "audio/pcm;rate=16000"
    assert base64.urlsafe_b64decode(audio["audio"]["data"]) == pcm
    assert end == {"audioStreamEnd": True}


# Receiving


async def test_reading_goes_on_over_many_turns(answer: Answer, dial: Dial, diary: Diary) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        for n in range(20):
            await connection.say(reply(bytes([n, 0])), TURN_COMPLETE)
            # Handles come after the turn's end, where the SDK's receive() stops.
            await connection.say({"sessionResumptionUpdate": {"newHandle": str(n)}})
        await connection.hang_up(1000, "")

    events = await whole(dial(await answer(talk)), diary)
    turns = [
        event
        for n in range(20)
        for event in (
            ReplyAudio(3, bytes([n, 0])),
            TurnComplete(3),
            HandleUpdated(3, str(n), resumable=False),
        )
    ]
    assert events == [SessionReady(3), *turns, SessionLost(3, 1000, "")]


async def test_reply_audio_in_url_safe_base64_is_read(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    pcm = bytes(range(256))

    async def talk(connection: Connection) -> None:
        await connection.set_up()
        message = json.dumps(reply(pcm)).replace("audio/pcm", "audio_pcm")
        message = message.replace("+", "-").replace("/", "_").replace("audio_pcm", "audio/pcm")
        await connection.say(message)

    events = await whole(dial(await answer(talk)), diary)
    assert events[1] == ReplyAudio(3, pcm)


async def test_a_message_of_two_mebibytes_is_read(answer: Answer, dial: Dial, diary: Diary) -> None:
    pcm = bytes(3 * 2**19)

    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(reply(pcm), TURN_COMPLETE)

    events = await whole(dial(await answer(talk)), diary)
    assert events[1:3] == [ReplyAudio(3, pcm), TurnComplete(3)]


@pytest.mark.parametrize(
    "strange",
    [
        '{"weather": "fine"}',
        '{"error": {"code": 400}}',
        '{"serverContent": 5}',
        "not JSON",
        '"text"',
        "[{}]",
        "5",
    ],
)
async def test_a_message_that_the_sdk_cannot_read_is_survived(
    answer: Answer, dial: Dial, diary: Diary, strange: str
) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(strange, GO_AWAY)

    _, unknown, go_away, _ = await whole(dial(await answer(talk)), diary)
    assert isinstance(unknown, UnknownModelMessage)
    assert unknown.what.startswith("unreadable (")
    assert go_away == GoAway(3, 1_000)


async def test_a_server_that_sends_nothing_readable_is_given_up(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def babble(connection: Connection) -> None:
        await connection.set_up()
        for _ in range(2):
            await connection.say(*(MAX_UNREADABLE_IN_A_ROW - 1) * ['{"new": 1}'], {})
        while True:
            await connection.say('{"new": 1}')

    events = await whole(dial(await answer(babble)), diary)
    unreadable = sum(isinstance(event, UnknownModelMessage) for event in events)
    assert unreadable == 2 * (MAX_UNREADABLE_IN_A_ROW - 1) + MAX_UNREADABLE_IN_A_ROW
    assert events[-1] == SessionLost(3, 1006, "100 unreadable messages in a row")


# Losses


async def test_what_came_before_a_close_is_told_before_the_loss(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()
        await connection.say(*[reply(bytes([n, 0])) for n in range(200)], GO_AWAY)
        await connection.hang_up(1011, "Internal error encountered.")

    outbox = ModelOutbox()
    for _ in range(500):  # still sending when the close comes
        outbox.put(SendCallerAudio(3, bytes(640), live=False))
    async with asyncio.timeout(HANG_GUARD_S):
        await dial(await answer(talk)).run(OPEN, outbox, diary)
    assert diary.events == [
        SessionReady(3),
        *[ReplyAudio(3, bytes([n, 0])) for n in range(200)],
        GoAway(3, 1_000),
        SessionLost(3, 1011, "Internal error encountered."),
    ]


async def test_a_reset_is_a_loss_with_code_1006(answer: Answer, dial: Dial, diary: Diary) -> None:
    async def reset(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()
        connection.reset()

    gemini = await answer(reset)
    outbox = ModelOutbox()
    async with running(dial(gemini), diary, outbox) as task:
        await diary.until(SessionReady)
        outbox.put(SendCallerAudio(3, bytes(640)))
        await diary.until(SessionLost)
        await task
    ready, lost = diary.events
    assert ready == SessionReady(3)
    assert isinstance(lost, SessionLost)
    assert lost.code == 1006


async def test_a_close_frame_without_a_tcp_close_is_a_loss_at_the_next_send(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def hold(connection: Connection) -> None:
        await connection.set_up()
        connection.say_close_and_hold_the_line(1011)
        await connection.gone()

    outbox = ModelOutbox()
    gemini = await answer(hold)
    async with running(dial(gemini, close_timeout_ms=50), diary, outbox) as task:
        while not task.done():
            outbox.put(SendCallerAudio(3, bytes(640)))
            await asyncio.sleep(0)
        gemini.connections[0].websocket.transport.abort()
    assert diary.events == [SessionReady(3), SessionLost(3, 1011, "")]


async def test_a_sender_that_finds_the_connection_closed_lets_the_receiver_tell() -> None:
    class Closed:
        async def send_realtime_input(self, **_: object) -> None:
            raise ConnectionClosedError(None, None)

    outbox = ModelOutbox()
    outbox.put(EndCallerAudio(3))
    await _send(cast("AsyncSession", Closed()), outbox)
    assert outbox.waiting == 0


async def test_an_error_in_band_is_a_loss_with_its_code(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def fail(connection: Connection) -> None:
        await connection.set_up()
        await connection.say({"code": 429, "message": "Too much."})
        await connection.gone()

    events = await whole(dial(await answer(fail)), diary)
    assert events == [SessionReady(3), SessionLost(3, 429, "Too much.")]


async def test_a_lost_session_has_closed_its_socket_before_it_says_so(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def fail(connection: Connection) -> None:
        await connection.set_up()
        await connection.say({"code": 500, "message": "Sorry."})
        await connection.gone()

    gemini = await answer(fail)
    states: list[str] = []

    def note(event: ModelEvent) -> None:
        if isinstance(event, SessionLost):
            states.append(gemini.connections[0].websocket.state.name)

    async with asyncio.timeout(HANG_GUARD_S):
        await dial(gemini).run(OPEN, ModelOutbox(), note)
    assert states == ["CLOSED"]


# Ending


async def test_cancelling_closes_the_socket_and_says_nothing(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    closed_with: list[int | None] = []

    async def listen(connection: Connection) -> None:
        await connection.set_up()
        await connection.gone()
        closed_with.append(connection.websocket.close_code)

    gemini = await answer(listen)
    async with running(dial(gemini), diary, ModelOutbox()) as task:
        await diary.until(SessionReady)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await gemini.connections[0].gone()
    assert closed_with == [1000]
    assert diary.events == [SessionReady(3)]


async def test_cancelling_while_opening_closes_the_socket_and_says_nothing(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    reached = asyncio.Event()

    async def hesitate(connection: Connection) -> None:
        await connection.hear()
        reached.set()
        await connection.gone()

    gemini = await answer(hesitate)
    async with running(dial(gemini), diary, ModelOutbox()) as task:
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await gemini.connections[0].gone()
    assert diary.events == []


async def test_nothing_is_fed_after_a_feed_that_cancels(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(GO_AWAY | TURN_COMPLETE, *10 * [GO_AWAY])
        await connection.gone()

    gemini = await answer(talk)

    def cancel_at_turn_complete(event: ModelEvent) -> None:
        diary(event)
        if isinstance(event, TurnComplete):
            task.cancel()

    async with asyncio.timeout(HANG_GUARD_S):
        task = asyncio.ensure_future(dial(gemini).run(OPEN, ModelOutbox(), cancel_at_turn_complete))
        await asyncio.wait([task])
    assert task.cancelled()
    assert diary.events == [SessionReady(3), TurnComplete(3)]


async def test_a_peer_that_does_not_read_cannot_hold_up_the_close(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def freeze(connection: Connection) -> None:
        await connection.set_up()
        connection.websocket.transport.pause_reading()
        await connection.gone()

    outbox = ModelOutbox()
    gemini = await answer(freeze)
    async with running(dial(gemini, close_timeout_ms=50), diary, outbox) as task:
        await diary.until(SessionReady)
        # The first fills the sockets' buffers, the second those of TLS; the third stays here.
        for mebibytes in (32, 1, 1):
            outbox.put(SendCallerAudio(3, bytes(mebibytes * 2**20), live=False))
        while outbox.waiting > 1:  # noqa: ASYNC110 - the outbox tells nobody that it was emptied
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        gemini.connections[0].websocket.transport.abort()


async def test_a_feed_that_raises_ends_the_session_with_that_error(
    answer: Answer, dial: Dial
) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(TURN_COMPLETE)
        await connection.gone()

    def stumble(event: ModelEvent) -> None:
        if isinstance(event, TurnComplete):
            raise TypeError("a bug, not a strange message")

    gemini = await answer(talk)
    with pytest.RaisesGroup(pytest.RaisesExc(TypeError, match="a bug")):
        await dial(gemini).run(OPEN, ModelOutbox(), stumble)
    await gemini.connections[0].gone()


# The key, and the process


async def test_the_key_is_in_no_reason_and_no_log(
    answer: Answer, dial: Dial, diary: Diary, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gemini = await answer(refusal=(403, {}, f"API key {API_KEY} is blocked"))
    [refused] = await whole(dial(gemini), diary)

    async def blame(connection: Connection) -> None:
        await connection.set_up()
        await connection.hang_up(1008, f"Your key {API_KEY} was reported as leaked")

    gemini = await answer(blame)
    _, _, lost = await whole(dial(gemini), diary)
    assert isinstance(refused, SessionRefused)
    assert refused.reason == "HTTP 403 Forbidden API key [api key] is blocked"
    assert lost == SessionLost(3, 1008, "Your key [api key] was reported as leaked")
    client_records = [r for r in caplog.records if r.name != "websockets.server"]
    assert not [r for r in client_records if API_KEY in r.getMessage()]


async def test_one_client_lives_many_sessions(answer: Answer, dial: Dial) -> None:
    async def hang_up(connection: Connection) -> None:
        await connection.set_up()

    live = dial(await answer(hang_up))
    live.warm_up()
    for session in range(5):
        diary = Diary()
        events = await whole(live, diary, OpenModel(session, DEFAULT_PERSONA))
        assert [type(event) for event in events] == [SessionReady, SessionLost]
        assert {event.session for event in events} == {session}
