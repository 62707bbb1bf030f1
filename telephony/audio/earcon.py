"""The sound that a waiting caller hears: two soft notes, a third apart, in 300 ms.

It is computed in whole numbers, because every machine must make the same bytes: a half-wave is a
parabola, and so is the swell of a note. At -33 dBFS it is far below the agent's voice, and above a
line's noise.
"""

import numpy as np
import numpy.typing as npt

from telephony.audio import g711
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS

NOTES_HZ = (523, 659)
NOTE_MS = (140, 160)
PEAK = 1_000


def _note(hz: int, samples: int) -> bytes:
    half = PHONE_RATE_HZ // 2
    at = np.arange(samples, dtype=np.int64)
    phase = at * hz % PHONE_RATE_HZ
    rising = phase % half
    height = 4 * PEAK * rising * (half - rising) // half**2
    swell = 4 * at * (samples - at)
    wave: npt.NDArray[np.int64] = np.where(phase < half, height, -height) * swell // samples**2
    return wave.astype("<i2").tobytes()


EARCON = g711.encode(
    b"".join(_note(hz, ms * PHONE_SAMPLES_PER_MS) for hz, ms in zip(NOTES_HZ, NOTE_MS, strict=True))
)
"""The sound, in whole frames: µ-law, 8 kHz."""

EARCON_MS = len(EARCON) // PHONE_SAMPLES_PER_MS

EARCON_FRAMES = frozenset(
    EARCON[at : at + FRAME_SAMPLES] for at in range(0, len(EARCON), FRAME_SAMPLES)
)
"""The frames of the sound, for listeners that must tell it from speech."""
