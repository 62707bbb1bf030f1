"""Bytes of any length in, whole frames out."""

from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS, ULAW_SILENCE


class FrameQueue:
    """µ-law that waits to be sent, taken from the front in whole 20 ms frames.

    It has no bound of its own: whoever pushes looks at `len()` first.
    """

    __slots__ = ("_ulaw",)

    def __init__(self) -> None:
        self._ulaw = bytearray()

    def __len__(self) -> int:
        """Samples held, a part of a frame included."""
        return len(self._ulaw)

    def push(self, ulaw: bytes) -> None:
        """Add µ-law (8 kHz, any number of samples) at the end."""
        self._ulaw += ulaw

    def take(self, at_most_ms: int) -> bytes:
        """Remove whole frames from the front.

        Args:
            at_most_ms: Never more than this; what is left over of a frame counts as nothing.

        Returns:
            µ-law, a multiple of 160 bytes; empty when less than a frame is held.
        """
        samples = min(at_most_ms * PHONE_SAMPLES_PER_MS, len(self._ulaw))
        samples -= samples % FRAME_SAMPLES
        taken = bytes(self._ulaw[:samples])
        del self._ulaw[:samples]
        return taken

    def pad(self) -> int:
        """Fill the last frame up with silence, so that `take` can empty the queue.

        To be called at a reply's end, and only there: inside a reply it would be heard as a gap.

        Returns:
            Samples of silence added, 0 to 159.
        """
        missing = -len(self._ulaw) % FRAME_SAMPLES
        self._ulaw += ULAW_SILENCE * missing
        return missing

    def clear(self) -> int:
        """Drop everything. Returns the number of samples dropped."""
        dropped = len(self._ulaw)
        self._ulaw.clear()
        return dropped
