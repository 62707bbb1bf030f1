"""How a session is lost, or ended by us: real SDK, real TLS sockets, scripted server."""

import asyncio
import sys
from pathlib import Path
from random import Random
from subprocess import PIPE, Popen
from typing import Any, Literal, cast

import pytest
import uvloop
from websockets.exceptions import ConnectionClosedError

from agent.conversation.commands import EndCallerAudio, SendCallerAudio
from agent.conversation.events import (
    GoAway,
    ModelEvent,
    ReplyAudio,
    SessionLost,
    SessionReady,
    TurnComplete,
)
from agent.gemini import connection
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import GeminiLive, _send
from agent.gemini.settings import GeminiSettings
from tests.agent.gemini.conftest import (
    API_KEY,
    GO_AWAY,
    HANG_GUARD_S,
    OPEN,
    TURN_COMPLETE,
    Answer,
    Connection,
    Dial,
    Diary,
    reply,
    running,
    whole,
)

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
        async with asyncio.timeout(30):
            while not task.done():
                outbox.put(SendCallerAudio(3, bytes(640)))
                await asyncio.sleep(0)
        gemini.connections[0].websocket.transport.abort()
    assert diary.events == [SessionReady(3), SessionLost(3, 1011, "")]


async def test_a_sender_that_finds_the_connection_closed_lets_the_receiver_tell() -> None:
    class Closed:
        async def end_audio(self) -> None:
            raise ConnectionClosedError(None, None)

    outbox = ModelOutbox()
    outbox.put(EndCallerAudio(3))
    await _send(cast("connection.Connection", Closed()), outbox)
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


SERVE = (
    "import asyncio, sys; from pathlib import Path; from agent.simulator.server import serve;"
    "asyncio.run(serve(port=0, cert_dir=Path(sys.argv[1])))"
)

CONNECTING_S = 0.01
"""Beyond this a session that is dialled on one machine waits for the answer to its setup."""


@pytest.mark.parametrize("hot_path", ["fast", "sdk"])
def test_cancelling_at_any_instant_of_connecting_is_no_error_on_the_loop_that_serves(
    tmp_path: Path, hot_path: Literal["fast", "sdk"]
) -> None:
    random, errors = Random(1), list[dict[str, Any]]()

    async def dial_and_leave(url: str) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        ca_file = str(tmp_path / "cert.pem")
        settings = GeminiSettings(api_key=API_KEY, base_url=url, ca_file=ca_file, hot_path=hot_path)
        live = GeminiLive(settings)
        live.warm_up()
        for _ in range(150):
            task = loop.create_task(live.run(OPEN, ModelOutbox(), Diary()))
            loop.call_later(random.uniform(0, CONNECTING_S), task.cancel)
            await asyncio.wait([task])
            assert task.cancelled()
        await live.aclose()

    with (
        Popen([sys.executable, "-c", SERVE, str(tmp_path)], stdout=PIPE, text=True) as server,  # noqa: S603 - ours
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        try:
            assert server.stdout is not None
            given = "".join(server.stdout.readline() for _ in range(3))
            runner.run(dial_and_leave(given.partition("GOOGLE_GEMINI_BASE_URL=")[2].split()[0]))
        finally:
            server.kill()
    assert errors == []


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


async def test_cancelling_amid_a_burst_completes_the_closing_handshake(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def talk(connection: Connection) -> None:
        await connection.set_up()
        await connection.say(*200 * [GO_AWAY])
        await connection.gone()

    gemini = await answer(talk)
    # Only the handshake can end this session in time.
    async with running(
        dial(gemini, close_timeout_ms=2 * HANG_GUARD_S * 1000), diary, ModelOutbox()
    ) as task:
        await diary.until(GoAway)
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert gemini.connections[0].websocket.close_code == 1000


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
