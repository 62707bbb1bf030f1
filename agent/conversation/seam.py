"""Where a reply can be left and gone on with: between two words, where the speaker is silent.

The model gives no times with its words, so where a word ends in the audio is an estimate, which may
be off by half a second. The speaker's silences are exact, but they do not tell which words stand
before them. Together they are enough: speakers pause at punctuation, so the longest silence near
the estimated end of a sentence or a clause is that end.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from agent.conversation.words import spans

SILENT_PEAK = 200
"""-44 dBFS: the softest speech goes far beyond it."""

STEP_MS = 10
SILENCE_MS = 60
"""A shorter silence may be inside a word, as before a p; a word that lacks no more is whole."""

NEAR_MS = 500
"""How far a silence may be from where the words should end."""

APART_MS = 900
"""Where two sentences or clauses end nearer to each other, one's silence may be the other's."""

_STEP_BYTES: Final = 480
"""`STEP_MS` of the model's audio: 24 kHz, int16."""

_EVERY_NTH_SAMPLE: Final = 8
"""Enough to meet a peak of speech, and cheap."""

_CLOSES = tuple(".,;:?!…")

type Pieces = Sequence[tuple[float, str]]
"""Each piece of a text, with how much audio (ms) had come before it, in order."""


class Silences:
    """Where a reply is silent, found while its audio comes in.

    Attributes:
        sounded_ms: How much of it was not silent.
    """

    def __init__(self) -> None:
        self.sounded_ms = 0
        self._steps = 0
        self._rest = b""
        self._runs: list[tuple[int, int]] = []

    def push(self, pcm: bytes) -> None:
        """More audio: PCM, int16 little-endian, mono, 24 kHz, any length."""
        pcm = self._rest + pcm if self._rest else pcm
        whole = len(pcm) // _STEP_BYTES * _STEP_BYTES
        self._rest = pcm[whole:]
        if not whole:
            return
        samples = np.frombuffer(pcm, "<i2", whole // 2).reshape(-1, _STEP_BYTES // 2)
        looked_at = samples[:, ::_EVERY_NTH_SAMPLE]
        loud = (looked_at.max(axis=1) >= SILENT_PEAK) | (looked_at.min(axis=1) <= -SILENT_PEAK)
        for sounds in loud.tolist():
            self._step(sounds=sounds)

    def near(self, at_ms: float, after_ms: float = 0) -> float | None:
        """The middle of the longest silence near `at_ms` and not before `after_ms`, or None."""
        near = [
            (end - start, -abs(middle_ms - at_ms), middle_ms)
            for start, end in self._runs
            if (end - start) * STEP_MS >= SILENCE_MS
            and abs((middle_ms := (start + end) / 2 * STEP_MS) - at_ms) <= NEAR_MS
            and middle_ms >= after_ms
        ]
        return max(near)[2] if near else None

    def before(self, at_ms: float, within_ms: float) -> float | None:
        """The end of the last silence before `at_ms`, or `at_ms` if it is silent there; None if
        there is no silence in the last `within_ms` before it.
        """
        for start, end in reversed(self._runs):
            if start * STEP_MS >= at_ms or (end - start) * STEP_MS < SILENCE_MS:
                continue
            quiet_ms = min(at_ms, end * STEP_MS)
            return quiet_ms if at_ms - quiet_ms <= within_ms else None
        return None

    def _step(self, *, sounds: bool) -> None:
        if sounds:
            self.sounded_ms += STEP_MS
        elif self._runs and self._runs[-1][1] == self._steps:
            self._runs[-1] = (self._runs[-1][0], self._steps + 1)
        else:
            self._runs.append((self._steps, self._steps + 1))
        self._steps += 1


class Seam(NamedTuple):
    """A place between two words: where it is in the audio (ms), and the text up to there."""

    at_ms: float
    text: str


def last_seam(pieces: Pieces, silences: Silences, received_ms: float, after_ms: float) -> Seam:
    """The last place where a reply that is still coming in can be left.

    Args:
        pieces: Its text so far.
        silences: Of its audio so far.
        received_ms: How much audio has come.
        after_ms: What lies before cannot be taken back any more.
    """
    text = "".join(piece for _, piece in pieces)
    ends = list(_word_ends(pieces, received_ms))
    closes = [(end, ms) for end, ms in ends if text[:end].endswith(_CLOSES)]
    for end, ms in reversed(closes):
        # Nearer to the end of what has come, the silence that belongs here may not be there yet.
        alone = all(abs(ms - other) >= APART_MS for _, other in closes if other != ms)
        if alone and ms + NEAR_MS <= received_ms:
            at_ms = silences.near(ms, after_ms)
            if at_ms is not None:
                return Seam(at_ms, text[:end])
    for end, ms in reversed(ends):
        if after_ms < ms <= received_ms and (end, ms) not in closes:
            return Seam(ms, text[:end])
    # All of it is heard, up to where it broke off: the word that is broken is to be said again.
    whole = max((end for end, ms in ends if ms <= received_ms + SILENCE_MS), default=0)
    return Seam(received_ms, text[:whole])


def seam_after(
    pieces: Pieces, silences: Silences, received_ms: float, chars: int, *, complete: bool
) -> float | None:
    """Where the first `chars` characters of a reply end in its audio (ms).

    None where more audio is needed to tell, unless it is `complete`.
    """
    text = "".join(piece for _, piece in pieces)
    chars = len(text[:chars].rstrip())
    at_ms = next((ms for end, ms in _word_ends(pieces, received_ms) if end >= chars), received_ms)
    if at_ms + NEAR_MS > received_ms and not complete:
        return None
    silence_ms = silences.near(at_ms)
    return min(at_ms, received_ms) if silence_ms is None else silence_ms


def _word_ends(pieces: Pieces, received_ms: float) -> Iterator[tuple[int, float]]:
    """Each word's end: how many characters there are up to it, and when it is spoken (ms)."""
    text = "".join(piece for _, piece in pieces)
    at = 0
    for start_ms, end_ms, length in spans(pieces, received_ms, complete=False):
        for char in range(at + 1, at + length + 1):
            if not text[char - 1].isspace() and (char == len(text) or text[char].isspace()):
                yield char, start_ms + (end_ms - start_ms) * (char - at) / length
        at += length
