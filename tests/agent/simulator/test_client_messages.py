import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable

import numpy as np
import pytest

from agent.simulator.activity import Detection
from agent.simulator.behaviour import Behaviour
from agent.simulator.client_messages import (
    PATH,
    Activity,
    Audio,
    AudioStreamEnd,
    Content,
    Invalid,
    Setup,
    Text,
    read,
)
from agent.simulator.memory import Entry

BEHAVIOUR = Behaviour()
PCM = np.arange(-300, 301, dtype="<i2").tobytes()
"""Holds both characters that the two base64 alphabets write differently."""


def setup(**fields: object) -> dict[str, object]:
    return {"setup": {"model": "models/gemini-3.8-live", **fields}}


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["=", ""])
@pytest.mark.parametrize("outer", ["realtimeInput", "realtime_input"])
@pytest.mark.parametrize("inner", ["mimeType", "mime_type"])
def test_audio_is_read_in_either_case_and_either_alphabet_padded_or_not(
    encode: Callable[[bytes], bytes], padding: str, outer: str, inner: str
) -> None:
    data = encode(PCM).decode().rstrip("=") + padding * (-len(encode(PCM).rstrip(b"=")) % 4)
    message = {outer: {"audio": {"data": data, inner: "audio/pcm;rate=8000"}}}
    assert read(message, BEHAVIOUR) == [Audio(PCM, 8_000)]


def test_audio_is_16_khz_where_it_does_not_say() -> None:
    blob = {"data": b64encode(PCM).decode(), "mimeType": "audio/pcm"}
    assert read({"realtimeInput": {"audio": blob}}, BEHAVIOUR) == [Audio(PCM, 16_000)]
    old = {"realtimeInput": {"mediaChunks": [blob, blob]}}
    assert read(old, BEHAVIOUR) == [Audio(PCM, 16_000)] * 2


def test_what_the_sdk_writes_is_read() -> None:
    """The frames of google-genai 3.4.0, as captured."""
    assert read(json.loads('{"realtime_input": {"text": "typed"}}'), BEHAVIOUR) == [Text("typed")]
    assert read({"realtime_input": {"audioStreamEnd": True}}, BEHAVIOUR) == [AudioStreamEnd()]
    assert read({"realtime_input": {"activityStart": {}}}, BEHAVIOUR) == [Activity(begins=True)]
    assert read({"realtime_input": {"activityEnd": {}}}, BEHAVIOUR) == [Activity(begins=False)]
    turns = [
        {"parts": [{"text": "hel"}, {"text": "lo"}], "role": "user"},
        {"parts": [{"text": "yes"}], "role": "model"},
    ]
    assert read({"client_content": {"turns": turns, "turnComplete": False}}, BEHAVIOUR) == [
        Content((Entry("user", "hello"), Entry("model", "yes")), complete=False)
    ]
    assert read({"client_content": {"turnComplete": True}}, BEHAVIOUR) == [
        Content((), complete=True)
    ]


def test_a_setup_is_read_in_full() -> None:
    message = setup(
        systemInstruction={"parts": [{"text": "Be Ada."}], "role": "user"},
        sessionResumption={"handle": "H1"},
        inputAudioTranscription={},
        realtimeInputConfig={
            "automatic_activity_detection": {
                "disabled": False,
                "start_of_speech_sensitivity": "START_SENSITIVITY_LOW",
                "end_of_speech_sensitivity": "END_SENSITIVITY_HIGH",
                "prefix_padding_ms": 20,
                "silence_duration_ms": 500,
            },
            "activity_handling": "NO_INTERRUPTION",
        },
        contextWindowCompression={"trigger_tokens": 25000},
    )
    assert read(message, BEHAVIOUR) == [
        Setup(
            handle="H1",
            system_instruction="Be Ada.",
            detection=Detection(automatic=True, prefix_ms=20, silence_ms=500, speech_dbfs=-35),
            interrupts=False,
            input_transcription=True,
            output_transcription=False,
        )
    ]


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (None, 1007, "Request contains an invalid argument"),
        ([], 1007, "Request contains an invalid argument"),
        ({"hello": {}}, 1007, "Request contains an invalid argument"),
        ({"realtimeInput": {"audio": "x"}}, 1007, "Request contains an invalid argument"),
        ({"realtimeInput": {}}, 1007, "Request contains an invalid argument"),
        (
            {"realtimeInput": {"audio": {"data": "A", "mimeType": "audio/pcm"}}},
            1007,
            "Invalid base64",
        ),
        (
            {"realtimeInput": {"audio": {"data": "AAA=", "mimeType": "audio/wav"}}},
            1007,
            "Expected 16-bit audio/pcm, got 2 bytes of audio/wav",
        ),
        (
            {"realtimeInput": {"audio": {"data": "AA==", "mimeType": "audio/pcm"}}},
            1007,
            "Expected 16-bit audio/pcm, got 1 bytes",
        ),
        ({"clientContent": {"turns": [{"role": "agent", "parts": []}]}}, 1007, "valid role"),
        ({"setup": {"model": "models/gemini-1"}}, 1008, "models/gemini-1 is not found"),
        (setup(voice="Puck"), 1007, 'Unknown name "voice"'),
        (setup(generationConfig={"responseModalities": ["TEXT"]}), 1007, "Only the AUDIO"),
        (setup(generationConfig={"thinkingConfig": {}}), 1007, "thinkingConfig is not supported"),
        (setup(proactivity={"proactive_audio": False}), 1007, "Proactive audio"),
        (setup(sessionResumption={"transparent": True}), 1007, "Transparent"),
        (setup(systemInstruction="Be Ada."), 1007, "Invalid value at 'systemInstruction'"),
        (
            setup(realtimeInputConfig={"activityHandling": "NEVER"}),
            1007,
            "Invalid value at 'activityHandling': 'NEVER'",
        ),
        (
            setup(realtimeInputConfig={"automaticActivityDetection": {"silenceDurationMs": "x"}}),
            1007,
            "Invalid value at 'silenceDurationMs'",
        ),
    ],
)
def test_what_the_service_refuses_is_refused_with_its_code(
    message: object, code: int, reason: str
) -> None:
    with pytest.raises(Invalid, match=reason) as refused:
        read(message, BEHAVIOUR)
    assert refused.value.code == code


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
@pytest.mark.parametrize("method", ["BidiGenerateContent", "BidiGenerateContentConstrained"])
def test_the_path_may_begin_with_one_slash_or_two(version: str, method: str) -> None:
    path = f"/ws/google.ai.generativelanguage.{version}.GenerativeService.{method}"
    assert PATH.fullmatch(path)
    assert PATH.fullmatch(f"/{path}")
    assert not PATH.fullmatch(f"//{path}")
    assert not PATH.fullmatch(path + "s")
