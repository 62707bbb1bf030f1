"""Tells a model that does not detect speech itself when the caller speaks: `detection = "ours"`.

    quiet ─speech for prefix_ms─▶ speaking ─no speech for silence_ms─▶ quiet

While the caller is quiet, the model hears nothing. What came in the last `LEAD_IN_MS` before the
beginning is sent after it, because speech begins softly.
"""

from collections import deque

from agent.conversation.turn_taking import TurnTaking
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.ear import BRIDGED_MS

LEAD_IN_MS = BRIDGED_MS
"""As long as the soft sound that the ear counts as a part of speech."""

HOLE_MS = 60
"""A pause shorter than this does not begin the count of `prefix_ms` anew."""

_BYTES_PER_MS = 2 * PHONE_SAMPLES_PER_MS


class Activity:
    """One caller's.

    Args:
        turns: `prefix_ms` and `silence_ms`.

    Attributes:
        speaking: Whether the caller speaks.
    """

    def __init__(self, turns: TurnTaking) -> None:
        self.speaking = False
        self._turns = turns
        self._before: deque[bytes] = deque()
        self._before_ms = 0.0
        self._speech_ms = 0.0
        self._quiet_ms = 0.0

    def hears(self, pcm: bytes, *, speech: bool) -> bool:
        """Take what came: PCM16, 8 kHz. Returns whether the caller begins to speak with it."""
        length_ms = len(pcm) / _BYTES_PER_MS
        if speech:
            self._speech_ms += length_ms
            self._quiet_ms = 0.0
        else:
            self._quiet_ms += length_ms
            if self._quiet_ms > HOLE_MS:
                self._speech_ms = 0.0
        if self.speaking:
            return False
        self._before.append(pcm)
        self._before_ms += length_ms
        while self._before_ms - len(self._before[0]) / _BYTES_PER_MS > self._kept_ms:
            self._before_ms -= len(self._before.popleft()) / _BYTES_PER_MS
        self.speaking = speech and self._speech_ms >= self._turns.prefix_ms
        return self.speaking

    def lead_in(self) -> bytes:
        """What came before the beginning, and with it: PCM16, 8 kHz. It is given once."""
        pcm = b"".join(self._before)
        self._before.clear()
        self._before_ms = 0.0
        return pcm

    def ends(self) -> bool:
        """Whether the caller has finished speaking now."""
        if self.speaking and self._quiet_ms >= self._turns.silence_ms:
            self.speaking = False
            self.lead_in()  # if no session listened when it began, one was sent all of it
            return True
        return False

    @property
    def _kept_ms(self) -> int:
        return LEAD_IN_MS + self._turns.prefix_ms
