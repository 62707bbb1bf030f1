"""The digits of a text, as they are written or said: "4111 1111", "four one double one".

A *run* is a row of such tokens with at most a few separators between them; any other word ends it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+(?=[xX]\d{1,6}\b)|\w+")
"""A word; the extension of a telephone number is one of its own."""

_FILLERS = ("UH", "UM", "UHM", "ER", "ERM", "AND")
"""What may be said between two digits of a number."""

_BETWEEN = re.compile(
    r"(?:[\s./()·\-\u2010-\u2015]|,\s){0,3}"
    r"|\s?(?:\.{2,5}|\u2026)\s{0,2}"
    rf"|[\s.,\u2026\u2010-\u2015-]{{1,7}}(?:(?:{'|'.join(_FILLERS)})[\s.,\u2026\u2010-\u2015-]{{1,7}}){{1,2}}",
    re.IGNORECASE,
).fullmatch
"""What may stand between groups of digits. "1,234" is an amount, and + begins another."""

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_WORDS = {word: str(n) for n, word in enumerate(("zero", *_ONES))}
_WORDS |= dict.fromkeys(("oh", "o", "nought"), "0")
_TIMES = {"double": 2, "triple": 3}

SAID = frozenset(_WORDS)
"""The words that stand for a digit."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a text, in the digits and letters that it stands for.

    Args:
        start: Where it begins.
        end: Where it ends.
        text: What it stands for: "7" for "seven", else itself in capitals.
    """

    start: int
    end: int
    text: str

    @property
    def is_digits(self) -> bool:
        """Whether it stands for digits alone."""
        return self.text.isdigit()


def tokens(text: str) -> list[Token]:
    """The words of a text; "double" and "triple" belong to the digit behind them."""
    found: list[Token] = []
    times: tuple[int, int] | None = None
    for match in _TOKEN.finditer(text):
        word = match[0].lower()
        if word in _TIMES:
            times = match.start(), _TIMES[word]
            continue
        said = _written(match[0])
        start = match.start()
        if times is not None and len(said) == 1 and said.isdigit():
            start, said = times[0], said * times[1]
        found.append(Token(start, match.end(), said))
        times = None
    return found


def runs(text: str, said: list[Token]) -> Iterator[list[Token]]:
    """The rows of digits in a text, each as its tokens.

    Args:
        text: The text.
        said: Its `tokens`.
    """
    run: list[Token] = []
    for token in said:
        if token.text in _FILLERS:
            continue
        if run and not (token.is_digits and adjacent(text, run[-1], token)):
            yield run
            run = []
        if token.is_digits:
            run.append(token)
    if run:
        yield run


def adjacent(text: str, left: Token, right: Token) -> bool:
    """Whether nothing but a few separators stands between two tokens."""
    return _BETWEEN(text, left.end, right.start) is not None


def _written(word: str) -> str:
    if (digit := _WORDS.get(word.lower())) is not None:
        return digit
    if word.isdecimal():
        return "".join(str(int(each)) for each in word)
    # A capital may be longer than the letter, and "²" is a digit that no number has.
    return word.upper() if word.isascii() else "?"
