"""The sound of a key is two tones, and may be in the media."""

import random

import numpy as np
import pytest

from telephony.audio.g711 import decode
from telephony.simulator.faults import LineFaults
from telephony.simulator.keys import key_tone, mixed
from telephony.simulator.line import Line


def loudest_hz(ulaw: bytes) -> tuple[int, int]:
    """The two frequencies that are loudest, to 10 Hz."""
    pcm = np.frombuffer(decode(ulaw), dtype="<i2")
    loudness = np.abs(np.fft.rfft(pcm))
    first, second = sorted(np.argsort(loudness)[-2:] * 8000 // len(pcm))
    return int(first), int(second)


@pytest.mark.parametrize(
    ("digit", "tones_hz"),
    [("1", (697, 1209)), ("9", (852, 1477)), ("0", (941, 1336)), ("#", (941, 1477)),
     ("D", (941, 1633))],
)  # fmt: skip
def test_a_key_is_two_tones(digit: str, tones_hz: tuple[int, int]) -> None:
    assert loudest_hz(key_tone(digit)) == pytest.approx(tones_hz, abs=10)
    assert len(key_tone(digit)) == 800


def test_what_is_mixed_is_heard_beside_what_is_said() -> None:
    silence = b"\xff" * 1_600
    assert mixed(silence, key_tone("5"))[:800] == key_tone("5")
    assert set(mixed(silence, key_tone("5"))[800:]) == {0xFF}
    loud = b"\x80" * 800
    assert len(mixed(loud, loud)) == 800


@pytest.mark.parametrize("audible", [False, True])
def test_a_key_may_be_audible_in_the_media(audible: bool) -> None:
    faults = LineFaults(audible_keys=audible)
    line = Line("MZ", "CA", "AC", {}, rng=random.Random(0), faults=faults)
    line.open(0)
    line.poll(line.media_start_ms)
    line.press("5")
    line.poll(line.media_start_ms + 400)
    assert (key_tone("5") in bytes(line.said)) is audible
