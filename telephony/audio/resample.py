"""Change of rate between phone and model: 8 → 16 kHz towards it, 24 → 8 kHz back.

The live path is one linear-phase FIR each way, 1.5 ms late, with its state kept between pushes.
soxr's streams are better filters, but come out in blocks (up to 114 ms late) and keep the tail of
a reply for the next one; without state, every chunk's edge clicks.

Exactness. Taps are integers over 2²⁰ and samples are 16-bit integers, so every product and every
partial sum is a multiple of 2⁻²⁰ below 2¹⁷ in magnitude (sum |taps| < 4). That takes 37 bits of the
53 of a float64: nothing is ever rounded inside the product, with or without fused multiply-add, in
any order of summation. Any chunking, any BLAS and any CPU therefore gives the same samples. They
are rounded once, to nearest with ties to even, and clipped to 16 bits.

Taps. Least squares with weights: 0-3.4 kHz passes (weight 1), 4.2-4.6 kHz is stopped (10), and so
is everything above (40). Each phase sums to exactly 1, so silence and any constant come out as they
went in. The tables are committed, not computed at import, because a recorded call must replay to
the same bytes on any libm; tests/telephony/audio/test_resample_design.py derives them again.
"""

from functools import cache
from math import gcd

import numpy as np
import numpy.typing as npt
import soxr

from telephony.audio.formats import MODEL_IN_RATE_HZ, MODEL_OUT_RATE_HZ, PHONE_RATE_HZ

TAP_ONE = 1 << 20
"""The integer that stands for a tap of 1.0 in the tables."""

# From the centre tap outwards; the other half mirrors it. Not formatted, to save 60 lines.
# fmt: off
PHONE_TO_MODEL_TAPS = (
    972880, 660275, 72032, -204578, -68002, 105338, 61666, -58630, -53594, 31029, 44433, -13544,
    -34921, 2587, 25715, 3708, -17409, -6638, 10376, 7182, -4819, -6139, 633, 3698, 1738,
)
MODEL_TO_PHONE_TAPS = (
    325196, 275887, 154646, 24300, -55758, -63890, -22902, 22443, 38216, 20715, -8601, -24601,
    -17926, 1393, 15672, 14776, 2454, -9359, -11509, -4242, 4874, 8366, 4690, -1806, -5536, -4277,
    -123, 3150, 3363, 1162, -1241, -2160, -1499, -284, 488, 553, 256,
)
# fmt: on


def phone_to_model() -> "StreamingResampler":
    """8 → 16 kHz: 49 taps. n samples become exactly 2 n."""
    return StreamingResampler(PHONE_TO_MODEL_TAPS, PHONE_RATE_HZ, MODEL_IN_RATE_HZ)


def model_to_phone() -> "StreamingResampler":
    """24 → 8 kHz: 73 taps. n samples become exactly ⌈n / 3⌉."""
    return StreamingResampler(MODEL_TO_PHONE_TAPS, MODEL_OUT_RATE_HZ, PHONE_RATE_HZ)


class StreamingResampler:
    """A streaming resampler for one direction of one call.

    The output is aligned with the input. `push` holds back the last `delay_ms`, which need the
    samples after them, and `flush` releases them. Do not share it between threads.

    Args:
        half_taps: A symmetric low-pass at the higher of the two rates, in units of 1 / `TAP_ONE`,
            from the centre tap outwards.
        from_hz: The sample rate of the input.
        to_hz: The sample rate of the output.
    """

    __slots__ = (
        "_block_bytes",
        "_held",
        "_lead_in",
        "_matrix",
        "_padding",
        "_per_step",
        "_step",
        "delay_ms",
    )

    def __init__(self, half_taps: tuple[int, ...], from_hz: int, to_hz: int) -> None:
        # `_step` input samples give `_per_step` output samples.
        self._step = from_hz // gcd(from_hz, to_hz)
        self._per_step = to_hz // gcd(from_hz, to_hz)
        self._matrix = _block_matrix(half_taps, self._step, self._per_step)
        self._block_bytes = 2 * _BLOCK_STEPS * self._step
        self._padding = bytes(self._block_bytes)
        reach = (len(half_taps) - 1) // self._per_step
        self._lead_in = bytes(2 * reach)
        self._held = self._lead_in
        self.delay_ms: float = 1000 * reach / from_hz

    def push(self, pcm: bytes) -> bytes:
        """Filter the next samples.

        Args:
            pcm: PCM16 little-endian, mono, at `from_hz`; any number of bytes. Half a sample at
                the end waits for its other half.

        Returns:
            PCM16 little-endian at `to_hz`: all samples that can be computed by now.
        """
        held = self._held + pcm
        # A step can be computed when all samples within reach of its taps are there.
        steps = -(-(len(held) // 2 - len(self._lead_in)) // self._step)
        if steps <= 0:
            self._held = held
            return b""
        self._held = held[2 * steps * self._step :]
        if not held.strip(b"\0"):  # as from a caller who is muted
            return bytes(2 * steps * self._per_step)
        return self._filter(held + self._padding, steps)

    def flush(self) -> bytes:
        """End a reply: return the samples that are still held back, and start again.

        Half a sample that never got its other half is dropped.
        """
        self._held = self._held[: len(self._held) // 2 * 2]
        tail = self.push(self._lead_in)
        self.reset()
        return tail

    def reset(self) -> None:
        """Drop the held samples, as after a clear. The next push begins a new reply."""
        self._held = self._lead_in

    def _filter(self, padded: bytes, steps: int) -> bytes:
        """Compute whole blocks, and cut off the samples that come from padding."""
        blocks, size = -(-steps // _BLOCK_STEPS), 2 * steps * self._per_step
        if blocks <= _BATCH_BLOCKS:
            return self._batch(padded, 0, blocks)[:size]
        pieces = [
            self._batch(padded, first, min(_BATCH_BLOCKS, blocks - first))
            for first in range(0, blocks, _BATCH_BLOCKS)
        ]
        return b"".join(pieces)[:size]

    def _batch(self, padded: bytes, first: int, blocks: int) -> bytes:
        # Neighbouring windows overlap by the reach of the taps: a view with a stride of one block.
        shape, start = (blocks, len(self._matrix)), first * self._block_bytes
        windows = np.ndarray(shape, "<i2", padded, start, (self._block_bytes, 2))
        sums = windows.astype(np.float64) @ self._matrix
        np.rint(sums, out=sums)
        np.minimum(sums, _HIGHEST, out=sums)
        np.maximum(sums, _LOWEST, out=sums)
        return sums.astype("<i2").tobytes()


def resample_whole(pcm: bytes, from_hz: int, to_hz: int) -> bytes:
    """Resample a whole recording with soxr (VHQ). Do not use it for live calls.

    Args:
        pcm: The whole recording, PCM16 little-endian, mono.
        from_hz: Its sample rate.
        to_hz: The wanted sample rate.

    Returns:
        PCM16 little-endian at `to_hz`, aligned with the input.
    """
    # In float, because soxr dithers 16-bit output.
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    resampled = soxr.resample(samples, from_hz, to_hz, quality="VHQ")
    clipped: npt.NDArray[np.float64] = np.clip(np.rint(resampled), -32_768, 32_767)
    return clipped.astype("<i2").tobytes()


# As arrays, because numpy takes them twice as fast as numbers.
_LOWEST, _HIGHEST = np.array(-32_768.0), np.array(32_767.0)

_BLOCK_STEPS = 16
"""Long enough for an efficient matrix product; a 20 ms frame (160 steps) has whole blocks."""

_BATCH_BLOCKS = 128
"""Blocks per product, 256 ms, 137 KB at most while it runs; a product of 32 costs as much."""


@cache
def _block_matrix(half_taps: tuple[int, ...], step: int, per_step: int) -> npt.NDArray[np.float64]:
    """Arrange the taps so that `window @ matrix` is one block of output.

    Returns:
        float64 of shape (samples in reach of a block, samples out of a block), read-only, shared by
        all calls. Row `step * i + k`, column `per_step * i + phase` is what the k-th sample within
        reach of step i contributes to that phase of it.
    """
    taps = np.array(half_taps[:0:-1] + half_taps) / TAP_ONE
    # Between its samples the input is zero at the higher rate, so a phase sees each n-th tap.
    phases = np.concatenate([np.zeros(per_step - 1), taps]).reshape(-1, per_step)[:, ::-1]
    reach = len(phases)
    matrix = np.zeros(((_BLOCK_STEPS - 1) * step + reach, _BLOCK_STEPS * per_step))
    for i in range(_BLOCK_STEPS):
        matrix[i * step : i * step + reach, i * per_step : (i + 1) * per_step] = phases
    matrix.flags.writeable = False
    return matrix
