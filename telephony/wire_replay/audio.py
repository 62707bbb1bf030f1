"""Compares audio that was sent in real time with recorded audio.

Caller audio depends on the moment in three ways: where a session begins and stops to listen, how
much silence fills a time without media, and, behind each such place, a few ms from a filter that
heard something else before. All other samples must be the recorded ones, in their order.
"""

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, MODEL_IN_RATE_HZ, PHONE_SAMPLES_PER_MS

_FRAME_BYTES = 2 * MODEL_IN_RATE_HZ * FRAME_MS // 1000

_SETTLING_BYTES = _FRAME_BYTES // 2
"""Within so much the resampler has forgotten what came before."""

_SURE_SAMPLES = 5 * FRAME_SAMPLES
"""So much of a reply is found at no second place of it."""

type Audio = bytes | bytearray | memoryview


def common(one: Audio, other: Audio) -> int:
    """How many bytes are equal from the beginning on."""
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

    0 where neither holds the other's beginning, at most `most_ms` away from its own.
    """
    most = most_ms * PHONE_SAMPLES_PER_MS
    for audio, begins, sign in ((wanted, sent, 1), (sent, wanted, -1)):
        needle = bytes(begins[:_SURE_SAMPLES])
        found = bytes(audio[: most + _SURE_SAMPLES]).find(needle)
        if found >= 0:
            return sign * found
    return 0


def missing(wanted: Audio, sent: Audio) -> int | None:
    """How many bytes of the recorded caller audio were left out, or came beyond its beginning, its
    end, or as more silence.

    Args:
        wanted: PCM, int16 little-endian, mono, 16 kHz; as recorded.
        sent: The same, as a session was sent it.

    Returns:
        None if `sent` has anything that is not of `wanted`, in its order.
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
    """How many bytes of `audio` from `at` on are not in `other`, which goes on behind them; 0 where
    it goes on nowhere.
    """
    needle = bytes(other[other_at + _SETTLING_BYTES :][:_FRAME_BYTES])
    found = bytes(audio).find(needle, at + _SETTLING_BYTES) if needle else -1
    return max(0, found - at - _SETTLING_BYTES)


def _silence(audio: Audio, at: int) -> int:
    """How many bytes of silence come from `at` on, if they belong to a frame or more of it."""
    before, behind = bytes(audio[:at]), bytes(audio[at:])
    more = len(behind) - len(behind.lstrip(b"\0"))
    more -= more % 2
    silent = len(before) - len(before.rstrip(b"\0")) + more
    return more if silent >= _FRAME_BYTES else 0
