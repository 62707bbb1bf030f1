"""The tone is arithmetic: the same bytes on every machine, wherever it is cut."""

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.replay.tone import AMPLITUDE, tone


def test_a_second_of_it_is_always_the_same() -> None:
    expected = "a48f1f78ae22bd7c"
    assert sha256(tone(440, 0, 48_000)).hexdigest()[:16] == expected


@given(st.integers(1, 4000), st.integers(0, 200_000), st.integers(0, 500), st.integers(0, 500))
def test_pieces_of_it_fit_together(hz: int, offset: int, one: int, other: int) -> None:
    pieces = tone(hz, offset, one) + tone(hz, offset + one, other)
    assert pieces == tone(hz, offset, one + other)
    assert len(pieces) == one + other


@pytest.mark.parametrize("hz", [200, 440, 1000])
def test_it_has_its_pitch_and_its_level(hz: int) -> None:
    samples = np.frombuffer(tone(hz, 0, 48_000), "<i2").astype(np.float64)
    assert int(np.argmax(np.abs(np.fft.rfft(samples)))) == hz
    assert 0.98 * AMPLITUDE < samples.max() <= AMPLITUDE
