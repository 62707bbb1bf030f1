"""How a session opens, or is refused: real SDK, real TLS sockets, scripted server."""

import asyncio
import logging
import socket
from typing import Any

import pytest

from agent.conversation.commands import EndCallerAudio, OpenModel, SayToModel
from agent.conversation.events import (
    ModelEvent,
    SessionLost,
    SessionReady,
    SessionRefused,
)
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.transcript import Line
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings
from tests.agent.gemini.conftest import (
    API_KEY,
    HANG_GUARD_S,
    OPEN,
    Answer,
    Connection,
    Dial,
    Diary,
    running,
    whole,
)

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


async def test_the_history_is_sent_before_the_session_is_ready(answer: Answer, dial: Dial) -> None:
    async def take_history(connection: Connection) -> None:
        await connection.set_up()
        await connection.hear()

    lines = (
        Line(1, "agent", "Hello, how can I help you today?", "Hello, how can I", 0, 1),
        Line(2, "caller", "[Are you open?]", "[Are you open?]", 900, 1),
        Line(3, "agent", "Yes, until nine.", "", 1800, 1),
    )
    gemini = await answer(take_history)

    def end_when_ready(event: ModelEvent) -> None:
        assert event == SessionReady(3)
        task.cancel()

    gemini = await answer(take_history)
    command = OpenModel(3, DEFAULT_PERSONA, "", lines)
    async with asyncio.timeout(HANG_GUARD_S):
        task = asyncio.ensure_future(dial(gemini).run(command, ModelOutbox(), end_when_ready))
        await asyncio.wait([task])
        await gemini.connections[0].gone()
    assert task.cancelled()
    assert gemini.connections[0].heard[1] == {
        "client_content": {
            "turns": [
                {"parts": [{"text": "Hello, how can I"}], "role": "model"},
                {"parts": [{"text": "(Are you open?)"}], "role": "user"},  # only we speak in [ ]
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
