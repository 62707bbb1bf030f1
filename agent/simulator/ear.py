"""A small speech recogniser that knows one phrase book, so that simulated models understand.

It compares an utterance with every known phrase by the shape of the spectrum, 10 ms at a time, at
every lag. The phrase that fits best is the result. Its coverage is the share of the phrase's speech
that was heard: a phrase without its first words, or with holes, is still recognised, with a lower
coverage. The result is deterministic, and does not depend on loudness or on the sound of a
telephone line.

It does not judge quality: a phrase with a click in every frame is still recognised.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

RATE_HZ = 16_000
HOP_MS = 10
HOP_SAMPLES = RATE_HZ * HOP_MS // 1000
WINDOW_SAMPLES = 512
BANDS = 20
LOWEST_HZ, HIGHEST_HZ = 200.0, 3_400.0
"""The band that every telephone carries."""

RANGE_DB = 15
"""Bands that are farther below their frame's loudest band are raised to this, so that noise and
µ-law between the formants do not count."""
GATE_DB = 30
"""Frames this far below the utterance's loudest ones are pauses."""
SILENCE_DBFS = -55
"""Every frame below this level is a pause."""

PRESENT = 0.65
"""The likeness, from -1 to 1, from which a stretch of the phrase counts as present."""
STRETCH_FRAMES = 15
KNOWN = 0.33
"""The least coverage at which a phrase counts as said. Between two phrases of one book, for noises,
and for another voice we measured 0.25 at most; half a phrase gives 0.34 to 0.5."""

type Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
type Flags = np.ndarray[tuple[int], np.dtype[np.bool]]


@dataclass(frozen=True, slots=True)
class Heard:
    """The result for one utterance.

    Args:
        name: The phrase's name in the book, or None if none was understood.
        text: Its text, or None.
        coverage: The share of the phrase's speech that was heard, 0 to 1. If none was understood,
            that of the most similar phrase.
    """

    name: str | None
    text: str | None
    coverage: float


@dataclass(frozen=True, slots=True)
class Phrase:
    """One line of a phrase book: its text, and its PCM (int16 little-endian, mono, 16 kHz)."""

    text: str
    pcm: bytes


class Ear:
    """A recogniser for the given phrases, by name."""

    def __init__(self, book: Mapping[str, Phrase]) -> None:
        shapes = {name: _log_bands(_samples(phrase.pcm)) for name, phrase in book.items()}
        every = np.concatenate([bands[_is_speech(bands)] for bands in shapes.values()])
        relative = every - every.mean(axis=1, keepdims=True)
        self._mean, self._spread = relative.mean(axis=0), relative.std(axis=0)
        self._texts = {name: phrase.text for name, phrase in book.items()}
        self._features = {name: self._feature(bands) for name, bands in shapes.items()}
        # A cache: the same audio in another call, or after a resume, is understood at once.
        self._understood = lru_cache(maxsize=64)(self._understand)

    def hear(self, pcm: bytes) -> Heard:
        """Recognise one utterance.

        Args:
            pcm: int16 little-endian, mono, 16 kHz; silence around it does no harm.
        """
        return self._understood(pcm)

    def _understand(self, pcm: bytes) -> Heard:
        said = self._feature(_log_bands(_samples(pcm)))
        if not said.any():
            return Heard(None, None, 0.0)
        scores = {name: _coverage(phrase, said) for name, phrase in self._features.items()}
        best = max(scores, key=lambda name: scores[name])
        if scores[best] < KNOWN:
            return Heard(None, None, scores[best])
        return Heard(best, self._texts[best], scores[best])

    def _feature(self, bands: Floats) -> Floats:
        """Unit vectors of spectral shape, (frames, BANDS); zero where there is no speech."""
        shape = (bands - bands.mean(axis=1, keepdims=True) - self._mean) / self._spread
        length = np.linalg.norm(shape, axis=1, keepdims=True)
        unit = np.divide(shape, length, out=np.zeros_like(shape), where=length > 0)
        return unit * _is_speech(bands)[:, None]


def _samples(pcm: bytes) -> Floats:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64) / 32768


def _filters() -> Floats:
    """Overlapping bands, evenly spaced on the mel scale: (bins, BANDS)."""
    lowest_mel, highest_mel = (math.log1p(hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    edges_hz = 700 * np.expm1(np.linspace(lowest_mel, highest_mel, BANDS + 2))
    bins_hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / RATE_HZ)[:, None]
    rising = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


_FILTERS = _filters()
_WINDOW = np.hanning(WINDOW_SAMPLES)
_FULL_SCALE = float(np.sum(_WINDOW**2)) * WINDOW_SAMPLES / 2
"""The power over all bins of a signal whose rms is 1."""


def _log_bands(samples: Floats) -> Floats:
    """Energy per frame and band in dB, about relative to full scale: (frames, BANDS)."""
    padded = np.pad(samples, WINDOW_SAMPLES)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2 @ _FILTERS / _FULL_SCALE
    bands = 10 * np.log10(power + 1e-9)
    return np.asarray(np.maximum(bands, bands.max(axis=1, keepdims=True) - RANGE_DB))


def _is_speech(bands: Floats) -> Flags:
    level_db = 10 * np.log10(np.sum(10 ** (bands / 10), axis=1))
    return np.asarray(level_db > max(float(level_db.max()) - GATE_DB, SILENCE_DBFS))


def _coverage(phrase: Floats, said: Floats) -> float:
    """The share of the phrase's speech that is in `said`, at the lag where they are most alike."""
    lag = _best_lag(phrase, said)
    first, last = max(0, -lag), min(len(phrase), len(said) - lag)
    alike = np.zeros(len(phrase))
    alike[first:last] = np.sum(phrase[first:last] * said[first + lag : last + lag], axis=1)
    speech = phrase.any(axis=1)
    stretch = np.ones(STRETCH_FRAMES)
    spoken_frames = np.convolve(speech.astype(np.float64), stretch, "same")
    around = np.convolve(alike, stretch, "same")[speech] / spoken_frames[speech]
    return float(np.mean(around > PRESENT))


def _best_lag(phrase: Floats, said: Floats) -> int:
    """The frame of `said` where `phrase` begins, by cross-correlation; may be negative."""
    size = len(phrase) + len(said)
    spectrum = np.fft.rfft(said, size, axis=0) * np.fft.rfft(phrase, size, axis=0).conj()
    likeness = np.fft.irfft(spectrum.sum(axis=1), size)
    lag = int(likeness.argmax())
    return lag if lag < len(said) else lag - size
