"""The music that a caller hears who waits: slow, soft notes, in a loop without a seam.

It is computed in whole numbers, as the earcon is: the same bytes on every machine. A note swells
and fades, and one that is still heard at the end of the loop goes on at its beginning.
`fixtures/audio/hold_music.py FILE` writes it as a file.
"""

import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from telephony.audio import g711
from telephony.audio.formats import PHONE_RATE_HZ

LOOP_MS = 12_000
BEAT_MS = 750
NOTE_MS = 2_600
PEAK = 2_400
"""The peak of a note, of 32768."""

MELODY_HZ = (262, 392, 330, 523, 440, 330, 392, 294, 349, 440, 262, 523, 392, 330, 294, 392)
"""One note a beat."""

WAV_ULAW = 7
"""The format of the file, in the list of RIFF."""


@lru_cache(maxsize=1)
def wav() -> bytes:
    """The music as a WAV file: µ-law, 8 kHz, mono."""
    ulaw = g711.encode(loop().astype("<i2").tobytes())
    about = struct.pack("<HHIIHHH", WAV_ULAW, 1, PHONE_RATE_HZ, PHONE_RATE_HZ, 1, 8, 0)
    chunks = b"".join(
        name + struct.pack("<I", len(data)) + data
        for name, data in ((b"fmt ", about), (b"fact", struct.pack("<I", len(ulaw))))
    )
    body = b"WAVE" + chunks + b"data" + struct.pack("<I", len(ulaw)) + ulaw
    return b"RIFF" + struct.pack("<I", len(body)) + body


def loop() -> npt.NDArray[np.int64]:
    """The samples of the loop, 8 kHz, in the range of int16."""
    samples = np.zeros(_samples(LOOP_MS), dtype=np.int64)
    for beat, hz in enumerate(MELODY_HZ):
        note = _note(hz, _samples(NOTE_MS))
        at = (np.arange(note.size) + beat * _samples(BEAT_MS)) % samples.size
        samples[at] += note
    return samples


def _note(hz: int, samples: int) -> npt.NDArray[np.int64]:
    half = PHONE_RATE_HZ // 2
    at = np.arange(samples, dtype=np.int64)
    phase = at * hz % PHONE_RATE_HZ
    rising = phase % half
    height = 4 * PEAK * rising * (half - rising) // half**2
    rise = samples // 8  # soon loud, and slowly gone
    swell = np.minimum(at * samples // rise, (samples - at) * samples // (samples - rise))
    wave: npt.NDArray[np.int64] = np.where(phase < half, height, -height) * swell // samples
    return wave * swell // samples


def _samples(ms: int) -> int:
    return ms * PHONE_RATE_HZ // 1_000
