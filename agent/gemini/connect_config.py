"""Turns a persona and a handle into the SDK's configuration of a session.

Source: Google's Live API guides and reports from telephony, as of November 2026.
"""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

from google.genai import types

from agent.conversation.declaration import Tool
from agent.conversation.persona import Persona
from agent.conversation.turn_taking import TurnTaking
from agent.gemini.quirks import DEFAULT, Quirks

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
"""Names that do not depend on the locale of this process."""

COMPRESS_AT_TOKENS = 25_000
"""Google's own example. At 25 tokens a second of audio it is reached after about a quarter of an
hour of talk. The whole context is billed again, and read again, with every turn, so a longer one
costs money and seconds; a much smaller one has been refused with 1007. Without compression a
session ends after 15 min."""

COMPRESS_TO_TOKENS = 8_000
"""About five minutes of talk are remembered word for word."""

STARTS = {
    "high": types.StartSensitivity.START_SENSITIVITY_HIGH,
    "low": types.StartSensitivity.START_SENSITIVITY_LOW,
}
HEARD_OUT = types.ActivityHandling.NO_INTERRUPTION
ENDS = {
    "high": types.EndSensitivity.END_SENSITIVITY_HIGH,
    "low": types.EndSensitivity.END_SENSITIVITY_LOW,
}


def connect_config(
    persona: Persona, handle: str = "", quirks: Quirks = DEFAULT, wall_time_ms: int = 0
) -> types.LiveConnectConfig:
    """The SDK's configuration of one session.

    Args:
        persona: The model's role. A resumed session keeps its old instructions.
        handle: The handle to resume from, or "" for a fresh session, which gives handles too.
        quirks: The differences of this model.
        wall_time_ms: Unix time, in ms, which a persona with a time zone is told; 0 for none.
    """
    declared = [_declared(tool, quirks) for tool in persona.tools]
    level = quirks.thinking_level
    transcription = types.AudioTranscriptionConfig()
    if persona.language:  # else noise is written down as words of another language
        transcription.language_codes = [persona.language]
    return types.LiveConnectConfig(
        response_modalities=[types.Modality.AUDIO],
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(
                prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=persona.voice)
            )
        ),
        system_instruction=instruction(persona, wall_time_ms),
        tools=[types.Tool(function_declarations=declared)] if declared else None,
        thinking_config=types.ThinkingConfig(thinking_level=level) if level else None,
        input_audio_transcription=transcription,
        output_audio_transcription=types.AudioTranscriptionConfig(),
        context_window_compression=types.ContextWindowCompressionConfig(
            trigger_tokens=COMPRESS_AT_TOKENS,
            sliding_window=types.SlidingWindow(target_tokens=COMPRESS_TO_TOKENS),
        ),
        session_resumption=types.SessionResumptionConfig(handle=handle or None),
        realtime_input_config=types.RealtimeInputConfig(
            automatic_activity_detection=_detection(persona.turn_taking),
            activity_handling=HEARD_OUT if persona.barge_in == "off" else None,
        ),
    )


def _detection(turns: TurnTaking) -> types.AutomaticActivityDetection:
    if not turns.detects:
        return types.AutomaticActivityDetection(disabled=True)
    return types.AutomaticActivityDetection(
        start_of_speech_sensitivity=STARTS[turns.start_sensitivity],
        end_of_speech_sensitivity=ENDS[turns.end_sensitivity],
        prefix_padding_ms=turns.prefix_ms,
        silence_duration_ms=turns.silence_ms,
    )


def _declared(tool: Tool, quirks: Quirks) -> types.FunctionDeclaration:
    behavior = None
    if not quirks.blocking_tools:
        behavior = types.Behavior.BLOCKING if tool.blocking else types.Behavior.NON_BLOCKING
    return types.FunctionDeclaration(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=json.loads(tool.parameters),
        behavior=behavior,
    )


def instruction(persona: Persona, wall_time_ms: int = 0) -> str:
    """The system instruction: the persona's own, its language, and the local date and time.

    Nothing else ever enters it: no word of a caller, no number and no result.
    """
    parts = [persona.instructions]
    if persona.language:
        parts.append(
            f"Speak the language {persona.language}, unless the caller speaks another one."
        )
    if persona.timezone and wall_time_ms:
        at = datetime.fromtimestamp(wall_time_ms / 1000, ZoneInfo(persona.timezone))
        day = f"{DAYS[at.weekday()]}, {at.day} {MONTHS[at.month - 1]} {at.year}"
        parts.append(f"It is {day}, {at:%H:%M} in the time zone {persona.timezone}.")
    return "\n\n".join(parts)
