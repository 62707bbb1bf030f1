from dataclasses import replace

from google.genai.types import (
    ActivityHandling,
    EndSensitivity,
    Modality,
    StartSensitivity,
    ThinkingLevel,
)

from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.conversation.turn_taking import TurnTaking
from agent.gemini.connect_config import connect_config
from agent.gemini.quirks import Quirks

KORE = Persona(name="K", instructions="Be brief.", voice="Kore", greeting_cue="[Greet.]")


def test_the_persona_gives_the_voice_and_the_instructions() -> None:
    config = connect_config(KORE)
    assert config.system_instruction == "Be brief."
    assert config.speech_config
    assert config.speech_config.model_dump(exclude_none=True) == {
        "voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}
    }


def test_a_fresh_session_asks_for_handles_and_a_resumed_one_names_its_own() -> None:
    fresh, resumed = connect_config(KORE).session_resumption, connect_config(KORE, "H1")
    assert fresh
    assert fresh.handle is None
    assert resumed.session_resumption
    assert resumed.session_resumption.handle == "H1"


def test_speech_both_ways_is_transcribed_and_the_context_compressed() -> None:
    config = connect_config(DEFAULT_PERSONA)
    assert config.response_modalities == [Modality.AUDIO]
    assert config.input_audio_transcription is not None
    assert config.output_audio_transcription is not None
    assert config.context_window_compression
    assert config.context_window_compression.model_dump(exclude_none=True) == {
        "trigger_tokens": 25_000,
        "sliding_window": {"target_tokens": 8_000},
    }


def test_turns_are_detected_as_telephony_needs_it() -> None:
    config = connect_config(DEFAULT_PERSONA)
    assert config.realtime_input_config
    assert config.realtime_input_config.model_dump(exclude_none=True) == {
        "automatic_activity_detection": {
            "start_of_speech_sensitivity": StartSensitivity.START_SENSITIVITY_HIGH,
            "end_of_speech_sensitivity": EndSensitivity.END_SENSITIVITY_HIGH,
            "prefix_padding_ms": 20,
            "silence_duration_ms": 500,
        }
    }


def test_what_a_persona_says_of_turns_is_in_the_setup() -> None:
    turns = TurnTaking(800, 40, "low", "low")
    config = connect_config(replace(KORE, turns=turns))
    assert config.realtime_input_config
    assert config.realtime_input_config.model_dump(exclude_none=True) == {
        "automatic_activity_detection": {
            "start_of_speech_sensitivity": StartSensitivity.START_SENSITIVITY_LOW,
            "end_of_speech_sensitivity": EndSensitivity.END_SENSITIVITY_LOW,
            "prefix_padding_ms": 40,
            "silence_duration_ms": 800,
        }
    }


def test_where_we_detect_speech_the_model_does_not() -> None:
    config = connect_config(replace(KORE, turns=TurnTaking(800, detection="ours")))
    assert config.realtime_input_config
    assert config.realtime_input_config.model_dump(exclude_none=True) == {
        "automatic_activity_detection": {"disabled": True}
    }


def test_lines_that_must_be_heard_are_not_interrupted() -> None:
    config = connect_config(replace(KORE, barge_in="off"))
    assert config.realtime_input_config
    assert config.realtime_input_config.activity_handling is ActivityHandling.NO_INTERRUPTION


def test_what_the_default_model_refuses_is_not_sent() -> None:
    config = connect_config(DEFAULT_PERSONA)
    assert config.thinking_config is None
    assert config.proactivity is None
    assert config.enable_affective_dialog is None


def test_a_model_that_thinks_is_told_how_much() -> None:
    config = connect_config(DEFAULT_PERSONA, quirks=Quirks(thinking_level=ThinkingLevel.LOW))
    assert config.thinking_config
    assert config.thinking_config.thinking_level is ThinkingLevel.LOW
