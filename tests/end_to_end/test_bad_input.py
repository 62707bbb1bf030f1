"""A stream that says nothing, nonsense, or too much. None of it ends a call that is Twilio's."""

import asyncio
import base64
import json
from itertools import pairwise

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, PHONE_RATE_HZ, ULAW_SILENCE
from telephony.audio.g711 import encode
from telephony.server.app import MAX_FRAME_BYTES
from telephony.simulator import wire
from tests.end_to_end import twilio
from tests.end_to_end.serving import LocalWorker, get
from tests.end_to_end.watching import PATIENCE_S, Step, Watch

MALFORMED = "offhook_malformed_total"

BEHIND_MS = 500
"""What is sent further ahead than a second, the server drops: a caller cannot speak so fast."""


async def begun(worker: LocalWorker, socket: ClientConnection) -> tuple[str, str]:
    """A call whose stream has started and is being greeted; its CallSid and streamSid."""
    call_sid = twilio.new_call_sid()
    token = await twilio.ring(worker.url, call_sid)
    stream_sid = await twilio.start(socket, call_sid, {"token": token})
    assert json.loads(await socket.recv())["event"] == "media"
    return call_sid, stream_sid


async def say(
    gemini: SimulatedGemini, socket: ClientConnection, stream_sid: str, name: str
) -> None:
    """A caller's clip and a pause, as fast as the model takes them."""
    [session] = gemini.server.sessions
    heard_before_ms = session.received_ms
    ulaw = encode(clip(f"caller/{name}", PHONE_RATE_HZ).pcm) + ULAW_SILENCE * PHONE_RATE_HZ
    for n, at in enumerate(range(0, len(ulaw), FRAME_SAMPLES), start=1):
        frame = ulaw[at : at + FRAME_SAMPLES]
        await socket.send(wire.media(n + 1, stream_sid, n, FRAME_MS * n, frame))
        while session.received_ms - heard_before_ms < FRAME_MS * n - BEHIND_MS:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0)


async def hear_all(socket: ClientConnection) -> None:
    """Receive until the end."""
    async for _ in socket:
        pass


async def ignored(worker: LocalWorker) -> dict[str, int]:
    """How many messages were ignored, by reason, as the metrics have it."""
    text = (await get(worker.url, "/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith(MALFORMED)]
    split = [line.removeprefix(MALFORMED + '{reason="').split('"} ') for line in lines]
    return {reason: int(float(count)) for reason, count in split}


async def left_alone(worker: LocalWorker, *says: str) -> tuple[int | None, str | None]:
    """How a stream that says only this is closed."""
    async with twilio.open_stream(worker.url) as socket:
        for message in says:
            await socket.send(message)
        with pytest.raises(ConnectionClosed):
            await hear_all(socket)
    return socket.close_code, socket.close_reason


async def test_a_stream_that_does_not_start_is_closed(
    worker: LocalWorker, gemini: SimulatedGemini, steps: Watch[Step]
) -> None:
    everything_but_start = wire.connected(), "nonsense", wire.media(1, "MZ1", 1, 0, b"\xff" * 160)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        silent = tasks.create_task(left_alone(worker))
        busy = tasks.create_task(left_alone(worker, *everything_but_start))
    assert silent.result() == busy.result() == (1008, "no start")
    assert steps.seen == []
    assert gemini.server.sessions == []
    assert sum((await ignored(worker)).values()) == 2


def nonsense(stream_sid: str) -> dict[str, list[str | bytes]]:
    """Messages that are ignored, by the reason that is counted for them."""
    audio = base64.b64encode(ULAW_SILENCE * 160).decode()
    return {
        "binary frame": [b"\x00\x01", b""],
        "wrong streamSid": [wire.media(9, "MZ9", 1, 0, b"\xff" * 160), wire.mark(9, "MZ9", "r1:1")],
        "out of order": [
            wire.connected(),
            wire.start(1, stream_sid, "CA9", "AC9", {"token": "stolen"}),
        ],
        "the rest": [
            "",
            "{",
            "[]",
            "null",
            "\x00",
            '{"event": 7}',
            '{"event": "media"}',
            '{"event": "news", "streamSid": "MZ1"}',
            json.dumps({"event": "media", "streamSid": stream_sid, "media": {"payload": 7}}),
            json.dumps({"event": "media", "streamSid": stream_sid, "media": {"payload": "!"}}),
            json.dumps(
                {
                    "event": "media",
                    "streamSid": stream_sid,
                    "media": {"track": "outbound", "payload": audio},
                }
            ),
            "[" * 10_000,
        ],
    }


async def test_nonsense_is_counted_and_ignored_and_the_call_goes_on(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    async with asyncio.timeout(PATIENCE_S), twilio.open_stream(worker.url) as socket:
        _, stream_sid = await begun(worker, socket)
        sent = nonsense(stream_sid)
        for messages in sent.values():
            for message in messages:
                await socket.send(message)
        await say(gemini, socket, stream_sid, "morgan")
        while not gemini.server.heard:
            await socket.recv()
        counted = await ignored(worker)
    [utterance] = gemini.server.heard
    assert (utterance.phrase, utterance.coverage) == ("morgan", 1)
    for reason in ("binary frame", "wrong streamSid", "out of order"):
        assert counted.pop(reason) == len(sent[reason])
    assert sum(counted.values()) == len(sent["the rest"]), counted


async def test_a_flood_of_nonsense_is_logged_once_a_second_at_most(worker: LocalWorker) -> None:
    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE_S), twilio.open_stream(worker.url) as socket:
            await begun(worker, socket)
            for _ in range(2_000):
                await socket.send("nonsense")
            while sum((await ignored(worker)).values()) < 2_000:
                pass
    told = [log for log in logs if log["event"] == "message ignored"]
    times_ms = [log["at_ms"] for log in told]
    assert times_ms
    assert all(later - earlier >= 1_000 for earlier, later in pairwise(times_ms))
    assert not any("nonsense" in str(value) for log in logs for value in log.values())


async def test_a_message_over_64_kib_closes_the_stream_with_1009(worker: LocalWorker) -> None:
    async with asyncio.timeout(PATIENCE_S), twilio.open_stream(worker.url) as socket:
        await begun(worker, socket)
        await socket.send("x" * MAX_FRAME_BYTES)
        while not await ignored(worker):
            pass
        await socket.send("x" * (MAX_FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            await hear_all(socket)
    assert socket.close_code == 1009
    assert sum((await ignored(worker)).values()) == 1


async def test_compression_is_not_negotiated_even_when_it_is_offered(worker: LocalWorker) -> None:
    async with twilio.open_stream(worker.url, compression="deflate") as socket:
        assert socket.request is not None
        assert "permessage-deflate" in socket.request.headers["Sec-WebSocket-Extensions"]
        assert socket.response is not None
        assert "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.parametrize("near", ["/twilio/voice/", "//twilio/voice", "/Twilio/Voice"])
async def test_a_path_that_is_nearly_right_gets_404_with_the_right_one_and_no_redirect(
    worker: LocalWorker, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    form = twilio.form_of(twilio.new_call_sid())
    answer = await twilio.post(worker.url, near, form, twilio.signed(near, form))
    assert (answer.status_code, answer.headers.get("location")) == (404, None)
    assert "Ask '/twilio/voice' instead" in answer.text
    assert "webhook refused" in "".join(capsys.readouterr())
    other = await twilio.post(worker.url, "/twilio/other/", form, {})
    assert (other.status_code, other.text) == (404, "Not Found")
