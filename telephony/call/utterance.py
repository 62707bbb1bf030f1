"""What the caller says without a pause, for observers that measure. It decides nothing.

It is told of once it is over, or earlier if a reply comes: nobody can say of a reply how soon it
came without the end of what it answers.
"""

from telephony.call.commands import MeasureSpeech
from telephony.call.ear import BRIDGED_MS


class Utterance:
    """One caller's present utterance, as the ear hears it; none at first."""

    def __init__(self) -> None:
        self._began_ms = self._ended_ms = 0
        self._spoke_ms = 0.0

    def goes_on(self, spoke_ms: float, now_ms: int) -> None:
        """So much speech, in ms, ended now; it begins an utterance if there is none."""
        if not self._spoke_ms:
            self._began_ms = max(self._ended_ms, now_ms - round(spoke_ms))
        self._spoke_ms += spoke_ms
        self._ended_ms = now_ms

    def over(self, now_ms: int) -> bool:
        """Whether there is one that has ended, and is to be taken."""
        return self._spoke_ms > 0 and now_ms - self._ended_ms > BRIDGED_MS

    def take(self) -> list[MeasureSpeech]:
        """What there is of it, over or not. What comes of it later is told of by itself."""
        if not self._spoke_ms:
            return []
        spoke_ms, self._spoke_ms = self._spoke_ms, 0.0
        return [MeasureSpeech(self._began_ms, self._ended_ms, round(spoke_ms))]
