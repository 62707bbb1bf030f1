"""What a telephone picks up beside the caller's voice: the room, and the agent's echo. Pure.

Every line hears the same sounds from its first frame on, so a call with them can be repeated.
"""

from functools import cache

import audioop
import numpy as np

from agent.simulator.voice import clip, texts
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import decode, encode
from telephony.simulator.faults import Background, LineFaults

VOICE_DBFS = -20
"""The level of the caller's clips."""

LOOP_SAMPLES = 10 * PHONE_RATE_HZ
"""The background repeats after so long."""

VOICES = 16
"""So many talk at once in the murmur; with fewer of them, single words stand out."""

_FRAME_BYTES = 2 * FRAME_SAMPLES

type Samples = np.ndarray[tuple[int], np.dtype[np.float64]]


class Surroundings:
    """Those of one line."""

    def __init__(self, faults: LineFaults) -> None:
        self._comfort = faults.background == "comfort"
        self._loop = _loop(faults.background, faults.background_db)
        self._echo = 10 ** (-faults.echo_db / 20) if faults.echo_db else 0.0
        self._echo_samples = faults.echo_ms * PHONE_SAMPLES_PER_MS

    def around(self, voice: bytes, heard: bytearray, at: int) -> bytes | None:
        """What the telephone picks up in one frame: µ-law; None if it is the voice and no more.

        Args:
            voice: What the caller says: µ-law, a frame, or nothing.
            heard: What the caller has heard so far: µ-law.
            at: Where the frame begins, in samples since the first one.
        """
        sound = b""
        if self._loop and not (self._comfort and voice):
            begins = 2 * (at % LOOP_SAMPLES)
            sound = self._loop[begins : begins + _FRAME_BYTES]
        begins = at - self._echo_samples
        if self._echo and begins >= 0 and (back := heard[begins : begins + FRAME_SAMPLES]):
            echo = audioop.mul(decode(bytes(back)).ljust(_FRAME_BYTES, b"\0"), 2, self._echo)
            sound = audioop.add(sound, echo, 2) if sound else echo
        if not sound:
            return None
        return encode(audioop.add(decode(voice), sound, 2) if voice else sound)


@cache
def _loop(background: Background, below_db: float) -> bytes:
    """The background, at its level: PCM16, 8 kHz; empty for nothing."""
    match background:
        case "nothing":
            return b""
        case "murmur":
            sound = _murmur()
        case "room":
            sound = _room()
        case "comfort":
            sound = np.random.default_rng(0).standard_normal(LOOP_SAMPLES)
    rms = 32_768 * 10 ** ((VOICE_DBFS - below_db) / 20)
    sound = sound * rms / np.sqrt(np.mean(sound**2))
    return bytes(sound.clip(-32_768, 32_767).astype("<i2").tobytes())


@cache
def _murmur() -> Samples:
    """Many voices at once, each played backwards, so that nobody understands a word."""
    names = sorted(texts())
    out = np.zeros(LOOP_SAMPLES)
    for n in range(VOICES):
        pcm = clip(names[n % len(names)], PHONE_RATE_HZ).pcm
        backwards = np.frombuffer(pcm, dtype="<i2")[::-1].astype(np.float64)
        out += np.roll(np.resize(backwards, LOOP_SAMPLES), n * LOOP_SAMPLES // VOICES)
    return out


@cache
def _room() -> Samples:
    """Pink noise: as loud in each octave, from 50 Hz on."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(LOOP_SAMPLES))
    hz = np.fft.rfftfreq(LOOP_SAMPLES, 1 / PHONE_RATE_HZ)
    return np.fft.irfft(np.where(hz < 50, 0, spectrum / np.sqrt(np.maximum(hz, 50))), LOOP_SAMPLES)
