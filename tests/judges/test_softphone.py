"""A real softphone calls: baresip, a SIP gateway, the running server, and back."""

import asyncio
from pathlib import Path

from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip, texts
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import encode
from telephony.audio.wav import write_mono
from telephony.simulator.ear import Ear
from tests.end_to_end.serving import LocalWorker
from tests.end_to_end.watching import PATIENCE_S
from tests.judges.gateway import QUIET_MS, Gateway
from tests.judges.softphone import dialling
from tests.judges.words import Words
from tests.programs import program

GREETING_IS_OVER_MS = 9_000
CALL_MS = 30_000
"""The phone hangs up when its file is at an end; long before that, the gateway does."""

AGENT = {name: text for name, text in texts().items() if name.startswith("agent/")}


def silence(duration_ms: int) -> bytes:
    return bytes(2 * PHONE_SAMPLES_PER_MS * duration_ms)


def turns_of(pcm: bytes) -> list[bytes]:
    """What is between the long silences of a recording at the phone's rate."""
    ear, margin_ms = Ear(QUIET_MS), QUIET_MS // 4
    ulaw = encode(pcm)
    for at in range(0, len(ulaw), FRAME_SAMPLES):
        ear.hear(ulaw[at : at + FRAME_SAMPLES], at // PHONE_SAMPLES_PER_MS)
    spans_ms = [(max(0, t.started_ms - margin_ms), t.ended_ms + margin_ms) for t in ear.turns]
    bytes_per_ms = 2 * PHONE_SAMPLES_PER_MS
    return [pcm[start * bytes_per_ms : end * bytes_per_ms] for start, end in spans_ms]


async def test_a_softphone_hears_the_words_of_the_agent_and_is_understood(
    worker: LocalWorker, gemini: SimulatedGemini, tmp_path: Path
) -> None:
    baresip = program("baresip")
    said = tmp_path / "said.wav"
    speech = clip("caller/morgan", PHONE_RATE_HZ).pcm
    write_mono(said, silence(GREETING_IS_OVER_MS) + speech + silence(CALL_MS), PHONE_RATE_HZ)
    (folder := tmp_path / "baresip").mkdir()
    async with (
        asyncio.timeout(PATIENCE_S),
        Gateway() as gateway,
        dialling(baresip, gateway.uri, said, folder) as phone,
    ):
        line = await gateway.carry(worker.url, turns=2)
    heard, rate_hz = phone.heard()

    assert rate_hz == PHONE_RATE_HZ
    words = Words(AGENT)
    assert [words.spoken(turn, rate_hz) for turn in turns_of(heard)] == [
        "agent/name",
        "agent/still-here",
    ]
    assert [utterance.phrase for utterance in gemini.server.heard] == ["morgan"]
    assert gemini.server.heard[0].coverage == 1
    assert line.complaints == []
    assert line.clears == []
