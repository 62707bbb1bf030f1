"""Does speech survive the whole path? PESQ (ITU-T P.862, narrow band) of the simulated caller's own
clips, against what was said. One µ-law coding alone costs a perfect score: it leaves about 4.1.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from telephony.audio import g711
from telephony.audio.resample import model_to_phone, phone_to_model, resample_whole
from telephony.audio.wav import read_mono
from tests.programs import pesq_is_here

CLIPS = sorted((Path(__file__).parents[3] / "agent/simulator/clips/caller").glob("q*.wav"))


type Score = Callable[[bytes, bytes], float]


@pytest.fixture
def score() -> Score:
    """PESQ of what was heard, beside what was said."""
    pesq_is_here()
    from pesq import pesq  # noqa: PLC0415 - it has to be compiled, and may not be there

    return lambda said, heard: float(
        pesq(8_000, np.frombuffer(said, "<i2"), np.frombuffer(heard, "<i2"), "nb")
    )


def over_the_bridge(pcm_8k: bytes) -> bytes:
    """µ-law, up to the model in 20 ms frames, back at 24 kHz in chunks of 40 ms, µ-law."""
    up, down = phone_to_model(), model_to_phone()
    line = g711.decode(g711.encode(pcm_8k))
    to_model = b"".join(up.push(line[at : at + 320]) for at in range(0, len(line), 320))
    reply = resample_whole(to_model + up.flush(), 16_000, 24_000)
    back = b"".join(down.push(reply[at : at + 1_920]) for at in range(0, len(reply), 1_920))
    return g711.decode(g711.encode(back + down.flush()))


def test_there_are_clips_to_judge_by() -> None:
    assert len(CLIPS) >= 3


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.stem)
def test_speech_survives_the_whole_path(score: Score, clip: Path) -> None:
    said, rate_hz = read_mono(clip)
    assert rate_hz == 8_000
    heard = over_the_bridge(said)
    assert len(heard) == len(said)
    assert score(said, heard) >= 3.9


def test_the_judge_hears_a_click_at_every_frame(score: Score) -> None:
    """A judge that let that pass would be none."""
    said, _ = read_mono(CLIPS[0])
    clicking = np.frombuffer(said, "<i2").copy()
    clicking[::160] = 8_000
    assert score(said, clicking.tobytes()) < 3
