"""Voice activity detection: finds when the caller begins to speak, and when an utterance is over.

It looks at the energy of the sound. It counts time in received samples and reads no clock, so audio
that was held back and is sent faster than real time gives the same utterances.

Source: Gemini Live API, `AutomaticActivityDetection` (read in October 2026).
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

RATE_HZ = 16_000
FRAME_MS = 20
FRAME_BYTES = RATE_HZ * FRAME_MS // 1000 * 2

MOST_SILENCE_MS = 2_000
"""Longer silences in a setup have no effect (googleapis live-api-examples, issue 50)."""
PRE_ROLL_MS = 200
"""How much audio before the first frame of speech belongs to it, for a soft beginning."""
HOLE_MS = 60
"""A pause shorter than this does not cancel a start that is not committed yet."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The settings of voice activity detection.

    Args:
        automatic: False if the client itself reports when the caller speaks.
        prefix_ms: How much speech commits a start.
        silence_ms: How much silence commits an end.
        speech_dbfs: The lowest level of a frame that counts as speech.
    """

    automatic: bool
    prefix_ms: int
    silence_ms: int
    speech_dbfs: float


@dataclass(frozen=True, slots=True)
class Began:
    """The start of speech is committed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of speech is committed.

    Args:
        pcm: The utterance, with the silence around it: int16 little-endian, 16 kHz.
        speech_ms: How much of it was speech.
    """

    pcm: bytes
    speech_ms: int


class Hearing:
    """Finds the starts and ends of speech in one session's caller audio."""

    def __init__(self, detection: Detection) -> None:
        self.detection = detection
        self.received_ms = 0.0
        """The time in received audio."""
        self.speaking = False
        self._rest = b""
        self._before: deque[bytes] = deque(maxlen=PRE_ROLL_MS // FRAME_MS)
        self._utterance: list[bytes] = []
        self._speech_ms = 0
        self._silent_ms = 0
        self._silence_ms = min(detection.silence_ms, MOST_SILENCE_MS)

    def hear(self, pcm: bytes) -> list[Began | Ended]:
        """Take the next piece of audio: int16 little-endian, mono, 16 kHz, any length."""
        self.received_ms += len(pcm) / FRAME_BYTES * FRAME_MS
        pcm = self._rest + pcm
        whole = len(pcm) // FRAME_BYTES * FRAME_BYTES
        self._rest = pcm[whole:]
        frames = [pcm[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]
        happened: list[Began | Ended] = []
        for frame, loud in zip(frames, self._loud(pcm[:whole]), strict=True):
            happened += self._frame(frame, speech=loud)
        return happened

    def stream_end(self) -> list[Began | Ended]:
        """No more audio comes for now, so the utterance in progress is over."""
        if not self.detection.automatic:
            return []
        return self._end()

    def activity_start(self) -> list[Began | Ended]:
        """The client says that the caller begins to speak."""
        if self.speaking:
            return []
        self.speaking = True
        return [Began()]

    def activity_end(self) -> list[Began | Ended]:
        """The client says that the caller has finished."""
        return self._end()

    def _loud(self, pcm: bytes) -> list[bool]:
        if pcm.count(0) == len(pcm):  # most of a call is digital silence
            return [False] * (len(pcm) // FRAME_BYTES)
        frames = np.frombuffer(pcm, dtype="<i2").reshape(-1, FRAME_BYTES // 2).astype(np.float64)
        power = np.einsum("ij,ij->i", frames, frames) / frames.shape[1] / 32768**2
        return [bool(loud) for loud in power >= 10 ** (self.detection.speech_dbfs / 10)]

    def _frame(self, frame: bytes, *, speech: bool) -> list[Began | Ended]:
        if not self.detection.automatic:
            if self.speaking:
                self._keep(frame, speech=speech)
            return []
        if not self._utterance and not speech:
            self._before.append(frame)
            return []
        if not self._utterance:
            self._utterance.extend(self._before)
            self._before.clear()
        self._keep(frame, speech=speech)
        if self.speaking:
            return self._end() if self._silent_ms >= self._silence_ms else []
        if self._silent_ms > HOLE_MS:
            self._forget()
            return []
        if self._speech_ms >= self.detection.prefix_ms:
            self.speaking = True
            return [Began()]
        return []

    def _keep(self, frame: bytes, *, speech: bool) -> None:
        self._utterance.append(frame)
        self._speech_ms += FRAME_MS if speech else 0
        self._silent_ms = 0 if speech else self._silent_ms + FRAME_MS

    def _end(self) -> list[Began | Ended]:
        spoke, utterance = self.speaking, Ended(b"".join(self._utterance), self._speech_ms)
        self._forget()
        self._before.clear()
        return [utterance] if spoke else []

    def _forget(self) -> None:
        self._before.extend(self._utterance)
        self._utterance = []
        self._speech_ms = self._silent_ms = 0
        self.speaking = False
