import audioop
import numpy as np
import pytest
import soxr

from agent.simulator.ear import KNOWN, Ear, Phrase
from agent.simulator.model import caller_ear
from agent.simulator.voice import clip, texts

PHRASES = [name.removeprefix("caller/") for name in texts() if name.startswith("caller/")]
OTHER_VOICE = [
    name for name, text in texts().items() if name.startswith("agent/") and "Yes" not in text
]
"""What the caller never says: an agent's "yes" is as good as a caller's."""


def over_the_line(pcm: bytes) -> bytes:
    """PCM at 8 kHz as it arrives at the model: through µ-law, at 16 kHz."""
    heard = audioop.ulaw2lin(audioop.lin2ulaw(pcm, 2), 2)
    samples = soxr.resample(np.frombuffer(heard, dtype="<i2"), 8_000, 16_000)
    return np.asarray(samples, dtype="<i2").tobytes()


def part(pcm: bytes, start: float, end: float) -> bytes:
    """From one share of the samples to another."""
    return pcm[int(start * len(pcm) / 2) * 2 : int(end * len(pcm) / 2) * 2]


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_is_known_through_a_telephone_line_wherever_it_begins(name: str) -> None:
    spoken = clip(f"caller/{name}").pcm
    for lead_samples in (0, 39, 4_001):
        heard = caller_ear().hear(over_the_line(bytes(2 * lead_samples) + spoken + bytes(8_000)))
        assert (heard.name, heard.text) == (name, texts()[f"caller/{name}"])
        assert heard.coverage > 0.97


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_is_known_when_it_is_quiet_and_when_the_line_is_noisy(name: str) -> None:
    spoken = np.frombuffer(clip(f"caller/{name}").pcm, dtype="<i2")
    noise = np.random.default_rng(7).normal(0, 330, len(spoken))
    noisy = np.clip(spoken + noise, -32768, 32767).astype("<i2").tobytes()
    quiet = (spoken * 0.1).astype("<i2").tobytes()

    for pcm in (noisy, quiet):
        heard = caller_ear().hear(over_the_line(pcm))
        assert heard.name == name
        assert heard.coverage > (0.55 if name == "yes" else 0.7)  # half a word is its soft end


@pytest.mark.parametrize("name", PHRASES)
def test_the_more_of_a_phrase_is_missing_the_less_it_is_covered(name: str) -> None:
    spoken = clip(f"caller/{name}").pcm
    covered = [
        caller_ear().hear(over_the_line(part(spoken, lost, 1.0))).coverage
        for lost in (0.0, 0.2, 0.35, 0.5)
    ]

    assert covered == sorted(covered, reverse=True)
    assert covered[0] - covered[1] > 0.1
    assert covered[3] < 0.6


def test_a_hole_in_a_phrase_lowers_its_coverage_by_about_its_length() -> None:
    spoken = clip("caller/table").pcm
    with_hole = part(spoken, 0, 0.4) + bytes(len(part(spoken, 0.4, 0.6))) + part(spoken, 0.6, 1)

    heard = caller_ear().hear(over_the_line(with_hole))

    assert heard.name == "table"
    assert 0.7 < heard.coverage < 0.88


@pytest.mark.parametrize("name", PHRASES)
def test_no_phrase_is_taken_for_another(name: str) -> None:
    others = {
        other: Phrase(text, clip(f"caller/{other}", 16_000).pcm)
        for other, text in ((o, texts()[f"caller/{o}"]) for o in PHRASES)
        if other != name
    }
    heard = Ear(others).hear(over_the_line(clip(f"caller/{name}").pcm))

    assert heard.name is None
    assert heard.coverage < KNOWN - 0.05


@pytest.mark.parametrize("name", OTHER_VOICE)
def test_other_words_in_another_voice_are_not_understood(name: str) -> None:
    heard = caller_ear().hear(clip(name, 16_000).pcm)
    assert heard.name is None
    assert heard.coverage < KNOWN - 0.05


def test_noise_a_tone_a_sweep_silence_and_nothing_are_not_understood() -> None:
    t = np.arange(32_000) / 16_000
    sounds = [
        np.random.default_rng(3).normal(0, 3_000, 32_000),
        8_000 * np.sin(2 * np.pi * 440 * t),
        8_000 * np.sin(2 * np.pi * (300 + 600 * t) * t),
        np.zeros(32_000),
        np.zeros(0),
    ]
    for sound in sounds:
        heard = caller_ear().hear(sound.astype("<i2").tobytes())
        assert (heard.name, heard.text) == (None, None)


def test_speech_that_is_backwards_or_byte_swapped_is_not_understood() -> None:
    samples = np.frombuffer(clip("caller/table", 16_000).pcm, dtype="<i2")
    for broken in (samples[::-1], samples.byteswap()):
        assert caller_ear().hear(broken.tobytes()).name is None


def test_hearing_twice_gives_the_same() -> None:
    pcm = over_the_line(clip("caller/goodbye").pcm)
    assert caller_ear().hear(pcm) == caller_ear().hear(pcm)
