"""Reads the audio files that a document plays, as Twilio fetches them. Pure.

Twilio plays MP3, WAV, AIFF, GSM and µ-law. Here a WAV of one channel at 8 kHz is played, 16-bit or
µ-law, and raw µ-law; everything else is refused, so that our files need no conversion.
"""

import struct

from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import encode
from telephony.simulator.elements import TwimlError

WRONG_TYPE = 12300
"""Twilio's error for a file of a content type that it does not play."""

WAV_TYPES = frozenset({"audio/wav", "audio/wave", "audio/x-wav"})
ULAW_TYPES = frozenset({"audio/ulaw", "audio/basic"})

_PCM, _ULAW = 1, 7
"""The format tags of RIFF/WAVE."""


def to_ulaw(content: bytes, content_type: str) -> bytes:
    """The µ-law, 8 kHz, of a file.

    Args:
        content: The file.
        content_type: Its Content-Type header.

    Raises:
        TwimlError: It cannot be played.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ULAW_TYPES:
        return content
    if kind not in WAV_TYPES:
        expected = "audio/wav or audio/ulaw"
        raise TwimlError(WRONG_TYPE, f"Play: expected a file of {expected}, got {content_type!r}")
    return _wav(content)


def _wav(content: bytes) -> bytes:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise TwimlError(WRONG_TYPE, "Play: a file of audio/wav begins with RIFF and WAVE")
    format_, data, at = b"", b"", 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt ":
            format_ = content[at + 8 : at + 8 + size]
        elif name == b"data":
            data = content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    if len(format_) < 16:
        raise TwimlError(WRONG_TYPE, "Play: the WAV has no format")
    tag, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", format_[:16])
    if (channels, rate_hz) != (1, PHONE_RATE_HZ) or (tag, bits) not in {(_PCM, 16), (_ULAW, 8)}:
        got = f"{channels} channel(s) of {rate_hz} Hz, {bits} bits, format {tag}"
        expected = f"one channel of {PHONE_RATE_HZ} Hz, 16-bit or µ-law"
        raise TwimlError(WRONG_TYPE, f"Play: expected a WAV of {expected}, got {got}")
    return data if tag == _ULAW else encode(data[: len(data) // 2 * 2])
