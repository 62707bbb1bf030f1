import hashlib
import itertools
import math
import os
import platform
import random
import signal
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from telephony.audio.resample import (
    MODEL_TO_PHONE_TAPS,
    PHONE_TO_MODEL_TAPS,
    TAP_ONE,
    StreamingResampler,
    model_to_phone,
    phone_to_model,
    resample_whole,
)

Signal = npt.NDArray[np.float64]
Make = Callable[[], StreamingResampler]

both_ways = pytest.mark.parametrize("make", [phone_to_model, model_to_phone])


def noise(samples: int, seed: int = 1, peak: int = 32_767) -> bytes:
    return np.random.default_rng(seed).integers(-peak - 1, peak + 1, samples, "<i2").tobytes()


def tone(hz: float, rate_hz: int, amplitude: float = 16_000) -> bytes:
    """One second."""
    wave = amplitude * np.sin(2 * np.pi * hz / rate_hz * np.arange(rate_hz))
    return np.rint(wave).astype("<i2").tobytes()


def read(pcm: bytes) -> Signal:
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def whole(make: Make, pcm: bytes) -> bytes:
    resampler = make()
    return resampler.push(pcm) + resampler.flush()


def amplitude_at(hz: float, pcm: bytes, rate_hz: int) -> float:
    """Of the one second of audio, under a Hann window so that its ends leak nothing."""
    signal_ = read(pcm)
    window = np.hanning(len(signal_))
    turn = np.exp(-2j * np.pi * hz / rate_hz * np.arange(len(signal_)))
    return float(2 * np.abs((signal_ * window) @ turn) / window.sum())


def rejection_db(wanted: float, unwanted: float) -> float:
    return 20 * math.log10(wanted / max(unwanted, 1e-3))


def direct(half_taps: tuple[int, ...], up: int, down: int, pcm: bytes) -> bytes:
    """The filter by its definition, in integers: zeros between samples, convolve, pick."""
    samples = np.frombuffer(pcm, "<i2").astype(np.int64)
    stuffed = np.zeros(len(samples) * up, np.int64)
    stuffed[::up] = samples
    taps = np.array(half_taps[:0:-1] + half_taps)
    reach = len(half_taps) - 1
    sums = np.convolve(stuffed, taps)[reach : reach + len(stuffed)][::down]
    return np.clip(np.rint(sums / TAP_ONE), -32_768, 32_767).astype("<i2").tobytes()


@given(samples=st.integers(0, 1_500), seed=st.integers(0, 9), cuts=st.lists(st.integers(0, 3_000)))
@both_ways
def test_any_chunking_of_bytes_gives_the_same_samples(
    make: Make, samples: int, seed: int, cuts: list[int]
) -> None:
    pcm = noise(samples, seed)
    resampler, edges = make(), [0, *sorted(cuts), len(pcm)]
    chunks = [resampler.push(pcm[a:b]) for a, b in itertools.pairwise(edges)]
    assert b"".join(chunks) + resampler.flush() == whole(make, pcm)


@both_ways
def test_silence_after_sound_ends_it_and_sound_after_silence_begins_at_once(make: Make) -> None:
    """Pieces that are all silent are not filtered."""
    silence, sound = bytes(960), tone(1_000, 8_000)[:960]
    pieces = [silence, silence, sound, silence, silence, silence, sound, silence]
    resampler = make()
    got = b"".join(resampler.push(piece) for piece in pieces) + resampler.flush()
    assert got == whole(make, b"".join(pieces))
    assert make().push(silence) == bytes(len(make().push(sound)))


@pytest.mark.parametrize(
    ("make", "half_taps", "up", "down"),
    [(phone_to_model, PHONE_TO_MODEL_TAPS, 2, 1), (model_to_phone, MODEL_TO_PHONE_TAPS, 1, 3)],
)
def test_the_samples_are_those_of_the_filter_by_its_definition(
    make: Make, half_taps: tuple[int, ...], up: int, down: int
) -> None:
    for samples in [1, 2, 11, 12, 13, 479, 480, 9_001]:
        pcm = noise(samples, samples)
        assert whole(make, pcm) == direct(half_taps, up, down, pcm)


@both_ways
def test_a_reply_loses_no_sample_and_leaves_none_for_the_next(make: Make) -> None:
    draw = random.Random(7)
    used = make()
    for reply in range(1_000):
        pcm = noise(draw.randint(0, 3_000), reply)
        cut = draw.randint(0, len(pcm))
        heard = used.push(pcm[:cut]) + used.push(pcm[cut:]) + used.flush()
        samples = len(pcm) // 2
        assert len(heard) // 2 == (2 * samples if make is phone_to_model else -(-samples // 3))
        assert heard == whole(make, pcm)


@both_ways
def test_a_reply_can_be_dropped_without_a_trace(make: Make) -> None:
    used = make()
    used.push(noise(333) + b"\x01")
    used.reset()
    assert used.flush() == b""
    assert used.push(noise(999, 2)) + used.flush() == whole(make, noise(999, 2))


@both_ways
def test_half_a_sample_at_the_end_of_a_reply_is_dropped(make: Make) -> None:
    used = make()
    assert used.push(noise(500) + b"\x7f") + used.flush() == whole(make, noise(500))
    assert used.flush() == b""


@pytest.mark.parametrize(
    ("make", "from_hz", "to_hz"), [(phone_to_model, 8_000, 16_000), (model_to_phone, 24_000, 8_000)]
)
def test_what_is_held_back_is_the_stated_delay_of_at_most_2_ms(
    make: Make, from_hz: int, to_hz: int
) -> None:
    resampler = make()
    out_samples = 0
    most_held_ms = 0.0
    for pushed in range(1, 1_000):
        out_samples += len(resampler.push(b"\x01\x00")) // 2
        most_held_ms = max(most_held_ms, 1000 * (pushed / from_hz - out_samples / to_hz))
    assert most_held_ms == pytest.approx(resampler.delay_ms)
    assert resampler.delay_ms <= 2


def test_an_impulse_comes_out_where_it_went_in() -> None:
    click = np.zeros(600, "<i2")
    click[300] = 20_000
    assert np.argmax(read(whole(phone_to_model, click.tobytes()))) == 600
    assert np.argmax(read(whole(model_to_phone, click.tobytes()))) == 100


@both_ways
def test_a_constant_stays_exactly_that_constant(make: Make) -> None:
    for level in [0, 1, -1, 12_345, 32_767, -32_768]:
        out = read(whole(make, np.full(2_000, level, "<i2").tobytes()))
        assert set(out[100:-100]) == {level}


@pytest.mark.parametrize("half_taps", [PHONE_TO_MODEL_TAPS, MODEL_TO_PHONE_TAPS])
def test_every_partial_sum_is_exact_in_a_float64(half_taps: tuple[int, ...]) -> None:
    magnitude = sum(map(abs, half_taps)) * 2 - abs(half_taps[0])
    assert magnitude < 4 * TAP_ONE
    assert magnitude * 32_768 < 2**53


@both_ways
def test_full_scale_clips_and_never_wraps(make: Make) -> None:
    extremes = np.random.default_rng(3).choice([-32_768, 32_767], 24_000)
    square = np.where(np.arange(24_000) // 40 % 2, 32_767, -32_768)
    for extreme in (extremes, square):
        out = read(whole(make, extreme.astype("<i2").tobytes()))
        # At half the level there is room for every overshoot: that is what full scale should be.
        twice = 2 * read(whole(make, (extreme // 2).astype("<i2").tobytes()))
        assert np.abs(out - np.clip(twice, -32_768, 32_767)).max() <= 4
        assert (np.abs(twice) > 32_768).any(), "nothing had to be clipped: the test shows nothing"


@pytest.mark.parametrize("hz", [300, 700, 1_000, 2_000, 3_000, 3_200, 3_400])
def test_an_image_of_the_phone_band_is_60_db_down(hz: int) -> None:
    out = whole(phone_to_model, tone(hz, 8_000))
    assert rejection_db(amplitude_at(hz, out, 16_000), amplitude_at(8_000 - hz, out, 16_000)) >= 60


def test_an_image_at_4200_hz_is_40_db_down() -> None:
    out = whole(phone_to_model, tone(3_800, 8_000))
    assert rejection_db(16_000, amplitude_at(4_200, out, 16_000)) >= 40


@pytest.mark.parametrize(
    ("hz", "least_db"),
    [(4_200, 40), (5_000, 60), (5_500, 60), (7_000, 60), (9_000, 60), (11_900, 60)],
)
def test_what_the_phone_cannot_carry_is_stopped_before_it_folds(hz: int, least_db: float) -> None:
    out = whole(model_to_phone, tone(hz, 24_000))
    folded_hz = abs(hz - 8_000 * round(hz / 8_000))
    assert rejection_db(16_000, amplitude_at(folded_hz, out, 8_000)) >= least_db


@pytest.mark.parametrize(
    ("make", "from_hz", "to_hz"), [(phone_to_model, 8_000, 16_000), (model_to_phone, 24_000, 8_000)]
)
def test_the_passband_is_flat_within_half_a_db_to_3200_hz(
    make: Make, from_hz: int, to_hz: int
) -> None:
    for hz in range(100, 3_201, 100):
        out = whole(make, tone(hz, from_hz))
        assert abs(rejection_db(amplitude_at(hz, out, to_hz), 16_000)) <= 0.5, hz


@pytest.mark.parametrize(
    ("make", "from_hz", "to_hz"), [(phone_to_model, 8_000, 16_000), (model_to_phone, 24_000, 8_000)]
)
def test_speech_band_noise_comes_out_as_from_soxr(make: Make, from_hz: int, to_hz: int) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(5).normal(size=from_hz))
    hz = np.arange(len(spectrum))
    spectrum[(hz < 200) | (hz > 3_200)] = 0
    band = np.fft.irfft(spectrum)
    pcm = np.rint(band / np.abs(band).max() * 20_000).astype("<i2").tobytes()
    ours = read(whole(make, pcm))[200:-200]
    theirs = soxr.resample(read(pcm), from_hz, to_hz, quality="VHQ")[200:-200]
    assert rejection_db(float(np.std(theirs)), float(np.std(ours - theirs))) >= 40


@pytest.mark.parametrize(("from_hz", "to_hz"), [(16_000, 8_000), (8_000, 24_000), (22_050, 8_000)])
def test_a_whole_recording_keeps_its_length_and_its_tone(from_hz: int, to_hz: int) -> None:
    out = resample_whole(tone(1_000, from_hz), from_hz, to_hz)
    assert len(out) // 2 == to_hz
    assert amplitude_at(1_000, out, to_hz) == pytest.approx(16_000, rel=1e-3)


def test_a_whole_recording_at_full_scale_does_not_wrap() -> None:
    square = np.where(np.arange(8_000) // 40 % 2, 32_767, -32_768).astype("<i2")
    steps = np.abs(np.diff(read(resample_whole(square.tobytes(), 8_000, 24_000))))
    assert steps.max() < 50_000


# x86 kernels of OpenBLAS: SSE3, SSE4.2, AVX, AVX2 with fused multiply-add, AVX-512. Elsewhere the
# names are unknown to it, and it runs what it would run anyway.
KERNELS = ["Prescott", "Nehalem", "Sandybridge", "Haswell", "SkylakeX"]

HASH = """
import hashlib, numpy as np
from telephony.audio.resample import model_to_phone, phone_to_model
draw = np.random.default_rng(11)
print(hashlib.sha256((draw.random((32, 118)) @ draw.random((118, 16))).tobytes()).hexdigest())
pcm = draw.integers(-32768, 32768, 200_000, "<i2").tobytes()
for make in (phone_to_model, model_to_phone):
    live = make()
    print(hashlib.sha256(live.push(pcm) + live.flush()).hexdigest())
"""


def hashes_under(kernel: str) -> tuple[str, str, str]:
    """SHA-256 of a product of arbitrary floats, and of both ways, in a process of that kernel."""
    done = subprocess.run(  # noqa: S603 -- our own interpreter, on the text above
        [sys.executable, "-c", HASH],
        env={**os.environ, "OPENBLAS_CORETYPE": kernel},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == -signal.SIGILL:
        pytest.skip(f"this CPU cannot run the {kernel} kernel of OpenBLAS")  # nothing to install
    assert done.returncode == 0, done.stderr
    control, up, down = done.stdout.split()
    return control, up, down


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.real
def test_every_blas_kernel_gives_the_same_samples(kernel: str) -> None:
    pcm_draw = np.random.default_rng(11)
    pcm_draw.random((32, 118))
    pcm_draw.random((118, 16))
    pcm = pcm_draw.integers(-32_768, 32_768, 200_000, "<i2").tobytes()
    expected = [
        hashlib.sha256(direct(PHONE_TO_MODEL_TAPS, 2, 1, pcm)).hexdigest(),
        hashlib.sha256(direct(MODEL_TO_PHONE_TAPS, 1, 3, pcm)).hexdigest(),
    ]
    assert list(hashes_under(kernel)[1:]) == expected


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are kernels of x86-64")
@pytest.mark.real
def test_the_kernels_compared_do_differ_where_sums_are_rounded() -> None:
    """Else the test above would compare one kernel with itself."""
    assert hashes_under("Prescott")[0] != hashes_under("Haswell")[0]
