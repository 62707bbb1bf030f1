"""Print the figures of `telephony.audio`: `python tests/benchmarks/bench_audio.py`.

Costs are CPU time of this process, the best of several repeats, on one BLAS thread: on a shared
machine the others measure the neighbours. Nothing is asserted here; tests/telephony/audio does.
"""
# ruff: noqa: T201 -- printing is what this script is for

import math
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported, so before it

import numpy as np
from pesq import pesq

from telephony.audio import g711
from telephony.audio.level import LevelGate
from telephony.audio.resample import (
    StreamingResampler,
    model_to_phone,
    phone_to_model,
    resample_whole,
)
from telephony.audio.wav import read_mono

AMPLITUDE = 16_000.0
CALLER_CLIPS = Path(__file__).parents[2] / "agent" / "simulator" / "clips" / "caller"

type Make = Callable[[], StreamingResampler]


def main() -> None:
    """Print one table: figure, measured, wanted."""
    row("figure", "measured", "wanted")
    up, down = phone_to_model().delay_ms, model_to_phone().delay_ms
    row("delay 8 → 16 / 24 → 8 kHz", f"{up:.2f} / {down:.2f} ms", "≤ 2 ms")
    for hz, wanted in ((4_200, "≥ 40 dB"), (4_600, "-"), (5_000, "≥ 60 dB"), (7_000, "≥ 60 dB")):
        row(
            f"rejection at {hz} Hz, image / alias",
            f"{image_db(hz):.1f} / {alias_db(hz):.1f} dB",
            wanted,
        )
    ups, downs = ripple_db(phone_to_model, 8_000, 16_000), ripple_db(model_to_phone, 24_000, 8_000)
    row("ripple to 3200 Hz, up / down", f"{ups:.2f} / {downs:.2f} dB", "≤ 0.5 dB")
    for name, make in (("8 → 16 kHz", phone_to_model), ("24 → 8 kHz", model_to_phone)):
        row(f"samples lost over 1000 replies, {name}", str(samples_lost(make)), "0")
    scores = [speech_quality(clip) for clip in sorted(CALLER_CLIPS.glob("q*.wav"))]
    row(
        "PESQ of the whole path, worst / mean",
        f"{min(scores):.2f} / {np.mean(scores):.2f}",
        "≥ 3.9",
    )
    for name, cost_us in costs_us().items():
        row(f"{name}, 20 ms", f"{cost_us:.2f} µs", "≤ 1 µs" if name == "gate" else "-")


def row(figure: str, measured: str, wanted: str) -> None:
    """One line of the table."""
    print(f"{figure:<44}{measured:>18}   {wanted}")


def whole(make: Make, pcm: bytes) -> bytes:
    """All of `pcm` through a fresh resampler."""
    resampler = make()
    return resampler.push(pcm) + resampler.flush()


def tone(hz: float, rate_hz: int) -> bytes:
    """One second of a sine at -6 dBFS."""
    wave = AMPLITUDE * np.sin(2 * np.pi * hz / rate_hz * np.arange(rate_hz))
    return np.rint(wave).astype("<i2").tobytes()


def level_db(pcm: bytes, hz: float, rate_hz: int) -> float:
    """Level of one frequency in a second of audio, relative to `tone`."""
    samples = np.frombuffer(pcm, "<i2")
    window = np.hanning(len(samples))
    turn = np.exp(-2j * np.pi * hz / rate_hz * np.arange(len(samples)))
    amplitude = 2 * abs((samples * window) @ turn) / window.sum()
    return 20 * math.log10(max(float(amplitude), 1e-3) / AMPLITUDE)


def image_db(hz: int) -> float:
    """How far below its tone the image at `hz` comes out of 8 → 16 kHz."""
    return -level_db(whole(phone_to_model, tone(8_000 - hz, 8_000)), hz, 16_000)


def alias_db(hz: int) -> float:
    """How far down a tone at `hz` comes out of 24 → 8 kHz, where it folds to."""
    return -level_db(whole(model_to_phone, tone(hz, 24_000)), abs(8_000 - hz), 8_000)


def ripple_db(make: Make, from_hz: int, to_hz: int) -> float:
    """Largest departure from 0 dB at any 100 Hz from 100 to 3200 Hz."""
    levels = (level_db(whole(make, tone(hz, from_hz)), hz, to_hz) for hz in range(100, 3_201, 100))
    return max(map(abs, levels))


def samples_lost(make: Make) -> int:
    """Samples that differ from a fresh resampler's or are missing, over 1000 random replies."""
    draw, used, lost = random.Random(1), make(), 0
    for _ in range(1_000):
        pcm = draw.randbytes(2 * draw.randint(0, 3_000))
        cut = draw.randint(0, len(pcm))
        heard = used.push(pcm[:cut]) + used.push(pcm[cut:]) + used.flush()
        samples = len(pcm) // 2
        lost += abs((2 * samples if make is phone_to_model else -(-samples // 3)) - len(heard) // 2)
        alone = np.frombuffer(whole(make, pcm), "<i2")
        lost += int(np.count_nonzero(np.frombuffer(heard, "<i2")[: len(alone)] != alone))
    return lost


def speech_quality(clip: Path) -> float:
    """PESQ of µ-law, 8 → 16, 16 → 24 (soxr), 24 → 8, µ-law, against the clip."""
    said, _ = read_mono(clip)
    to_model = whole(phone_to_model, g711.decode(g711.encode(said)))
    back = whole(model_to_phone, resample_whole(to_model, 16_000, 24_000))
    heard = g711.decode(g711.encode(back))
    return float(pesq(8_000, np.frombuffer(said, "<i2"), np.frombuffer(heard, "<i2"), "nb"))


def costs_us() -> dict[str, float]:
    """CPU per 20 ms of audio, by part; noise as audio, a different frame each time."""
    draw = np.random.default_rng(1)
    phone, model = (
        [draw.integers(-9_000, 9_000, n, "<i2").tobytes() for _ in range(50)] for n in (160, 480)
    )
    chunks = [draw.integers(-9_000, 9_000, 2_400, "<i2").tobytes() for _ in range(10)]
    ulaw = [g711.encode(frame) for frame in phone]
    return {
        "resample 8 → 16 kHz": cost_us(phone_to_model().push, phone),
        "resample 24 → 8 kHz": cost_us(model_to_phone().push, model),
        "resample 24 → 8 kHz in 100 ms chunks": cost_us(model_to_phone().push, chunks) / 5,
        "µ-law decode": cost_us(g711.decode, ulaw),
        "µ-law encode": cost_us(g711.encode, phone),
        "gate": cost_us(LevelGate().hears, phone),
    }


def cost_us(work: Callable[[bytes], object], frames: list[bytes]) -> float:
    """CPU per call, best of 15 repeats of 2000 calls or so."""
    rounds, best_s = 2_000 // len(frames), math.inf
    for _ in range(15):
        began_s = time.process_time()
        for _ in range(rounds):
            for frame in frames:
                work(frame)
        best_s = min(best_s, time.process_time() - began_s)
    return best_s / (rounds * len(frames)) * 1e6


if __name__ == "__main__":
    main()
