"""Pipecat's Twilio serializer reads what the server sends, and writes the same messages itself."""

import asyncio
import json
from typing import Any, cast

from pipecat.clocks.system_clock import SystemClock
from pipecat.frames.frames import InputAudioRawFrame, InterruptionFrame, OutputAudioRawFrame
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.utils.asyncio.task_manager import TaskManager

from agent.simulator.voice import texts
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import decode
from telephony.twilio.messages import render_clear, render_media
from tests.end_to_end.barge_ins import ulaw_of
from tests.end_to_end.serving import LocalWorker
from tests.end_to_end.twilio import new_call_sid, open_stream, ring, start
from tests.end_to_end.watching import PATIENCE_S
from tests.judges.words import Words

GREETING = ulaw_of("name")


async def serializer(stream_sid: str) -> TwilioFrameSerializer:
    """Pipecat's, at the phone's own rate, so that it has nothing to resample."""
    made = TwilioFrameSerializer(
        stream_sid, params=TwilioFrameSerializer.InputParams(auto_hang_up=False)
    )
    await made.setup(
        FrameProcessorSetup(
            clock=SystemClock(),  # type: ignore[no-untyped-call]  # its __init__ says no types
            task_manager=TaskManager(),
            pipeline_worker=cast("Any", None),  # there is no pipeline around it
            audio_in_sample_rate=PHONE_RATE_HZ,
        )
    )
    return made


async def greeting_of(worker: LocalWorker) -> tuple[str, list[str]]:
    """A call's streamSid, and every message of the server up to the end of its greeting."""
    call_sid, messages, heard = new_call_sid(), [], 0
    token = await ring(worker.url, call_sid)
    async with asyncio.timeout(PATIENCE_S), open_stream(worker.url) as socket:
        stream_sid = await start(socket, call_sid, {"token": token})
        while heard < len(GREETING):
            messages.append(str(await socket.recv()))
            media = json.loads(messages[-1]).get("media", {})
            heard += len(media.get("payload", "")) * 3 // 4
    return stream_sid, messages


async def test_pipecat_hears_the_words_that_the_server_says(worker: LocalWorker) -> None:
    stream_sid, messages = await greeting_of(worker)
    reader = await serializer(stream_sid)
    frames = [await reader.deserialize(message) for message in messages]
    audio = [frame for frame in frames if isinstance(frame, InputAudioRawFrame)]
    assert {(frame.sample_rate, frame.num_channels) for frame in audio} == {(PHONE_RATE_HZ, 1)}
    media = [json.loads(message)["event"] == "media" for message in messages]
    assert [frame is not None for frame in frames] == media
    pcm = b"".join(frame.audio for frame in audio)
    assert pcm[: 2 * len(GREETING)] == decode(GREETING)
    assert Words(texts()).spoken(pcm, PHONE_RATE_HZ) == "agent/name"


async def test_pipecat_writes_the_messages_that_we_write() -> None:
    writer = await serializer("MZ1")
    clear = await writer.serialize(InterruptionFrame())
    assert json.loads(clear or "") == json.loads(render_clear("MZ1"))
    frame = OutputAudioRawFrame(decode(GREETING), PHONE_RATE_HZ, num_channels=1)
    media = await writer.serialize(frame)
    assert json.loads(media or "") == json.loads(render_media("MZ1", GREETING))
