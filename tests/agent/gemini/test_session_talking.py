"""What goes to and fro in a session: real SDK, real TLS sockets, scripted server."""

import asyncio
import base64
import json

import pytest

from agent.conversation.commands import EndCallerAudio, MarkSpeech, SayToModel, SendCallerAudio
from agent.conversation.events import (
    GoAway,
    HandleUpdated,
    ReplyAudio,
    SessionLost,
    SessionReady,
    TurnComplete,
    UnknownModelMessage,
)
from agent.gemini.outbox import ModelOutbox
from agent.gemini.session import MAX_UNREADABLE_IN_A_ROW
from tests.agent.gemini.conftest import (
    GO_AWAY,
    HANG_GUARD_S,
    OPEN,
    TURN_COMPLETE,
    Answer,
    Connection,
    Dial,
    Diary,
    reply,
    whole,
)

# Sending


async def test_what_is_in_the_outbox_goes_out_in_order(
    answer: Answer, dial: Dial, diary: Diary
) -> None:
    async def hear_five(connection: Connection) -> None:
        await connection.set_up()
        for _ in range(5):
            await connection.hear()

    pcm = bytes(range(256))
    outbox = ModelOutbox()
    outbox.put(SayToModel(3, "Greet the caller."))
    outbox.put(SendCallerAudio(3, pcm))
    outbox.put(EndCallerAudio(3))
    outbox.put(MarkSpeech(3, begins=True))
    outbox.put(MarkSpeech(3, begins=False))
    gemini = await answer(hear_five)
    async with asyncio.timeout(HANG_GUARD_S):
        await dial(gemini).run(OPEN, outbox, diary)
    sent = [message["realtime_input"] for message in gemini.connections[0].heard[1:]]
    text, audio, end, *marks = sent
    assert text == {"text": "Greet the caller."}
    assert audio["audio"]["mime_type"] == "audio/pcm;rate=16000"
    assert base64.urlsafe_b64decode(audio["audio"]["data"]) == pcm
    assert end == {"audioStreamEnd": True}
    assert marks == [{"activityStart": {}}, {"activityEnd": {}}]


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
        await connection.say(*(MAX_UNREADABLE_IN_A_ROW + 1) * ['{"new": 1}'])
        await connection.gone()

    events = await whole(dial(await answer(babble)), diary)
    unreadable = sum(isinstance(event, UnknownModelMessage) for event in events)
    assert unreadable == 2 * (MAX_UNREADABLE_IN_A_ROW - 1) + MAX_UNREADABLE_IN_A_ROW
    assert events[-1] == SessionLost(3, 1006, "100 unreadable messages in a row")
