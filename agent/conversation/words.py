"""Which words of a reply were heard, and which words of the caller are new.

The model gives text without times, in pieces that come along with the audio they belong to. So
each piece is taken to be spoken from where the audio stood when it came to where it stood at the
next piece, evenly by characters; a cut falls on the end of a word nearest to what was heard.
"""

from collections.abc import Sequence

SPEECH_CHARS_PER_S = 17
"""A fast English talker. Bounds how much of a text can have been said by audio that is not all
here yet, for models that send a sentence's text ahead of its audio."""


def heard_text(
    pieces: Sequence[tuple[float, str]], generated_ms: float, heard_ms: float, *, complete: bool
) -> str:
    """What of a reply's text had been said after `heard_ms` of its audio.

    Args:
        pieces: Each piece of text, with how much audio (ms) had come before it, in order.
        generated_ms: How much audio has come in all.
        heard_ms: How much of it was heard.
        complete: Whether all audio of the reply has come.
    """
    text = "".join(piece for _, piece in pieces)
    if not generated_ms:
        return ""
    if complete and heard_ms >= generated_ms:
        return text.strip()
    spoken = 0.0
    for start_ms, end_ms, length in spans(pieces, generated_ms, complete=complete):
        if heard_ms >= end_ms:
            spoken += length
        elif heard_ms > start_ms:
            spoken += length * (heard_ms - start_ms) / (end_ms - start_ms)
    return _cut_at_word(text, spoken).strip()


def without_repetition(said_before: str, text: str) -> str:
    """`text` without the words in which it repeats the end of `said_before`.

    After a resume the caller's audio is sent again and transcribed again; only what is new may
    become a line. Words are compared without case and punctuation.
    """
    old, new = _words(said_before), _words(text)
    for overlap in range(min(len(old), len(new)), 0, -1):
        if old[-overlap:] == new[:overlap]:
            return " ".join(text.split()[overlap:])
    return text


def repeated_chars(said_before: str, text: str) -> int:
    """How many characters of `text`, from its first, repeat the end of `said_before`.

    One word alone is no repetition, unless it is all that was said.
    """
    old, new = _words(said_before), _words(text)
    for overlap in range(min(len(old), len(new)), min(1, len(old) - 1), -1):
        if old[-overlap:] == new[:overlap]:
            rest = text.split(maxsplit=overlap)[overlap:]
            return len(text) - len("".join(rest)) if rest else len(text)
    return 0


def letters(text: str) -> str:
    """Only the letters and digits of a text, in lower case: what is the same however it is put."""
    return "".join(c for c in text.casefold() if c.isalnum())


def spans(
    pieces: Sequence[tuple[float, str]], generated_ms: float, *, complete: bool
) -> list[tuple[float, float, int]]:
    """(start_ms, end_ms, characters) of each run of text that began at the same moment."""
    runs: list[tuple[float, int]] = []
    for at_ms, piece in pieces:
        if runs and runs[-1][0] == at_ms:
            runs[-1] = (at_ms, runs[-1][1] + len(piece))
        else:
            runs.append((at_ms, len(piece)))
    ends = [at_ms for at_ms, _ in runs[1:]] + [generated_ms]
    if runs and not complete:
        at_ms, length = runs[-1]
        ends[-1] = max(ends[-1], at_ms + 1000 * length / SPEECH_CHARS_PER_S)
    return [(at, end, length) for (at, length), end in zip(runs, ends[: len(runs)], strict=True)]


def _cut_at_word(text: str, spoken_chars: float) -> str:
    ends = [0]
    ends += [
        i
        for i in range(1, len(text) + 1)
        if not text[i - 1].isspace() and (i == len(text) or text[i].isspace())
    ]
    return text[: min(ends, key=lambda end: abs(end - spoken_chars))]


def _words(text: str) -> list[str]:
    return [letters(word) for word in text.split()]
