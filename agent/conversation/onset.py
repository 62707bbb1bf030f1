"""Finds when the caller began to say the words of a transcription.

A transcription comes up to two seconds after its words. The sound on the line shows when they
began: stretches of sound with no silence between them that ends a turn count as one utterance. If
none fits, the time of the transcription is used. On a line that returns the agent's voice, a caller
who talks over the agent may seem to have begun a little early.
"""

from collections import deque

from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking

PAUSE_MS = 500
"""A longer pause divides two stretches of sound."""

WORD_MS = 200
"""A shorter stretch is a click or a breath."""

KEPT = 16
"""How many stretches are remembered. A caller seldom says so much before it is written down."""


class Onset:
    """Hears one line: `sounded` with each piece of sound, `of_words` when words are written.

    Args:
        turns: Which silence divides two utterances.
    """

    def __init__(self, turns: TurnTaking = DEFAULT_TURNS) -> None:
        self._turns = turns
        self._stretches: deque[_Stretch] = deque(maxlen=KEPT)
        self._after_ms = self._after_last_ms = -1

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
        earliest_ms = self._after_ms if again else self._after_last_ms + 1
        utterances = [
            stretches
            for stretches in self._utterances(earliest_ms, written_ms)
            if sum(stretch.sound_ms for stretch in stretches) >= WORD_MS
        ]
        # The server waits for its end, and for the silence: what began later is the next one.
        by_ms = written_ms - self._turns.silence_ms
        early = [stretches for stretches in utterances if stretches[0].began_ms <= by_ms]
        found = (early or utterances)[-1:]
        found_ms = found[0][0].began_ms if found else written_ms
        self._after_ms = max(self._after_ms, found_ms)
        self._after_last_ms = max(self._after_ms, found[0][-1].began_ms if found else 0)
        return found_ms

    def _utterances(self, from_ms: int, to_ms: int) -> list[list["_Stretch"]]:
        """The stretches that began between these two times, one list for each utterance."""
        out: list[list[_Stretch]] = []
        for stretch in self._stretches:
            if not from_ms <= stretch.began_ms <= to_ms:
                continue
            if out and stretch.began_ms - out[-1][-1].ends_ms < self._turns.silence_ms:
                out[-1].append(stretch)
            else:
                out.append([stretch])
        return out


class _Stretch:
    """One stretch of sound: from when to when, and how much of it was sound."""

    def __init__(self, began_ms: int, ends_ms: int) -> None:
        self.began_ms = began_ms
        self.ends_ms = ends_ms
        self.sound_ms = 0.0
