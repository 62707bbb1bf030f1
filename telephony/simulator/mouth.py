"""The caller's voice on its way to the server: 20 ms at a time, with the faults of a real line."""

import random
from dataclasses import dataclass

from telephony.audio.formats import FRAME_SAMPLES, ULAW_SILENCE
from telephony.simulator.faults import LineFaults
from telephony.simulator.keys import mixed
from telephony.simulator.surroundings import Surroundings

ODD_SIZES = (1, 160, 320, 999)


@dataclass(frozen=True, slots=True)
class Piece:
    """The payload of one media message. `at_sample` counts from the first frame."""

    at_sample: int
    ulaw: bytes


class Mouth:
    """Says given audio frame by frame, and silence when there is none."""

    def __init__(self, rng: random.Random, faults: LineFaults) -> None:
        self.said = bytearray()
        """µ-law, every frame so far, silence included, whatever became of it on the way."""
        self._rng, self._faults = rng, faults
        self._surroundings = Surroundings(faults)
        self._unsaid = bytearray()
        self._tones = bytearray()
        self._uncut = bytearray()
        self._held: list[Piece] = []
        self._size = FRAME_SAMPLES
        self._stalled_until_ms = 0

    @property
    def unsaid(self) -> bytes:
        """The audio that is still to be said."""
        return bytes(self._unsaid)

    def speak(self, ulaw: bytes) -> None:
        """Say this after earlier audio."""
        self._unsaid += ulaw

    def sound(self, tone: bytes) -> None:
        """Mix this sound into the speech, from the next frame on."""
        self._tones += tone

    def say_frame(self, now_ms: int, heard: bytearray) -> list[Piece]:
        """Say the next 20 ms. Returns the media that reaches the server now.

        Args:
            now_ms: The time.
            heard: What the caller has heard so far, which may come back as an echo: µ-law.
        """
        spoken = bytes(self._unsaid[:FRAME_SAMPLES])
        del self._unsaid[:FRAME_SAMPLES]
        frame = spoken.ljust(FRAME_SAMPLES, ULAW_SILENCE)
        if tone := bytes(self._tones[:FRAME_SAMPLES]):
            del self._tones[:FRAME_SAMPLES]
            frame = spoken = mixed(frame, tone)
        frame = self._surroundings.around(spoken and frame, heard, len(self.said)) or frame
        self.said += frame
        if not self._chance(self._faults.drop_rate) and (spoken or self._faults.idle_silence):
            self._uncut += frame
            self._cut()
        if now_ms >= self._stalled_until_ms and self._chance(self._faults.stall_rate):
            self._stalled_until_ms = now_ms + self._rng.randint(*self._faults.stall_ms)
        if now_ms < self._stalled_until_ms:
            return []
        through, self._held = self._held, []
        return through

    def _cut(self) -> None:
        while len(self._uncut) >= self._size:
            at_sample = len(self.said) - len(self._uncut)
            self._held.append(Piece(at_sample, bytes(self._uncut[: self._size])))
            del self._uncut[: self._size]
            if self._faults.odd_sizes:
                self._size = self._rng.choice(ODD_SIZES)

    def _chance(self, rate: float) -> bool:
        return rate > 0 and self._rng.random() < rate
