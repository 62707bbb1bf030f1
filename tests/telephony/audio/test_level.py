import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from telephony.audio import g711
from telephony.audio.level import HANGOVER_MS, LevelGate
from telephony.audio.wav import read_mono

SECOND = 8_000
CLIPS = Path(__file__).parents[3] / "agent" / "simulator" / "clips" / "caller"


def frames(pcm: bytes, samples: int = 160) -> Iterator[bytes]:
    for start in range(0, len(pcm), 2 * samples):
        yield pcm[start : start + 2 * samples]


def heard(gate: LevelGate, pcm: bytes) -> list[bool]:
    return [gate.hears(frame) for frame in frames(pcm)]


def noise(dbfs: float, seconds: float, seed: int = 1) -> bytes:
    draw = np.random.default_rng(seed).normal(size=int(seconds * SECOND))
    return np.clip(draw * 32_768 * 10 ** (dbfs / 20), -32_768, 32_767).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * SECOND))


def talk(seconds: float, dbfs: float) -> bytes:
    """The simulated caller's own clips, end to end, as they come over µ-law at that level."""
    clips = [read_mono(path)[0] for path in sorted(CLIPS.glob("*.wav"))]
    samples = np.frombuffer(b"".join(clips), "<i2").astype(float)
    samples = np.resize(samples, int(seconds * SECOND))
    samples *= 32_768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(samples**2))
    return g711.decode(g711.encode(np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()))


def longest_gap_ms(sound: list[bool]) -> int:
    runs = "".join("s" if s else "." for s in sound).split("s")
    return 20 * max(map(len, runs))


def test_silence_is_no_sound() -> None:
    gate = LevelGate()
    assert not gate.active
    assert not any(heard(gate, silence(10)))
    assert not gate.active


def test_the_first_frame_of_a_call_may_be_sound() -> None:
    assert LevelGate().hears(noise(-30, 0.02))


@pytest.mark.parametrize("dbfs", [-50, -40, -30, -20, -12])
def test_a_steady_noise_is_no_sound_after_4_s_at_any_level(dbfs: float) -> None:
    gate = LevelGate()
    assert heard(gate, noise(dbfs, 4))[0]
    assert not any(heard(gate, noise(dbfs, 60, seed=2)))


def test_a_sound_held_for_2_s_is_not_yet_the_noise_of_the_line() -> None:
    gate = LevelGate()
    heard(gate, silence(3))
    assert all(heard(gate, noise(-20, 2)))


def test_quiet_speech_is_heard_over_silence() -> None:
    gate = LevelGate()
    heard(gate, silence(10))
    sound = heard(gate, talk(10, -40))
    assert sum(sound) > len(sound) / 2


def test_speech_is_heard_over_noise_15_db_below() -> None:
    gate = LevelGate()
    heard(gate, noise(-40, 10))
    speech, hiss = (np.frombuffer(x, "<i2") for x in (talk(10, -25), noise(-40, 10, seed=2)))
    sound = heard(gate, (speech + hiss).tobytes())
    assert sum(sound) > len(sound) / 3


@pytest.mark.parametrize("dbfs", [-15, -25, -40])
def test_50_s_of_speech_do_not_mute_themselves(dbfs: float) -> None:
    sound = heard(LevelGate(), talk(50, dbfs))
    early, late = sound[: 10 * 50], sound[-10 * 50 :]
    assert sum(late) > 0.9 * sum(early)
    assert longest_gap_ms(sound) < 1_000


@pytest.mark.parametrize("frame_samples", [1, 7, 80, 160, 800])
def test_sound_stays_active_for_exactly_the_hangover(frame_samples: int) -> None:
    gate = LevelGate()
    gate.hears(noise(-20, 0.02))
    active_samples = 0
    for frame in frames(silence(0.6), frame_samples):
        assert not gate.hears(frame)
        active_samples += frame_samples if gate.active else 0
    hangover = SECOND * HANGOVER_MS // 1_000
    assert active_samples == hangover - hangover % frame_samples


def test_the_hangover_is_the_same_time_at_any_rate() -> None:
    gate = LevelGate(rate_hz=16_000)
    gate.hears(noise(-20, 0.02))
    assert sum(gate.hears(f) or gate.active for f in frames(silence(1.2), 320)) == 15


def test_an_empty_frame_says_nothing() -> None:
    gate = LevelGate()
    heard(gate, noise(-30, 10))
    assert not gate.hears(b"")
    assert not gate.hears(noise(-30, 0.02, seed=3)), "the floor must not have fallen"


def test_frames_of_any_length_may_be_mixed() -> None:
    draw, gate, start, late = random.Random(2), LevelGate(), 0, []
    pcm = noise(-30, 20)
    while start < len(pcm):
        samples = draw.randint(80, 800)
        sound = gate.hears(pcm[start : start + 2 * samples])
        start += 2 * samples
        if start > 2 * 5 * SECOND:
            late.append(sound)
    assert late
    assert not any(late)
