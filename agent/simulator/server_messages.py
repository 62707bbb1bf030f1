"""Writes the messages that the server of a Live session sends: camelCase, standard base64.

Source: `LiveServerMessage` of the Gemini Live API (v1beta, October 2026), and traces of
gemini-3.8-live.
"""

from base64 import b64encode
from collections.abc import Callable

type Message = dict[str, object]
type Send = Callable[[Message], None]

THOUGHT_TOKENS = 40
"""As in the trace of gemini-3.8-live."""


def setup_complete() -> Message:
    """The session takes audio from here on."""
    return {"setupComplete": {}}


def handle_update(handle: str) -> Message:
    """A new handle; "" where the session cannot be resumed from here."""
    return {"sessionResumptionUpdate": {"newHandle": handle, "resumable": bool(handle)}}


def go_away(time_left_ms: int) -> Message:
    """The connection will be closed."""
    return {"goAway": {"timeLeft": f"{time_left_ms / 1000:g}s"}}


def voice_activity(kind: str, audio_ms: float) -> Message:
    """ACTIVITY_START or ACTIVITY_END, and where in the caller's audio."""
    return {"voiceActivity": {"type": kind, "audioOffset": f"{audio_ms / 1000:.3f}s"}}


def server_content(**fields: object) -> Message:
    """A part of a turn."""
    return {"serverContent": fields}


def audio_part(pcm: bytes) -> Message:
    """The `modelTurn` of some reply audio: PCM16, 24 kHz."""
    blob = {"mimeType": "audio/pcm;rate=24000", "data": b64encode(pcm).decode()}
    return {"role": "model", "parts": [{"inlineData": blob}]}


def turn_complete(prompt_tokens: int, response_tokens: int) -> Message:
    """The end of a turn, and what it cost; the thoughts are not part of the total."""
    usage = {
        "promptTokenCount": prompt_tokens,
        "responseTokenCount": response_tokens,
        "thoughtsTokenCount": THOUGHT_TOKENS if response_tokens else 0,
        "totalTokenCount": prompt_tokens + response_tokens,
    }
    return {"serverContent": {"turnComplete": True}, "usageMetadata": usage}
