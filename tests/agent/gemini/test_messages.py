"""Samples of fixtures/wire/gemini, in the shape of recorded traffic, and the events they are."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.genai import _live_converters as converters
from google.genai import types

from agent.conversation.events import (
    AgentSaid,
    CallerActivityEnded,
    CallerActivityStarted,
    CallerSaid,
    GenerationComplete,
    GoAway,
    HandleUpdated,
    Interrupted,
    ModelEvent,
    ReplyAudio,
    TurnComplete,
    UnknownModelMessage,
    UsageReported,
)
from agent.gemini.messages import duration_ms, events

WIRE = Path(__file__).parents[3] / "fixtures" / "wire" / "gemini"

EXPECTED: dict[str, list[ModelEvent]] = {
    "empty": [],
    "empty_server_content": [],
    "setup_complete": [],
    "resumable": [HandleUpdated(7, "b1a7c6de-1c1b-4f0e-9f0e-6a1f5d2f3c44", resumable=True)],
    "not_resumable": [HandleUpdated(7, "", resumable=False)],
    "voice_activity_start": [CallerActivityStarted(7)],
    "voice_activity_end": [CallerActivityEnded(7)],
    "input_transcription": [CallerSaid(7, " What are your opening hours?", finished=True)],
    "interim_transcription": [],
    "output_transcription_end": [AgentSaid(7, "", finished=True)],
    "audio_with_transcription": [
        AgentSaid(7, "We are open "),
        ReplyAudio(7, b"\x00\x00\xff\x7f\x00\x80"),
    ],
    "audio_in_two_parts": [ReplyAudio(7, b"\x01\x00"), ReplyAudio(7, b"\x02\x00")],
    "audio_in_url_safe_base64": [ReplyAudio(7, b"\xfb\xef\xff\xfb")],
    "audio_at_another_rate": [UnknownModelMessage(7, "a part of type 'audio/pcm;rate=16000'")],
    "audio_cut_within_a_sample": [UnknownModelMessage(7, "audio that ends within a sample")],
    "audio_of_no_length": [],
    "thought_and_text": [],
    "thought_aloud": [],
    "last_audio_and_completes": [
        ReplyAudio(7, b"\x01\x00"),
        GenerationComplete(7),
        TurnComplete(7),
    ],
    "generation_complete": [GenerationComplete(7)],
    "turn_complete_with_usage": [TurnComplete(7), UsageReported(7, 626, 63, 40, 689)],
    "turn_complete_with_reason": [TurnComplete(7, "NEED_MORE_INPUT")],
    "interrupted": [Interrupted(7)],
    "interrupted_with_stale_audio": [Interrupted(7), AgentSaid(7, " until"), TurnComplete(7)],
    "go_away": [GoAway(7, 50_000)],
    "go_away_in_a_fraction": [GoAway(7, 1_500)],
    "go_away_malformed": [UnknownModelMessage(7, "go_away in 'soon'")],
    "go_away_without_time": [UnknownModelMessage(7, "go_away in None")],
    "tool_call": [UnknownModelMessage(7, "tool_call")],
    "tool_call_cancellation": [UnknownModelMessage(7, "tool_call_cancellation")],
}


def as_the_sdk_reads_it(wire: dict[str, Any]) -> types.LiveServerMessage:
    """Through the SDK's own renaming, but refusing unknown fields, which the SDK lets fall."""
    return types.LiveServerMessage.model_validate(converters._LiveServerMessage_from_mldev(wire))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_message_becomes_its_events_in_order(name: str) -> None:
    wire = json.loads((WIRE / f"{name}.json").read_text())
    assert events(7, as_the_sdk_reads_it(wire)) == EXPECTED[name]


def test_every_sample_has_its_row() -> None:
    assert {path.stem for path in WIRE.glob("*.json")} == set(EXPECTED)


def test_all_that_one_message_can_hold_comes_in_the_documented_order() -> None:
    audio = types.Part(inline_data=types.Blob(data=b"\x01\x00", mime_type="audio/pcm"))
    message = types.LiveServerMessage(
        voice_activity=types.VoiceActivity(
            voice_activity_type=types.VoiceActivityType.ACTIVITY_START
        ),
        tool_call=types.LiveServerToolCall(),
        go_away=types.LiveServerGoAway(time_left="0s"),
        session_resumption_update=types.LiveServerSessionResumptionUpdate(new_handle="h"),
        usage_metadata=types.UsageMetadata(),
        server_content=types.LiveServerContent(
            turn_complete=True,
            generation_complete=True,
            model_turn=types.Content(parts=[audio]),
            output_transcription=types.Transcription(text="b"),
            input_transcription=types.Transcription(text="a"),
        ),
    )
    assert events(1, message) == [
        CallerSaid(1, "a"),
        AgentSaid(1, "b"),
        ReplyAudio(1, b"\x01\x00"),
        GenerationComplete(1),
        TurnComplete(1),
        UsageReported(1, 0, 0, 0, 0),
        HandleUpdated(1, "h", resumable=False),
        GoAway(1, 0),
        CallerActivityStarted(1),
        UnknownModelMessage(1, "tool_call"),
    ]


@pytest.mark.filterwarnings("ignore:.* is not a valid:UserWarning")  # the SDK's, for new values
def test_values_that_are_new_to_the_sdk_are_survived() -> None:
    turn = as_the_sdk_reads_it(
        {"serverContent": {"turnComplete": True, "turnCompleteReason": "TIDE_CAME_IN"}}
    )
    activity = as_the_sdk_reads_it({"voiceActivity": {"type": "ACTIVITY_YAWN"}})
    assert events(7, turn) == [TurnComplete(7, "TIDE_CAME_IN")]
    assert events(7, activity) == [UnknownModelMessage(7, "voice_activity of another type")]


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("50s", 50_000),
        ("1.5s", 1_500),
        ("0.0019s", 1),
        ("0.123456789s", 123),
        ("1.05s", 1_050),
        ("0s", 0),
        ("-1s", None),
        ("50", None),
        ("50ms", None),
        ("1.s", None),
        ("\u0661s", None),
        ("", None),
        (None, None),
    ],
)
def test_a_duration_is_read_in_whole_milliseconds(
    text: str | None, expected_ms: int | None
) -> None:
    assert duration_ms(text) == expected_ms
