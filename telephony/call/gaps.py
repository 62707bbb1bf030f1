"""Places each piece of media in the caller's time, by Twilio's own timestamps.

Lost media is filled with silence, and media that comes after its time was filled is left out.
Otherwise an hour with 5 % loss would become 57 minutes. Nothing waits for late media.
"""

from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.idling import Idling

WOBBLE_MS = 10
"""Timestamps are off by a ms or two; a lost frame is 20."""

LOSS_LIMIT_MS = 400
"""A longer gap is no loss: some lines deliver nothing while the caller is silent."""


class Gaps:
    """Follows the media of one stream.

    Args:
        idling: Is told of pauses in which nothing was sent.
    """

    def __init__(self, idling: Idling) -> None:
        self._idling = idling
        self._next_ms: float | None = None
        self._filled_ms = 0.0
        self._replaced_ms = 0.0
        """Taken for lost, and not come since. Nothing else is left out: if timestamps make no
        sense, the caller is heard all the same."""

    def filled(self, samples: int) -> None:
        """So much silence was put in the place of media that did not come."""
        self._filled_ms += samples / PHONE_SAMPLES_PER_MS

    def before(self, timestamp_ms: int, samples: int) -> int | None:
        """Place a piece of media.

        Args:
            timestamp_ms: Of its first sample, as Twilio has it.
            samples: How long it is.

        Returns:
            How many samples are missing before it, or None: it comes too late.
        """
        expected_ms = timestamp_ms if self._next_ms is None else self._next_ms
        if timestamp_ms - (self._next_ms or 0) > LOSS_LIMIT_MS:
            self._idling.paused(first=self._next_ms is None)
        gap_ms = timestamp_ms - expected_ms
        length_ms = samples / PHONE_SAMPLES_PER_MS
        if gap_ms < -WOBBLE_MS and self._replaced_ms >= length_ms:
            self._replaced_ms -= length_ms
            return None
        self._next_ms = expected_ms + length_ms
        if gap_ms <= WOBBLE_MS:
            self._filled_ms = 0.0  # nothing was lost: it was late
            return 0
        self._next_ms += gap_ms
        missing_ms = gap_ms - self._filled_ms
        self._filled_ms = 0.0
        if not WOBBLE_MS < missing_ms <= LOSS_LIMIT_MS:
            return 0
        self._replaced_ms += missing_ms
        return round(missing_ms * PHONE_SAMPLES_PER_MS)
