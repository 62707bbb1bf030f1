"""Writes the messages that the server of a Live session sends: camelCase, standard base64.

Source: `LiveServerMessage` of the Gemini Live API (v1beta, October 2026), and traces of
gemini-3.8-live.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping

type Message = dict[str, object]
type Send = Callable[[Message], None]

THOUGHT_TOKENS = 40
"""The tokens of a thought, as in traces of gemini-3.8-live."""


def setup_complete() -> Message:
    """The session accepts audio from now on."""
    return {"setupComplete": {}}


def handle_update(handle: str) -> Message:
    """A new handle; "" if the session cannot be resumed from this point."""
    return {"sessionResumptionUpdate": {"newHandle": handle, "resumable": bool(handle)}}


def go_away(time_left_ms: int | None) -> Message:
    """A warning that the connection will be closed; None if it does not say when."""
    return {"goAway": {} if time_left_ms is None else {"timeLeft": f"{time_left_ms / 1000:g}s"}}


def voice_activity(kind: str, audio_ms: float) -> Message:
    """ACTIVITY_START or ACTIVITY_END, with its position in the caller's audio."""
    return {"voiceActivity": {"type": kind, "audioOffset": f"{audio_ms / 1000:.3f}s"}}


def server_content(**fields: object) -> Message:
    """A part of a turn."""
    return {"serverContent": fields}


def audio_part(pcm: bytes) -> Message:
    """The `modelTurn` of some reply audio: PCM16, 24 kHz."""
    blob = {"mimeType": "audio/pcm;rate=24000", "data": b64encode(pcm).decode()}
    return {"role": "model", "parts": [{"inlineData": blob}]}


def usage(prompt_tokens: int) -> Message:
    """A count of tokens that comes alone."""
    return {"usageMetadata": {"promptTokenCount": prompt_tokens, "totalTokenCount": prompt_tokens}}


def tool_call(call_id: str, name: str, arguments: Mapping[str, object]) -> Message:
    """A call of a function."""
    return {"toolCall": {"functionCalls": [{"id": call_id, "name": name, "args": arguments}]}}


def tool_calls_cancelled(ids: Iterable[str]) -> Message:
    """These calls are taken back."""
    return {"toolCallCancellation": {"ids": list(ids)}}


def unknown() -> Message:
    """A message that no client knows yet."""
    return {"unknownToThisSdk": {}}


UNATTRIBUTED_TOKENS = 39
"""So many tokens of a prompt belong to no modality (25, 39 and 51 were seen)."""


def turn_complete(
    prompt_tokens: int, response_tokens: int, audio_tokens: int = 0, result_tokens: int = 0
) -> Message:
    """The end of a turn, with its tokens.

    As was seen of the service, the prompt counts more than is attributed to modalities, and the
    total does not include thoughts.

    Args:
        prompt_tokens: The tokens of the prompt that are attributed.
        response_tokens: Those of the reply, which are audio.
        audio_tokens: How many of the prompt are audio; the others are text.
        result_tokens: The tokens of results of tools that are counted by themselves.
    """
    prompt = {"TEXT": prompt_tokens - audio_tokens, "AUDIO": audio_tokens}
    prompt_tokens += UNATTRIBUTED_TOKENS
    usage: Message = {
        "promptTokensDetails": _details(prompt),
        "responseTokensDetails": _details({"AUDIO": response_tokens}),
        "promptTokenCount": prompt_tokens,
        "responseTokenCount": response_tokens,
        "thoughtsTokenCount": THOUGHT_TOKENS if response_tokens else 0,
        "totalTokenCount": prompt_tokens + response_tokens + result_tokens,
    }
    if result_tokens:
        usage["toolUsePromptTokenCount"] = result_tokens
        usage["toolUsePromptTokensDetails"] = _details({"TEXT": result_tokens})
    return {"serverContent": {"turnComplete": True}, "usageMetadata": usage}


def _details(tokens: dict[str, int]) -> list[Message]:
    return [{"modality": name, "tokenCount": count} for name, count in tokens.items() if count]
