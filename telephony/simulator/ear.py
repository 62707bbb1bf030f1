"""Hears when the agent speaks, by the energy of what the caller heard, frame by frame.

A turn continues over pauses shorter than `quiet_ms`. The ear knows nothing of messages or marks, so
it can judge them. It knows only the sound that waiting callers hear, because that is not a turn.
"""

from dataclasses import dataclass

import audioop

from telephony.audio.earcon import EARCON_FRAMES
from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES
from telephony.audio.g711 import decode

LOUD_RMS = 200
"""-44 dBFS: speech is louder, line noise and the ends of words are not."""


def is_loud(frame: bytes) -> bool:
    """Whether there is speech in a piece of µ-law."""
    return audioop.rms(decode(frame), 2) > LOUD_RMS


def last_sound_ms(ulaw: bytes) -> int:
    """Where the speech in a piece of µ-law ends; 0 if there is none."""
    frames = range(0, len(ulaw), FRAME_SAMPLES)
    loud = [at for at in frames if is_loud(ulaw[at : at + FRAME_SAMPLES])]
    return (loud[-1] // FRAME_SAMPLES + 1) * FRAME_MS if loud else 0


@dataclass(slots=True)
class Turn:
    """One turn of the agent, as the caller heard it.

    Args:
        started_ms: Its first sound.
        ended_ms: The end of its last sound so far.
        response_ms: The time from the end of the caller's speech to its first sound; None if the
            caller had said nothing since the turn before, or was still speaking.
    """

    started_ms: int
    ended_ms: int
    response_ms: int | None = None


class Ear:
    """Finds the agent's turns in what the caller hears."""

    def __init__(self, quiet_ms: int) -> None:
        self.turns: list[Turn] = []
        """The turns so far; the last one may still go on."""
        self.sound = bytearray()
        """The µ-law of the last turn, from its first sound on."""
        self._quiet_ms = quiet_ms
        self._in_turn = False

    @property
    def hears(self) -> bool:
        """Whether a turn is going on, short pauses included."""
        return self._in_turn

    def hear(self, frame: bytes, at_ms: int) -> None:
        """The caller heard 20 ms of µ-law from `at_ms` on."""
        end_ms = at_ms + FRAME_MS
        loud = is_loud(frame) and frame not in EARCON_FRAMES
        if loud and not self._in_turn:
            self._in_turn = True
            self.sound.clear()
            self.turns.append(Turn(at_ms, end_ms))
        if self._in_turn:
            self.sound += frame
        if loud:
            self.turns[-1].ended_ms = end_ms
        elif self._in_turn and end_ms - self.turns[-1].ended_ms >= self._quiet_ms:
            self._in_turn = False
