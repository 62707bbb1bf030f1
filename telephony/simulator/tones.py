"""The sounds that Twilio makes by itself: a beep, its music, what stands for its voice. Pure.

They are not the real ones. They only have to be loud, and to differ from each other.
"""

from math import pi, sin

import numpy as np

from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import encode

PEAK = 6_000


def _tone(hz: int, length_ms: int) -> bytes:
    samples = range(length_ms * PHONE_RATE_HZ // 1000)
    pcm = [round(PEAK * sin(2 * pi * hz * n / PHONE_RATE_HZ)) for n in samples]
    return encode(np.array(pcm, dtype="<i2").tobytes())


BEEP = _tone(1_000, 400)
"""The beep of a conference, and of a voicemail: 400 ms of µ-law, 8 kHz."""

VOICE = _tone(300, 1_000)
"""A second of what stands for the voice with which Twilio says things: µ-law, 8 kHz."""

MELODY = b"".join(_tone(hz, 500) for hz in (262, 330, 392, 330))
"""Twilio's own music for those who wait: 2 s of µ-law, 8 kHz."""
