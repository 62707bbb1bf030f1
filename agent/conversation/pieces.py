"""The caller's words that are no line yet, in the pieces in which they come.

Nobody tells which piece is the last. While a sentence is open, its next piece comes within a
second. Behind the end of a sentence another may begin; where the pieces are spread over time, as
with a service that tells a few letters at once, it comes at their pace.
"""

PIECES_APART_MS = 1_000
"""The pieces of an unfinished sentence come no farther apart."""

PACES = 3
"""So many times the usual pause between two pieces, and what ends a sentence was the last."""


class Pieces:
    """What has come so far.

    Attributes:
        text: All of it.
    """

    def __init__(self) -> None:
        self.text = ""
        self._count = self._first_ms = self._last_ms = 0

    @property
    def words(self) -> str:
        """All of it, without the spaces around it."""
        return self.text.strip()

    def add(self, text: str, now_ms: int) -> None:
        """A piece has come at `now_ms`."""
        if not self.text or now_ms - self._last_ms > PIECES_APART_MS:  # a pause of the caller's
            self._count, self._first_ms = 0, now_ms
        # The pieces of an utterance bring their spaces; another utterance does not.
        if ends_sentence(self.text) and not text[:1].isspace():
            self.text += " "
        self.text += text
        self._count, self._last_ms = self._count + 1, now_ms

    def take(self) -> str:
        """All of it, which is a line now."""
        words, self.text = self.words, ""
        return words

    @property
    def rest_by_ms(self) -> int | None:
        """By when more of it has come, if more is to come; None if nothing is waited for."""
        if not self.words:
            return None
        if not ends_sentence(self.words):
            return self._last_ms + PIECES_APART_MS
        return self.next_by_ms

    @property
    def next_by_ms(self) -> int | None:
        """By when the next piece has come at their pace, if they have one; None if they have not:
        there is only one, or all came at once.
        """
        pace_ms = (self._last_ms - self._first_ms) // max(1, self._count - 1)
        if not (self.words and pace_ms):
            return None
        return self._last_ms + min(PACES * pace_ms, PIECES_APART_MS)

    def go_on(self, now_ms: int) -> bool:
        """Whether more of it may still come."""
        return self.rest_by_ms is not None and now_ms <= self.rest_by_ms


def ends_sentence(text: str) -> bool:
    """Whether what follows it is another sentence."""
    return text.endswith((".", "?", "!", "…"))
