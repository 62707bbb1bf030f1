"""A tone computed in whole numbers, which a fixture plays in place of the model's voice.

Every machine must make the same bytes, so there is no sine function and no rounding. A half-wave is
a parabola, which sounds like a sine with a little warmth.
"""

import numpy as np

from telephony.audio.formats import MODEL_OUT_RATE_HZ

AMPLITUDE = 8_000
"""-12 dBFS, as loud as the model's voice."""

_HALF = MODEL_OUT_RATE_HZ // 2


def tone(hz: int, offset: int, length: int) -> bytes:
    """Cut a piece out of an endless tone that begins at 0.

    Args:
        hz: The pitch, a whole number below 12 000.
        offset: The beginning of the piece, in bytes.
        length: The length of the piece, in bytes. Both may be within a sample.

    Returns:
        PCM, int16 little-endian, mono, 24 kHz.
    """
    first, last = offset // 2, -(-(offset + length) // 2)
    # The phase counts in steps of 1 / 24 000 of a period, so that it is a whole number.
    phase = np.arange(first, last, dtype=np.int64) % MODEL_OUT_RATE_HZ * hz % MODEL_OUT_RATE_HZ
    rising = phase % _HALF
    height = 4 * AMPLITUDE * rising * (_HALF - rising) // _HALF**2
    samples = np.where(phase < _HALF, height, -height).astype("<i2")
    return samples.tobytes()[offset % 2 :][:length]
