"""Can the gauge fail? Our own clips, spoilt in known ways, have to be marked down."""

import random
from functools import cache

import audioop
import numpy as np
import pytest

from agent.simulator.voice import clip, texts
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.g711 import decode, encode
from telephony.audio.resample import resample_whole
from tests.benchmarks.quality.figures import Figure, Way, figures
from tests.benchmarks.quality.judge import Score, cut, in_a_row, judge
from tests.judges.words import Words

NAMES = ("q1", "q2", "q3", "q4", "q5")
TEXTS = [
    texts()[f"caller/{name}"].lower().translate(str.maketrans("", "", ".,?")) for name in NAMES
]
PROMPTS = [clip(f"caller/{name}").pcm for name in NAMES]
CLEAN = decode(encode(in_a_row(PROMPTS)))


@pytest.fixture(scope="module")
def known() -> Words:
    return Words({text: text for text in TEXTS})


@cache
def codec_alone(known: Words) -> list[Score]:
    return [judge(said, decode(encode(said)), PHONE_RATE_HZ, known) for said in PROMPTS]


def measured(recording: bytes, known: Words, rate_hz: int = PHONE_RATE_HZ) -> dict[str, Figure]:
    """The figures of a way whose other end recorded this, by their names."""
    pieces, late = cut(recording, PROMPTS, rate_hz)
    scores = [judge(*pair, rate_hz, known) for pair in zip(PROMPTS, pieces, strict=True)]
    codec = codec_alone(known)
    found = figures(Way("a way", TEXTS, scores, codec, [late]))
    return {figure.name: figure for figure in found}


def missed(found: dict[str, Figure]) -> set[str]:
    return {name for name, figure in found.items() if not figure.met}


def without_frames(pcm: bytes, share: float) -> bytes:
    """Frames of 20 ms are silent, this share of them."""
    draw = random.Random(1)
    frames = [pcm[at : at + 320] for at in range(0, len(pcm), 320)]
    return b"".join(bytes(len(f)) if draw.random() < share else f for f in frames)


def test_what_the_codec_alone_leaves_is_as_wanted(known: Words) -> None:
    found = measured(CLEAN, known)
    assert missed(found) == set()
    assert found["sentences right"].measured == len(NAMES)
    assert found["PESQ below the codec alone"].measured == pytest.approx(0, abs=0.001)


def test_a_prompt_is_found_wherever_the_recording_has_it_and_at_either_rate(
    known: Words,
) -> None:
    late = bytes(2 * 12_345) + CLEAN
    assert missed(measured(late, known)) == set()
    assert missed(measured(resample_whole(late, 8_000, 16_000), known, 16_000)) == set()


def test_swapped_bytes_fail_every_judge(known: Words) -> None:
    found = measured(audioop.byteswap(CLEAN, 2), known)
    assert {"PESQ, mean", "STOI, mean", "sentences right", "level, most off (dB)"} <= missed(found)
    assert found["sentences right"].measured <= 1


def test_a_wrong_rate_fails_every_judge(known: Words) -> None:
    found = measured(resample_whole(CLEAN, 8_000, 12_000), known)
    assert {"PESQ, mean", "STOI, mean", "sentences right"} <= missed(found)


def test_a_lossy_line_is_marked_down(known: Words) -> None:
    found = measured(without_frames(CLEAN, 0.05), known)
    assert {"PESQ, mean", "PESQ below the codec alone", "STOI, mean"} <= missed(found)


def test_silence_is_counted_and_not_passed_over(known: Words) -> None:
    found = measured(bytes(len(CLEAN)), known)
    assert found["prompts PESQ could not judge"].measured == len(NAMES)
    assert {"PESQ, mean", "prompts PESQ could not judge", "STOI, mean"} <= missed(found)
    assert found["sentences right"].measured == 0


@pytest.mark.parametrize("samples", [1, 80])
def test_samples_added_or_lost_between_prompts_are_drift(known: Words, samples: int) -> None:
    middle = 2 * (len(in_a_row(PROMPTS[:3])) // 2)
    added = CLEAN[:middle] + bytes(2 * samples) + CLEAN[middle:]
    lost = CLEAN[: middle - 2 * samples] + CLEAN[middle:]
    for shifted in (added, lost):
        found = measured(shifted, known)
        assert found["drift over a call (samples)"].measured == samples
        assert missed(found) == {"drift over a call (samples)", "samples lost or added"}


def test_a_loss_that_is_made_good_later_leaves_no_drift_and_is_told(known: Words) -> None:
    first, second = (len(in_a_row(PROMPTS[:n])) for n in (2, 4))
    patched = CLEAN[: first - 80] + CLEAN[first:second] + bytes(80) + CLEAN[second:]
    found = measured(patched, known)
    assert missed(found) == {"samples lost or added"}
    assert found["samples lost or added"].measured == 80


def test_a_louder_line_is_marked_down(known: Words) -> None:
    louder = np.rint(np.frombuffer(CLEAN, "<i2") * 1.1).astype("<i2").tobytes()
    assert missed(measured(louder, known)) == {"level, most off (dB)"}
