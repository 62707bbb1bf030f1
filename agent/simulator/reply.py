"""One reply as it is generated: a clip cut into messages, each with its words and its time.

Source: gemini-3.8-live traces. A message has about 210 ms of audio. Audio comes four times as fast
as real time, and words come with the audio in which they are spoken.
"""

from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from agent.simulator.behaviour import Behaviour
from agent.simulator.script import Call
from agent.simulator.voice import AGENT_RATE_HZ, Clip, agent_clip

BYTES_PER_MS = AGENT_RATE_HZ // 1000 * 2

SILENCE_MS = 60
SILENT_PEAK = 200
NEAR_MS = 400
"""How far the silence after some words may be from their end, if all words took equal time."""

CLOSES = tuple(".,;:?!…")
"""What a speaker pauses at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question or text of the user that needs an answer.

    Args:
        text: The transcription, or the text itself; "" if nothing was understood.
        phrase: The caller clip that was understood, without the role, or None.
        duration_ms: How long its audio was; None for a text.
    """

    text: str
    phrase: str | None
    duration_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """One message of a reply.

    Args:
        offset_ms: Its time after the first one.
        pcm: Its audio: PCM16, 24 kHz.
        words: What is spoken in it.
        told: What of the words is transcribed in it.
    """

    offset_ms: int
    pcm: bytes
    words: str
    told: str

    @property
    def duration_ms(self) -> float:
        """How long its audio plays."""
        return len(self.pcm) / BYTES_PER_MS


@dataclass(slots=True)
class Reply:
    """A reply in progress: its question, its messages, and how many of them were sent."""

    answers: list[Asked]
    pieces: list[Piece]
    began_ms: int
    cut_short: bool
    then: Call | None = None
    """What is called once all was sent."""
    sent: list[Piece] = field(default_factory=list)

    @property
    def sent_ms(self) -> float:
        """How much audio was sent so far."""
        return sum(piece.duration_ms for piece in self.sent)

    @property
    def said(self) -> str:
        """The words sent so far."""
        return "".join(piece.words for piece in self.sent)

    @property
    def generated(self) -> bool:
        """Whether everything has been sent."""
        return len(self.sent) == len(self.pieces)


def pieces(
    clip: Clip, behaviour: Behaviour, random: Random, most_ms: int | None = None
) -> list[Piece]:
    """Cut a clip, or its first `most_ms`, into messages."""
    said_ms = clip.duration_ms if most_ms is None else min(clip.duration_ms, most_ms)
    spoken = clip.pcm[: int(said_ms) * BYTES_PER_MS] if most_ms is not None else clip.pcm
    size = behaviour.chunk_ms * BYTES_PER_MS
    run = max(1, behaviour.gap_every_ms // behaviour.chunk_ms)
    interval_ms = behaviour.chunk_ms / behaviour.speed
    out: list[Piece] = []
    offset_ms = 0.0
    for at in range(0, len(spoken), size):
        cut_short = most_ms is not None and at + size > len(spoken)
        words = _words_between(clip, at, len(spoken) if cut_short else at + size)
        match behaviour.output_transcription:
            case "inline" | "before":
                told = words
            case "first":
                told = "" if at else _words_between(clip, 0, len(spoken))
            case "nothing":
                told = ""
        out.append(Piece(round(offset_ms), spoken[at : at + size], words, told))
        offset_ms += interval_ms * random.uniform(1 - behaviour.jitter, 1 + behaviour.jitter)
        if len(out) % run == 0:
            offset_ms += behaviour.gap_ms
    return out


def after(clip: Clip, said: str) -> Clip:
    """The rest of a clip that begins with `said`.

    The end of `said` is first estimated as if all words took equal time. The rest begins in the
    longest silence near this estimate, or exactly there if there is no silence, or `said` ends
    within a clause: the silence would be that of a later word, which the rest has to say.
    """
    if not said:
        return clip
    begins_ms = _spoken_ms(clip, said)
    if not said.endswith(CLOSES):
        return replace(clip, text=clip.text[len(said) :], pcm=_from(clip, begins_ms))
    near = [
        (end - start, (start + end) / 2)
        for start, end in _silences_ms(clip)
        if abs((start + end) / 2 - begins_ms) <= NEAR_MS
    ]
    begins_ms = max(near)[1] if near else begins_ms
    return replace(clip, text=clip.text[len(said) :], pcm=_from(clip, begins_ms))


def _from(clip: Clip, at_ms: float) -> bytes:
    return clip.pcm[int(at_ms) * BYTES_PER_MS :]


def _spoken_ms(clip: Clip, said: str) -> float:
    """When the clip has said this, if within each joined clip all characters take equal time."""
    chars, at_ms = len(said), 0.0
    for part in [agent_clip(name) for name in clip.name.removeprefix("agent/").split("+")]:
        if chars <= len(part.text):
            return at_ms + part.duration_ms * chars / len(part.text)
        chars -= len(part.text) + 1
        at_ms += part.duration_ms
    return clip.duration_ms


def _silences_ms(clip: Clip) -> list[tuple[int, int]]:
    """The beginning and end of every silence of `SILENCE_MS` or more."""
    step = 10 * BYTES_PER_MS // 2
    samples = np.abs(np.frombuffer(clip.pcm, dtype="<i2").astype(np.int32))
    loud = samples[: len(samples) // step * step].reshape(-1, step).max(axis=1) >= SILENT_PEAK
    edges = np.flatnonzero(np.diff(np.concatenate(([1], loud, [1])))) * 10
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, end) for start, end in runs if end - start >= SILENCE_MS]


def _words_between(clip: Clip, start: int, end: int) -> str:
    """The words that begin in these bytes of the clip, if all characters take equal time."""
    per_char = len(clip.pcm) / len(clip.text)
    first, last = (_word_start(clip.text, int(at / per_char)) for at in (start, end))
    return clip.text[first:last]


def _word_start(text: str, char: int) -> int:
    """Where the next word begins at or after `char`, its space included."""
    if char <= 0:
        return 0
    space = text.find(" ", char)
    return len(text) if space < 0 or char >= len(text) else space
