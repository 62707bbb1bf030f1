"""A voice is told from noise; that a replay hears the same is what the sums are exact for."""

import numpy as np
import pytest

from agent.simulator.voice import clip
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ
from telephony.audio.voicing import VOICED, Voicing, likeness

FRAME_BYTES = 2 * FRAME_SAMPLES


def share_voiced(pcm: bytes) -> float:
    """Of the frames that are loud enough to be told."""
    voicing, told = Voicing(), []
    for at in range(0, len(pcm) - FRAME_BYTES, FRAME_BYTES):
        frame = pcm[at : at + FRAME_BYTES]
        voicing.hears(frame)
        if np.abs(np.frombuffer(frame, "<i2")).max() > 600:
            told.append(voicing.voiced)
    return sum(told) / len(told)


@pytest.mark.parametrize("name", ["caller/q1", "caller/table", "caller/yes", "agent/times"])
def test_most_of_what_a_voice_says_is_voiced(name: str) -> None:
    assert share_voiced(clip(name, PHONE_RATE_HZ).pcm) > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_not(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(5 * PHONE_RATE_HZ) * 3_000
    assert share_voiced(noise.astype("<i2").tobytes()) == 0


@pytest.mark.parametrize("hz", [80, 150, 390])
def test_a_tone_repeats_itself(hz: int) -> None:
    wave = 8_000 * np.sin(2 * np.pi * hz * np.arange(2 * FRAME_SAMPLES) / PHONE_RATE_HZ)
    assert likeness(wave.astype("<i2").tobytes()) >= VOICED


def test_silence_is_like_nothing() -> None:
    assert likeness(bytes(2 * FRAME_BYTES)) == 0


def test_any_chunking_hears_the_same_in_the_end() -> None:
    pcm = clip("caller/q1").pcm[: 8 * FRAME_BYTES]
    whole, parts = Voicing(), Voicing()
    whole.hears(pcm)
    for at in range(0, len(pcm), 102):
        parts.hears(pcm[at : at + 102])
    assert whole.voiced is parts.voiced is True


def test_less_than_two_frames_are_not_voiced() -> None:
    voicing = Voicing()
    voicing.hears(clip("caller/q1").pcm[7 * FRAME_BYTES : 9 * FRAME_BYTES - 2])
    assert not voicing.voiced
