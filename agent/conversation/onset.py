"""Finds when the caller began to say the words of a transcription.

A transcription comes up to two seconds after its words. The sound on the line shows when they
began: a stretch of sound without a pause counts as one utterance. If no stretch fits, the time of
the transcription is used. On a line that returns the agent's voice, a caller who talks over the
agent may seem to have begun a little early.
"""

from collections import deque

PAUSE_MS = 500
"""A longer pause divides two utterances, as it does for the server (`silence_duration_ms`)."""

WORD_MS = 200
"""A shorter stretch is a click or a breath."""

WRITTEN_AFTER_MS = 500
"""How long after it began an utterance is written down at the earliest: the server waits for its
end, and for 500 ms of silence. What began later is the next utterance."""

KEPT = 16
"""How many stretches are remembered. A caller seldom says so much before it is written down."""


class Onset:
    """Hears one line: `sounded` with each piece of sound, `of_words` when words are written."""

    def __init__(self) -> None:
        self._stretches: deque[_Stretch] = deque(maxlen=KEPT)
        self._after_ms = -1

    def sounded(self, now_ms: int, sound_ms: float) -> None:
        """So much sound of the caller came, and ended now."""
        if not self._stretches or now_ms - sound_ms - self._stretches[-1].ends_ms > PAUSE_MS:
            self._stretches.append(_Stretch(round(now_ms - sound_ms), now_ms))
        self._stretches[-1].ends_ms = now_ms
        self._stretches[-1].sound_ms += sound_ms

    def sounded_since(self, at_ms: int) -> float:
        """How much sound, in ms, came at `at_ms` or later."""
        sounds = (min(x.sound_ms, x.ends_ms - at_ms + 1) for x in self._stretches)
        return sum(sound_ms for sound_ms in sounds if sound_ms > 0)

    def of_words(self, written_ms: int, *, again: bool) -> int:
        """When the words began that were written down at `written_ms`.

        Args:
            written_ms: When the first of them came.
            again: Whether they may be the rest of the utterance that was asked for last.
        """
        earliest_ms = self._after_ms if again else self._after_ms + 1
        began_ms = [
            stretch.began_ms
            for stretch in self._stretches
            if earliest_ms <= stretch.began_ms <= written_ms and stretch.sound_ms >= WORD_MS
        ]
        early = [ms for ms in began_ms if ms <= written_ms - WRITTEN_AFTER_MS]
        found_ms = max(early or began_ms, default=written_ms)
        self._after_ms = max(self._after_ms, found_ms)
        return found_ms


class _Stretch:
    """One stretch of sound: from when to when, and how much of it was sound."""

    def __init__(self, began_ms: int, ends_ms: int) -> None:
        self.began_ms = began_ms
        self.ends_ms = ends_ms
        self.sound_ms = 0.0
