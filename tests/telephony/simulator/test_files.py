"""The audio files that a document plays."""

import struct
from pathlib import Path

import pytest

from telephony.audio.g711 import decode
from telephony.audio.wav import write_mono
from telephony.simulator.elements import TwimlError
from telephony.simulator.files import to_ulaw
from telephony.simulator.keys import key_tone


def wav(tag: int, rate_hz: int, bits: int, data: bytes) -> bytes:
    """A WAV of one channel, with a chunk in front that nobody knows."""
    about = struct.pack("<HHIIHH", tag, 1, rate_hz, rate_hz * bits // 8, bits // 8, bits)
    chunks = [(b"LIST", b"abc\0"), (b"fmt ", about), (b"data", data)]
    body = b"".join(name + len(inside).to_bytes(4, "little") + inside for name, inside in chunks)
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WAVE" + body


def test_a_wav_and_raw_ulaw_are_played_to_the_sample(tmp_path: Path) -> None:
    tone = key_tone("5")
    write_mono(tmp_path / "a.wav", decode(tone), 8_000)
    assert to_ulaw((tmp_path / "a.wav").read_bytes(), "audio/wav; x=y") == tone
    assert to_ulaw(wav(7, 8_000, 8, tone), "audio/x-wav") == tone
    assert to_ulaw(tone, "audio/ulaw") == tone


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (wav(7, 8_000, 8, b""), "text/html"),
        (wav(1, 16_000, 16, b""), "audio/wav"),
        (wav(1, 8_000, 8, b""), "audio/wav"),
        (b"RIFF", "audio/wav"),
        (wav(1, 8_000, 16, b"")[:30], "audio/wav"),
        (b"ID3", "audio/mpeg"),
    ],
)
def test_a_file_that_is_not_played_here_is_refused(content: bytes, kind: str) -> None:
    with pytest.raises(TwimlError, match="12300: Play"):
        to_ulaw(content, kind)
