"""A reply as it is generated: a clip cut into messages, each with its words and its time.

Source: gemini-3.8-live traces. About 210 ms of audio a message, four times as fast as real time,
the words along with the audio they are spoken in.
"""

from dataclasses import dataclass, field, replace
from random import Random

from agent.simulator.behaviour import Behaviour
from agent.simulator.voice import AGENT_RATE_HZ, Clip

BYTES_PER_MS = AGENT_RATE_HZ // 1000 * 2


@dataclass(frozen=True, slots=True)
class Asked:
    """Something of the user's that wants an answer.

    Args:
        text: The transcription, or what was typed; "" where nothing was understood.
        phrase: The caller clip it is, without the role, or None.
        duration_ms: How much audio it was; None for typed text.
    """

    text: str
    phrase: str | None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One message: when it is sent after the first, its audio (PCM16, 24 kHz), its words."""

    offset_ms: int
    pcm: bytes
    words: str

    @property
    def duration_ms(self) -> float:
        """How long it plays."""
        return len(self.pcm) / BYTES_PER_MS


@dataclass(slots=True)
class Reply:
    """A reply in progress: what it answers, its messages, how many of them have been sent."""

    answers: list[Asked]
    pieces: list[Piece]
    began_ms: int
    cut_short: bool
    sent: list[Piece] = field(default_factory=list)

    @property
    def sent_ms(self) -> float:
        """Audio sent so far."""
        return sum(piece.duration_ms for piece in self.sent)

    @property
    def said(self) -> str:
        """The words sent so far."""
        return "".join(piece.words for piece in self.sent)

    @property
    def generated(self) -> bool:
        """Everything has been sent."""
        return len(self.sent) == len(self.pieces)


def pieces(
    clip: Clip, behaviour: Behaviour, random: Random, most_ms: int | None = None
) -> list[Piece]:
    """A clip, or the first `most_ms` of it, as the messages it is sent in."""
    said_ms = clip.duration_ms if most_ms is None else min(clip.duration_ms, most_ms)
    spoken = clip.pcm[: int(said_ms) * BYTES_PER_MS] if most_ms is not None else clip.pcm
    size = behaviour.chunk_ms * BYTES_PER_MS
    interval_ms = behaviour.chunk_ms / behaviour.speed
    out: list[Piece] = []
    offset_ms = 0.0
    for at in range(0, len(spoken), size):
        words = _words_between(clip, at, at + size)
        out.append(Piece(round(offset_ms), spoken[at : at + size], words))
        offset_ms += interval_ms * random.uniform(1 - behaviour.jitter, 1 + behaviour.jitter)
    return out


def after(clip: Clip, said: str) -> Clip:
    """The rest of a clip that begins with `said`, taken as spoken evenly by characters."""
    begins = len(said) * (len(clip.pcm) // 2) // len(clip.text) * 2
    return replace(clip, text=clip.text[len(said) :], pcm=clip.pcm[begins:]) if said else clip


def _words_between(clip: Clip, start: int, end: int) -> str:
    """The words that begin in these bytes of the clip, taken as spoken evenly by characters."""
    per_char = len(clip.pcm) / len(clip.text)
    first, last = (_word_start(clip.text, int(at / per_char)) for at in (start, end))
    return clip.text[first:last]


def _word_start(text: str, char: int) -> int:
    """Where the next word begins, its space included: at or after `char`."""
    if char <= 0:
        return 0
    space = text.find(" ", char)
    return len(text) if space < 0 or char >= len(text) else space
