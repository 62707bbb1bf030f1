"""Digits that a caller types and nobody is to see: what is wanted of them, and what holds them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn

KeyKind = Literal["digit", "end", "cancel", "other"]
"""What a call may know of a key that is typed in secret."""


@dataclass(frozen=True, slots=True)
class SecureEntry:
    """What a caller types before a tool runs.

    Args:
        parameter: The parameter of the tool that gets it. The model does not know of it.
        says: What the agent says to the caller.
        least: How many digits there must be.
        most: How many digits end it.
    """

    parameter: str
    says: str
    least: int = 1
    most: int = 40


class Digits:
    """Digits in the memory of one worker. No text of it has them, and it cannot be stored."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Digits(•)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("expected nothing that is stored or sent to another process, got Digits")

    def reveal(self) -> str:
        """What was typed. For the request of the one tool that gets it."""
        return self._value


def without(text: str, secrets: Iterable[Digits]) -> str:
    """A text in which these digits do not stand, nor in groups: "•" stands in place of each."""
    for secret in secrets:
        text = _without(text, secret.reveal())
    return text


GAPS = " -.\u00a0\u202f"
"""What may stand between the digits of a number."""


def _without(text: str, value: str) -> str:
    found = [n for n, char in enumerate(text) if char.isdecimal()]
    digits = "".join(text[n] for n in found)
    at = digits.find(value) if value else -1
    hidden = list(text)
    while at >= 0:
        places = found[at : at + len(value)]
        between = "".join(text[places[0] : places[-1] + 1])
        if all(char.isdecimal() or char in GAPS for char in between):
            for n in places:
                hidden[n] = "•"
        at = digits.find(value, at + 1)
    return "".join(hidden)
