"""Removes a transcriber's own marks from a transcription. Pure.

A transcriber writes ``<noise>`` for a sound that is not speech, and sometimes leaves control tokens
such as ``<ctrl46>`` in the text. Nobody said them. If they counted as words, they would become a
line of the transcript, and end a reply that the caller is hearing. A transcription comes in pieces,
and a mark may begin in one piece and end in the next.

Source: reports of such transcriptions, October 2026.
"""

import re

_INSIDE = r"[^<>\s][^<>]{0,38}"
_MARKS = re.compile(rf"(?:\s*<{_INSIDE}>)+")
_BEGUN = re.compile(rf"\s*<(?:{_INSIDE})?$")


class PlainWords:
    """One side's transcription, piece by piece."""

    def __init__(self) -> None:
        self._held = ""

    def take(self, piece: str, *, finished: bool) -> str:
        """The words of the next piece; "" if it has none, or if they are not complete yet.

        Args:
            piece: As it came, with its spaces. Half a character becomes U+FFFD, because UTF-8
                cannot hold it.
            finished: Whether the utterance ends with it.
        """
        whole = piece.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        text = _MARKS.sub(_between, self._held + whole)
        begun = None if finished else _BEGUN.search(text)
        words = text if begun is None else text[: begun.start()]
        self._held = text[len(words) :]
        return words

    def forget(self) -> None:
        """End the utterance, even if the rest of a mark is missing."""
        self._held = ""


def _between(marks: re.Match[str]) -> str:
    """The text in place of marks: a space if only they kept two words apart."""
    begins_text = marks.start() == 0 and not marks[0][0].isspace()
    behind = marks.string[marks.end() : marks.end() + 1]
    return "" if begins_text or not behind or behind.isspace() else " "
