from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.audio.formats import FRAME_SAMPLES, ULAW_SILENCE
from telephony.audio.framing import FrameQueue


def test_what_is_taken_is_whole_frames_of_at_most_the_time_asked() -> None:
    queue = FrameQueue()
    queue.push(bytes(1_000))
    assert len(queue.take(at_most_ms=50)) == 2 * FRAME_SAMPLES
    assert queue.take(at_most_ms=19) == b""
    assert len(queue.take(at_most_ms=1_000)) == 4 * FRAME_SAMPLES
    assert len(queue) == 40
    assert queue.take(at_most_ms=1_000) == b""


def test_the_last_frame_is_padded_with_silence() -> None:
    queue = FrameQueue()
    queue.push(b"\x01" * 161)
    assert queue.pad() == 159
    assert queue.pad() == 0
    assert queue.take(at_most_ms=40) == b"\x01" * 161 + ULAW_SILENCE * 159
    assert len(queue) == 0


def test_a_cleared_queue_says_what_it_dropped() -> None:
    queue = FrameQueue()
    queue.push(bytes(161))
    assert queue.clear() == 161
    assert queue.pad() == 0
    assert queue.take(at_most_ms=20) == b""


@settings(deadline=None)
@given(
    chunks=st.lists(st.binary(max_size=500)),
    takes=st.lists(st.integers(0, 200)),
)
def test_every_byte_comes_out_once_and_in_order(chunks: list[bytes], takes: list[int]) -> None:
    queue, out = FrameQueue(), b""
    for at, chunk in enumerate(chunks):
        queue.push(chunk)
        out += queue.take(takes[at] if at < len(takes) else 20)
    silence = queue.pad() * ULAW_SILENCE
    out += queue.take(at_most_ms=10_000)
    assert out == b"".join(chunks) + silence
    assert len(out) % FRAME_SAMPLES == 0
