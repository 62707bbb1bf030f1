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
from agent.conversation.liveness import MORE_INPUT_REASON
from agent.conversation.tool_events import ToolCalled, ToolCallsCancelled
from agent.gemini.messages import Messages, duration_ms

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
    "audio_cut_within_a_sample": [ReplyAudio(7, b"\x01\x00")],
    "audio_of_no_length": [],
    "thought_and_text": [],
    "thought_aloud": [],
    "last_audio_and_completes": [
        ReplyAudio(7, b"\x01\x00"),
        GenerationComplete(7),
        TurnComplete(7),
    ],
    "generation_complete": [GenerationComplete(7)],
    "turn_complete_with_usage": [TurnComplete(7), UsageReported(7, 626, 63, 40, 689, 287, 63)],
    "turn_complete_with_reason": [TurnComplete(7, "NEED_MORE_INPUT")],
    "interrupted": [Interrupted(7)],
    "interrupted_with_stale_audio": [Interrupted(7), AgentSaid(7, " until"), TurnComplete(7)],
    "go_away": [GoAway(7, 50_000)],
    "go_away_in_a_fraction": [GoAway(7, 1_500)],
    "go_away_malformed": [UnknownModelMessage(7, "go_away in 'soon'")],
    "go_away_without_time": [UnknownModelMessage(7, "go_away in None")],
    "tool_call": [ToolCalled(7, "function-call-1", "end_call", "{}")],
    "tool_call_cancellation": [ToolCallsCancelled(7, ("function-call-1",))],
}


def as_the_sdk_reads_it(wire: dict[str, Any]) -> types.LiveServerMessage:
    """Through the SDK's own renaming, but refusing unknown fields, which the SDK lets fall."""
    return types.LiveServerMessage.model_validate(converters._LiveServerMessage_from_mldev(wire))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_message_becomes_its_events_in_order(name: str) -> None:
    wire = json.loads((WIRE / f"{name}.json").read_text())
    assert Messages(7).events(as_the_sdk_reads_it(wire)) == EXPECTED[name]


def test_every_sample_has_its_row() -> None:
    assert {path.stem for path in WIRE.glob("*.json")} == set(EXPECTED)


def test_all_that_one_message_can_hold_comes_in_the_documented_order() -> None:
    audio = types.Part(inline_data=types.Blob(data=b"\x01\x00", mime_type="audio/pcm"))
    message = types.LiveServerMessage(
        voice_activity=types.VoiceActivity(
            voice_activity_type=types.VoiceActivityType.ACTIVITY_START
        ),
        tool_call=types.LiveServerToolCall(
            function_calls=[types.FunctionCall(id="1", name="f", args={"b": 1, "a": "é"})]
        ),
        tool_call_cancellation=types.LiveServerToolCallCancellation(ids=["1"]),
        voice_activity_detection_signal=types.VoiceActivityDetectionSignal(),
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
    assert Messages(1).events(message) == [
        CallerSaid(1, "a"),
        AgentSaid(1, "b"),
        ReplyAudio(1, b"\x01\x00"),
        GenerationComplete(1),
        TurnComplete(1),
        UsageReported(1, 0, 0, 0, 0),
        HandleUpdated(1, "h", resumable=False),
        GoAway(1, 0),
        CallerActivityStarted(1),
        ToolCalled(1, "1", "f", '{"a":"é","b":1}'),
        ToolCallsCancelled(1, ("1",)),
        UnknownModelMessage(1, "voice_activity_detection_signal"),
    ]


@pytest.mark.parametrize("closes", [{}, {"turnComplete": True}], ids=["alone", "with its turn"])
def test_a_model_that_waits_for_more_input_closes_its_turn_for_that(
    closes: dict[str, bool],
) -> None:
    message = as_the_sdk_reads_it({"serverContent": {"waitingForInput": True, **closes}})
    assert Messages(7).events(message) == [TurnComplete(7, MORE_INPUT_REASON)]


@pytest.mark.filterwarnings("ignore:.* is not a valid:UserWarning")  # the SDK's, for new values
def test_values_that_are_new_to_the_sdk_are_survived() -> None:
    turn = as_the_sdk_reads_it(
        {"serverContent": {"turnComplete": True, "turnCompleteReason": "TIDE_CAME_IN"}}
    )
    activity = as_the_sdk_reads_it({"voiceActivity": {"type": "ACTIVITY_YAWN"}})
    assert Messages(7).events(turn) == [TurnComplete(7, "TIDE_CAME_IN")]
    assert Messages(7).events(activity) == [
        UnknownModelMessage(7, "voice_activity of another type")
    ]


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


AUDIO = "audio/pcm;rate=24000"


def audio(data: bytes, mime_type: str | None = AUDIO) -> types.LiveServerMessage:
    part = types.Part(inline_data=types.Blob(data=data, mime_type=mime_type))
    return types.LiveServerMessage(
        server_content=types.LiveServerContent(model_turn=types.Content(parts=[part]))
    )


def heard(text: str, *, finished: bool = False) -> types.LiveServerMessage:
    said = types.Transcription(text=text, finished=finished)
    return types.LiveServerMessage(server_content=types.LiveServerContent(input_transcription=said))


@pytest.mark.parametrize("cuts", [[961], [1, 1, 1], [2, 3, 5, 7], [1, 1919]])
def test_however_parts_are_cut_no_sample_of_a_reply_is_lost(cuts: list[int]) -> None:
    whole = bytes(range(256)) * 8
    messages, played, rest = Messages(7), b"", whole
    while rest:
        cut = cuts[0]
        cuts = [*cuts[1:], cut]
        for event in messages.events(audio(rest[:cut])):
            assert isinstance(event, ReplyAudio)
            assert len(event.pcm) % 2 == 0
            played += event.pcm
        rest = rest[cut:]
    assert played == whole


@pytest.mark.parametrize("end", ["interrupted", "generation_complete", "turn_complete"])
def test_half_a_sample_at_a_replys_end_does_not_shift_the_next_reply(end: str) -> None:
    messages = Messages(7)
    messages.events(audio(b"\x01\x02\x03"))
    messages.events(
        types.LiveServerMessage(server_content=types.LiveServerContent.model_validate({end: True}))
    )
    assert messages.events(audio(b"\x04\x05")) == [ReplyAudio(7, b"\x04\x05")]


@pytest.mark.parametrize(
    ("mime_type", "plays"),
    [
        (None, True),
        ("", True),
        ("audio/pcm", True),
        ("audio/pcm;rate=24000;channels=1", True),
        ("Audio/PCM; channels=1; rate=24000", True),
        ('audio/pcm;rate="24000"', True),
        ("audio/L16;codec=pcm;rate=24000", True),
        ("audio/pcm;", True),
        ("audio/pcm;rate=16000", False),
        ("audio/pcm;rate=24000;channels=2", False),
        ("audio/ogg;rate=24000", False),
        ("text/plain", False),
    ],
)
def test_what_can_be_played_is_whatever_its_type_leaves_out(
    mime_type: str | None, plays: bool
) -> None:
    expected = ReplyAudio(7, b"\1\0"), UnknownModelMessage(7, f"a part of type {mime_type!r}")
    assert Messages(7).events(audio(b"\1\0", mime_type)) == [expected[not plays]]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        (["<noise>"], ""),
        ([" <noise> "], ""),
        (["<ctrl46>"], ""),
        (["<|endoftext|></s>"], ""),
        (["Hello <noise> there"], "Hello there"),
        (["Hello<noise>there"], "Hello there"),
        (["Hello", " <noise>there"], "Hello there"),
        (["<noise> Hello"], " Hello"),
        (["I am<ctrl46> here.<noise>"], "I am here."),
        (["Hello <noi", "se> there"], "Hello there"),
        (["Hello", " <", "no", "ise", ">", " there"], "Hello there"),
        (["three <", " four"], "three < four"),
        (["a < b and c > d"], "a < b and c > d"),
        (["<" + 50 * "x", ">"], "<" + 50 * "x" + ">"),
    ],
)
def test_what_only_a_transcriber_wrote_is_no_word_and_no_event(
    pieces: list[str], words: str
) -> None:
    messages = Messages(7)
    said = [event for piece in pieces for event in messages.events(heard(piece))]
    assert all(isinstance(event, CallerSaid) and event.text for event in said)
    assert "".join(event.text for event in said if isinstance(event, CallerSaid)) == words


def test_an_utterance_that_was_all_noise_has_no_end_either() -> None:
    assert Messages(7).events(heard("<noise>", finished=True)) == []
    assert Messages(7).events(heard("", finished=True)) == [CallerSaid(7, "", finished=True)]
    assert Messages(7).events(heard("5 <", finished=True)) == [CallerSaid(7, "5 <", finished=True)]


def test_half_a_character_is_replaced_where_it_comes_in() -> None:
    wire = json.loads(
        '{"serverContent": {"inputTranscription": {"text": "a\\ud800b \\ud83d\\ude00"}}}'
    )
    assert Messages(7).events(as_the_sdk_reads_it(wire)) == [CallerSaid(7, "a\ufffdb \U0001f600")]


IN_PROGRESS, IDLE = ({"interactionStatus": status} for status in ("IN_PROGRESS", "IDLE"))
CLOSED = {"turnComplete": True}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([CLOSED | IN_PROGRESS, CLOSED | IDLE], [True, False]),
        ([IN_PROGRESS, CLOSED | IN_PROGRESS, IN_PROGRESS, IDLE, IDLE], [True, True, True, False]),
        ([CLOSED | IN_PROGRESS, CLOSED], [True, False]),
        ([IDLE, CLOSED], [False]),
    ],
)
def test_a_turn_is_closed_for_now_while_the_model_works_on_what_it_was_asked(
    messages: list[dict[str, object]], expected: list[bool]
) -> None:
    reader = Messages(7)
    told = [
        event
        for content in messages
        for event in reader.events(as_the_sdk_reads_it({"serverContent": content}))
    ]
    assert told == [TurnComplete(7, goes_on=goes_on) for goes_on in expected]


def test_a_status_in_the_middle_of_a_reply_closes_nothing() -> None:
    reader = Messages(7)
    part = {"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA"}}
    reader.events(as_the_sdk_reads_it({"serverContent": {"modelTurn": {"parts": [part]}}}))
    assert reader.events(as_the_sdk_reads_it({"serverContent": IN_PROGRESS})) == []


def test_tokens_of_results_that_are_counted_by_themselves_are_read_too() -> None:
    audio = types.ModalityTokenCount(modality=types.MediaModality.AUDIO, token_count=3)
    usage = types.UsageMetadata(
        prompt_token_count=100,
        tool_use_prompt_token_count=20,
        tool_use_prompt_tokens_details=[audio],
    )
    [told] = Messages(7).events(types.LiveServerMessage(usage_metadata=usage))
    assert isinstance(told, UsageReported)
    assert (told.prompt_tokens, told.prompt_audio_tokens) == (120, 3)
