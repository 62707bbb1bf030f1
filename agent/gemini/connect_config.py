"""Turns a persona and a handle into the SDK's configuration of a session.

Source: Google's Live API guides and reports from telephony, as of November 2026.
"""

from google.genai import types

from agent.conversation.persona import Persona
from agent.gemini.quirks import DEFAULT, Quirks

COMPRESS_AT_TOKENS = 25_000
"""Google's own example. At 25 tokens a second of audio it is reached after about a quarter of an
hour of talk. The whole context is billed again, and read again, with every turn, so a longer one
costs money and seconds; a much smaller one has been refused with 1007. Without compression a
session ends after 15 min."""

COMPRESS_TO_TOKENS = 8_000
"""About five minutes of talk are remembered word for word."""

SPEECH_BEFORE_START_MS = 20
"""Speech needed before a start is committed: one telephone frame, so that "yes" is heard."""

SILENCE_BEFORE_END_MS = 500
"""Silence that ends a turn; 500 to 800 is advised, and a caller feels each millisecond."""


def connect_config(
    persona: Persona, handle: str = "", quirks: Quirks = DEFAULT
) -> types.LiveConnectConfig:
    """The SDK's configuration of one session.

    Args:
        persona: The model's role. A resumed session keeps its old instructions.
        handle: The handle to resume from, or "" for a fresh session, which gives handles too.
        quirks: The differences of this model.
    """
    level = quirks.thinking_level
    return types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(
                prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=persona.voice)
            )
        ),
        system_instruction=persona.instructions,
        thinking_config=types.ThinkingConfig(thinking_level=level) if level else None,
        input_audio_transcription=types.AudioTranscriptionConfig(),
        output_audio_transcription=types.AudioTranscriptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESS_AT_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESS_TO_TOKENS),
        ),
        session_resumption=types.SessionResumptionConfig(handle=handle or None),
        realtime_input_config=types.RealtimeInputConfig(
            automatic_activity_detection=types.AutomaticActivityDetection(
                start_of_speech_sensitivity=types.StartSensitivity.START_SENSITIVITY_HIGH,
                end_of_speech_sensitivity=types.EndSensitivity.END_SENSITIVITY_HIGH,
                prefix_padding_ms=SPEECH_BEFORE_START_MS,
                silence_duration_ms=SILENCE_BEFORE_END_MS,
            )
        ),
    )
