"""The music of callers who wait is quiet, has no seam, and is what a telephone line carries."""

import numpy as np

from telephony.audio import g711, hold_music
from telephony.audio.formats import PHONE_RATE_HZ

LOUDEST_DBFS, QUIETEST_DBFS = -22.0, -34.0
"""Below speech, at about -20 dBFS, and well above the noise of a line."""
HEADER_BYTES = 58


def levels_dbfs(samples: np.ndarray, window: int = PHONE_RATE_HZ // 10) -> np.ndarray:
    squares = (samples.astype(float).reshape(-1, window) ** 2).mean(axis=1)
    return np.asarray(10 * np.log10(squares / 32768**2))


def test_the_music_is_quiet_and_never_stops() -> None:
    levels = levels_dbfs(hold_music.loop())
    assert QUIETEST_DBFS < levels.min() <= levels.max() < LOUDEST_DBFS


def test_the_loop_has_no_seam() -> None:
    samples = hold_music.loop()
    steps = np.abs(np.diff(np.concatenate((samples, samples[:1]))))
    assert steps[-1] <= np.percentile(steps, 99.9), "no step is larger than those inside"


def test_the_file_is_mulaw_that_sounds_as_the_samples_do() -> None:
    file, samples = hold_music.wav(), hold_music.loop()
    assert (file[:4], file[8:16]) == (b"RIFF", b"WAVEfmt ")
    assert int.from_bytes(file[4:8], "little") == len(file) - 8
    assert int.from_bytes(file[20:22], "little") == hold_music.WAV_ULAW
    heard = np.frombuffer(g711.decode(file[HEADER_BYTES:]), "<i2").astype(float)
    assert len(heard) == len(samples) == hold_music.LOOP_MS * PHONE_RATE_HZ // 1_000
    noise = ((heard - samples) ** 2).sum()
    assert 10 * np.log10((samples.astype(float) ** 2).sum() / noise) > 30
