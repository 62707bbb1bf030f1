"""The sound of a telephone's keys: two tones at once. Pure.

Source: ITU-T Q.23, and Q.24 for how long.
"""

from functools import cache
from math import pi, sin

import numpy as np

from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import decode, encode

TONE_MS = 100
PEAK = 6_000
"""The peak of each tone, of 32 768; both together are about 12 dB below full scale."""

_ROWS_HZ, _COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")


@cache
def key_tone(digit: str) -> bytes:
    """The sound of a key: 100 ms of µ-law, 8 kHz."""
    row = next(n for n, keys in enumerate(_KEYS) if digit in keys)
    tones_hz = _ROWS_HZ[row], _COLUMNS_HZ[_KEYS[row].index(digit)]
    samples = range(TONE_MS * PHONE_RATE_HZ // 1000)
    pcm = [
        round(sum(PEAK * sin(2 * pi * hz * n / PHONE_RATE_HZ) for hz in tones_hz)) for n in samples
    ]
    return encode(np.array(pcm, dtype="<i2").tobytes())


def mixed(one: bytes, other: bytes) -> bytes:
    """Mix two sounds; the second may be shorter."""
    pcm = np.frombuffer(decode(one), dtype="<i2").astype(np.int32)
    pcm[: len(other)] += np.frombuffer(decode(other), dtype="<i2")
    return encode(pcm.clip(-32_768, 32_767).astype("<i2").tobytes())
