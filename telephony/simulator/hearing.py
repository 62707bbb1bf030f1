"""What a call hears while it is in no stream: music, voices, other people. Pure.

Everything comes in frames of 20 ms of µ-law, 8 kHz. `Hearing` keeps all of it, so that a test can
ask who was heard, when, and for how long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, ULAW_SILENCE

type Kind = Literal["music", "voice", "person", "beep"]

SILENT_FRAME = ULAW_SILENCE * FRAME_SAMPLES

PAUSE_MS = 400
"""A sound goes on over shorter pauses."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a sound comes from.

    Args:
        kind: A file that Twilio plays while a call waits, Twilio's own voice, another person in a
            conference, or a conference's beep.
        name: The file's URL, the spoken text, the person's CallSid, or "".
    """

    kind: Kind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame: its µ-law, and the sources that are louder than silence in it."""

    frame: bytes = SILENT_FRAME
    sources: tuple[Source, ...] = ()


SILENCE = Heard()


@dataclass(frozen=True, slots=True)
class Sound:
    """A sound that was heard from `at_ms` on, for `length_ms`, short pauses included."""

    at_ms: int
    length_ms: int
    kind: Kind
    source: str


class Air(Protocol):
    """What a call hears, and who hears it, for as long as `over` is false."""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to hear."""
        ...

    def say(self, frame: bytes) -> None:
        """The caller says 20 ms of µ-law."""
        ...

    def hear(self) -> Heard:
        """The next 20 ms that the caller hears."""
        ...


class Played:
    """Plays sounds one after another, and is over behind the last one. Nobody hears the caller.

    Args:
        sounds: Each with its source, its µ-law, and how often it is played; 0 for without end.
    """

    def __init__(self, sounds: Sequence[tuple[Source, bytes, int]]) -> None:
        self._sounds = [each for each in sounds if each[1]]
        self._at = 0
        self._times = 0

    @property
    def over(self) -> bool:
        """Whether all of it was played."""
        return not self._sounds

    def say(self, frame: bytes) -> None:
        """Nobody hears this."""

    def hear(self) -> Heard:
        """The next 20 ms; silence behind the last sound."""
        if not self._sounds:
            return SILENCE
        source, ulaw, times = self._sounds[0]
        frame = ulaw[self._at : self._at + FRAME_SAMPLES]
        self._at += FRAME_SAMPLES
        if self._at >= len(ulaw):
            self._at, self._times = 0, self._times + 1
            if times and self._times >= times:
                self._times = 0
                del self._sounds[0]
        return Heard(frame.ljust(FRAME_SAMPLES, ULAW_SILENCE), (source,))


class Hearing:
    """Everything that a call has heard outside of streams.

    Attributes:
        pieces: The µ-law: each piece, and when it began in ms.
    """

    def __init__(self) -> None:
        self.pieces: list[tuple[int, bytearray]] = []
        self._sounds: list[tuple[int, int, Source]] = []
        self._latest: dict[Source, int] = {}

    @property
    def sounds(self) -> tuple[Sound, ...]:
        """Every sound so far, in the order in which they began."""
        return tuple(
            Sound(at_ms, end_ms - at_ms, source.kind, source.name)
            for at_ms, end_ms, source in self._sounds
        )

    def note(self, at_ms: int, heard: Heard) -> None:
        """A frame was heard at this time."""
        end_ms = at_ms + FRAME_MS
        if not self.pieces or at_ms != self._ends_ms():
            self.pieces.append((at_ms, bytearray()))
        self.pieces[-1][1].extend(heard.frame)
        for source in heard.sources:
            last = self._latest.get(source)
            if last is not None and at_ms - self._sounds[last][1] < PAUSE_MS:
                self._sounds[last] = (self._sounds[last][0], end_ms, source)
            else:
                self._latest[source] = len(self._sounds)
                self._sounds.append((at_ms, end_ms, source))

    def _ends_ms(self) -> int:
        began_ms, ulaw = self.pieces[-1]
        return began_ms + len(ulaw) // FRAME_SAMPLES * FRAME_MS
