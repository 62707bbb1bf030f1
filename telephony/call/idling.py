"""Decides whether a line delivers nothing while the caller is silent.

As far as is known, media that was lost on its way to Twilio leaves no gap in `sequenceNumber` or
`chunk`, for Twilio numbers what it sends. Its timestamps jump, as after a pause in which nothing
was sent. What tells the two apart is what the line does in silence, again and again.
"""

from telephony.audio.formats import PHONE_SAMPLES_PER_MS

PAUSES = 2
"""So many pauses are no accident, unless the line delivers silence too."""

SILENCE_MS = 1_000
"""A line that delivers so much silence at a time delivers it; pauses before that were losses."""


class Idling:
    """Follows one line over all streams of a call."""

    def __init__(self) -> None:
        self._pauses = 0
        self._silent_ms = 0.0
        self._delivered = False

    def __bool__(self) -> bool:
        """Whether the line is known to deliver nothing in silence."""
        return self._pauses >= PAUSES

    def paused(self, *, first: bool) -> None:
        """Nothing was delivered for longer than a loss. The `first` media of a stream comes within
        200 ms of its beginning: while nothing else is known, that it did not counts twice.
        """
        self._pauses += PAUSES if first and not self._delivered else 1
        self._silent_ms = 0.0

    def delivered(self, samples: int, *, sound: bool) -> None:
        """Media came that holds sound, or silence."""
        self._silent_ms = 0.0 if sound else self._silent_ms + samples / PHONE_SAMPLES_PER_MS
        if self._silent_ms >= SILENCE_MS:
            self._pauses, self._delivered = 0, True
