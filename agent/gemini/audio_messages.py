"""The two frequent messages of a session, written and read without the SDK. Pure.

Caller audio is written as the SDK writes it, to the byte. Reply audio is read if a message has one
shape and nothing else: one audio part at the reply's rate. Any other message is left to the SDK.

Source: google-genai 3.4.0, `AsyncSession.send_realtime_input` and `types.LiveServerMessage`.
"""

from binascii import b2a_base64
from typing import Literal

import msgspec

CALLER_AUDIO = "audio/pcm;rate=16000"

_BEFORE = b'{"realtime_input": {"audio": {"data": "'
_AFTER = b'", "mime_type": "' + CALLER_AUDIO.encode() + b'"}}}'


class _Struct(msgspec.Struct, forbid_unknown_fields=True, rename="camel", gc=False):
    """A part of the one shape."""


class _Blob(_Struct):
    mime_type: Literal["audio/pcm;rate=24000"]
    data: bytes


class _Part(_Struct):
    inline_data: _Blob


class _Turn(_Struct):
    parts: tuple[_Part]
    role: Literal["model"] = "model"


class _Content(_Struct):
    model_turn: _Turn


class _Message(_Struct):
    server_content: _Content


_decode = msgspec.json.Decoder(_Message).decode


def caller_audio(pcm: bytes) -> bytes:
    """The message that holds some caller audio.

    Args:
        pcm: int16 little-endian, mono, 16 kHz, whole samples.
    """
    data = b2a_base64(pcm, newline=False).replace(b"+", b"-").replace(b"/", b"_")
    return _BEFORE + data + _AFTER


def reply_audio(message: bytes | memoryview) -> bytes | None:
    """The audio of a message that holds nothing else, or None.

    Args:
        message: As the server sent it.

    Returns:
        int16 little-endian, mono, 24 kHz; a sample may be cut in two.
    """
    try:
        return _decode(message).server_content.model_turn.parts[0].inline_data.data
    except ValueError:  # another message, or none at all
        return None
