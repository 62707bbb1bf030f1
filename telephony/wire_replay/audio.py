"""Compares audio that was sent in real time with recorded audio.

Caller audio depends on the moment in three ways: where a session begins and stops to listen, how
much silence fills a time without media, and, behind each such place, a few ms from a filter that
heard something else before. All other samples must be the recorded ones, in their order.
"""

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS

_FRAME_BYTES = 2 * MODEL_IN_RATE_HZ * FRAME_MS // 1000

_SETTLING_BYTES = _FRAME_BYTES // 2
"""After so many bytes the resampler's output no longer depends on earlier audio."""

_SURE_SAMPLES = 5 * FRAME_SAMPLES
"""A piece of a reply of this length occurs only once in it."""

type Audio = bytes | bytearray | memoryview


def common(one: Audio, other: Audio) -> int:
    """How many bytes at the beginning are equal."""
    one, other = memoryview(one), memoryview(other)
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle)
    return low


def offset(wanted: Audio, sent: Audio, most_ms: int) -> int:
    """How many samples later than `wanted` a resumed reply begins in `sent`; negative for earlier.

    0 if neither holds the other's beginning within `most_ms` of its own.
    """
    most = most_ms * PHONE_SAMPLES_PER_MS
    for audio, begins, sign in ((wanted, sent, 1), (sent, wanted, -1)):
        needle = bytes(begins[:_SURE_SAMPLES])
        found = bytes(audio[: most + _SURE_SAMPLES]).find(needle)
        if found >= 0:
            return sign * found
    return 0


def missing(wanted: Audio, sent: Audio) -> int | None:
    """How many bytes of caller audio are missing or additional.

    Additional bytes may come before the beginning, after the end, or as silence.

    Args:
        wanted: The recorded audio: PCM, int16 little-endian, mono, 16 kHz.
        sent: The audio that a session received, in the same format.

    Returns:
        The number of bytes; None if `sent` holds other audio than `wanted`, or in another order.
    """
    at = taken = left_out = 0
    begins = True
    while True:
        same = common(memoryview(wanted)[at:], memoryview(sent)[taken:])
        at, taken = at + same, taken + same
        if taken == len(sent) or at == len(wanted):
            return left_out + max(len(wanted) - at, len(sent) - taken)
        if more := _silence(sent, taken):
            taken, left_out = taken + more, left_out + more
        elif less := _skipped(wanted, at, sent, taken):
            at, taken = at + less + _SETTLING_BYTES, taken + _SETTLING_BYTES
            left_out += less
        elif begins and (earlier := _skipped(sent, taken, wanted, at)):
            at, taken = at + _SETTLING_BYTES, taken + earlier + _SETTLING_BYTES
            left_out += earlier
        else:
            return None
        begins = False


def _skipped(audio: Audio, at: int, other: Audio, other_at: int) -> int:
    """How many bytes of `audio` from `at` on must be skipped to reach audio that continues `other`;
    0 if there is none.
    """
    needle = bytes(other[other_at + _SETTLING_BYTES :][:_FRAME_BYTES])
    found = bytes(audio).find(needle, at + _SETTLING_BYTES) if needle else -1
    return max(0, found - at - _SETTLING_BYTES)


def _silence(audio: Audio, at: int) -> int:
    """How many bytes of silence begin at `at`, if the silence there lasts a frame or longer."""
    before, behind = bytes(audio[:at]), bytes(audio[at:])
    more = len(behind) - len(behind.lstrip(b"\0"))
    more -= more % 2
    silent = len(before) - len(before.rstrip(b"\0")) + more
    return more if silent >= _FRAME_BYTES else 0
