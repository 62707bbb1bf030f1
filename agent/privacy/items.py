"""Finds personal items in a text: numbers of cards and accounts, and how somebody can be reached.

    card    13 to 19 digits that begin as those of a card scheme do, with the check digit of Luhn
    iban    a country, two check digits and an account, by ISO 7064's modulo 97
    ssn     the nine digits of an American social security or taxpayer number, in their ranges and
            in its three groups, or behind words such as "social security"
    email   an address with @, or said: "kim at example dot com"
    phone   a number that is possible where the agent is, or begins with + or 00

Digits may be written, grouped, or said as English words. Whatever passes these checks is taken for
an item, so of other numbers that begin as those of cards do, one in ten is taken for one.
"""

import re
from bisect import bisect
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from agent.privacy.digits import SAID, Token, adjacent, runs, tokens
from agent.privacy.emails import MAY_HAVE, emails
from agent.privacy.numbers import ANYWHERE, iban_length, is_iban
from agent.privacy.rows import RowKind, rows

Kind = Literal["card", "ssn", "iban", "email", "phone"]
"""A kind of personal item."""

KINDS: tuple[Kind, ...] = get_args(Kind)

NAMES: dict[Kind, str] = {
    "card": "card number",
    "ssn": "social security number",
    "iban": "account number",
    "email": "e-mail address",
    "phone": "phone number",
}
"""What stands in the place of an item, in square brackets."""

IBAN_SHAPE = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b")
"""What looks like an account number, without a look at its check digits."""

NUMBER_SHAPE = re.compile(r"\+?\d(?:[\s().-]*\d){6,}")
"""What may be a number of a person: seven digits or more."""

_ENCODED_PHONE = re.compile(r"%2B\d{7,15}\b", re.IGNORECASE)

_OF_DIGITS: tuple[RowKind, ...] = ("card", "ssn", "phone")

_FEWEST = 5
"""So many digits, or words for one or more of them, are in the shortest item of digits."""
_DIGITS = re.compile(rf"\d|\b(?:{'|'.join(SAID)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One item in a text.

    Args:
        start: Where it begins.
        end: Where it ends.
        kind: What it is.
    """

    start: int
    end: int
    kind: Kind


def items(text: str, kinds: Collection[Kind] = KINDS, region: str = ANYWHERE) -> list[Item]:
    """The items of these kinds in a text, in order; none overlaps another.

    Args:
        text: Any text.
        kinds: Which kinds to look for.
        region: The ISO code of the country where numbers without + are dialled.
    """
    found: list[Item] = []
    if "email" in kinds:
        _add(found, (Item(*at, "email") for at in emails(text)))
    if not any(kind != "email" for kind in kinds):
        return found
    said = tokens(text)
    if "iban" in kinds:
        _add(found, _ibans(text, said))
    if "phone" in kinds:
        _add(found, (Item(m.start(), m.end(), "phone") for m in _ENCODED_PHONE.finditer(text)))
    for run in runs(text, said):
        for kind in _OF_DIGITS:
            if kind in kinds:
                _add(found, (Item(*at, kind) for at in rows(text, run, kind, region)))
    return found


def masked(text: str, kinds: Collection[Kind] = KINDS, region: str = ANYWHERE) -> str:
    """A text with ``[card number]`` and the like in place of each item. See `items`."""
    return cut(text, items(text, kinds, region)) if _may_have(text, kinds) else text


def cut(text: str, found: Collection[Item]) -> str:
    """A text, or its beginning, with the items masked that were found in the whole text."""
    kept, at = [], 0
    for item in sorted(found):
        if item.start < len(text):
            kept += [text[at : item.start], f"[{NAMES[item.kind]}]"]
            at = min(item.end, len(text))
    return "".join([*kept, text[at:]])


def is_masked(text: str) -> bool:
    """Whether an item was masked in this text."""
    return any(f"[{name}]" in text for name in NAMES.values())


def _may_have(text: str, kinds: Collection[Kind]) -> bool:
    """Whether a text is worth a look: most of what is said has neither digits nor an address."""
    return ("email" in kinds and MAY_HAVE(text) is not None) or (
        any(kind != "email" for kind in kinds) and len(_DIGITS.findall(text)) >= _FEWEST
    )


def _add(found: list[Item], more: Iterator[Item]) -> None:
    """Take up, in order, what overlaps nothing that was found before."""
    for item in more:
        n = bisect(found, item)
        if (n == 0 or found[n - 1].end <= item.start) and (
            n == len(found) or item.end <= found[n].start
        ):
            found.insert(n, item)


def _ibans(text: str, said: list[Token]) -> Iterator[Item]:
    for first, token in enumerate(said):
        row, n = token.text, first
        length = iban_length(row)
        while len(row) < length and n + 1 < len(said) and adjacent(text, said[n], said[n + 1]):
            n += 1
            row += said[n].text
            length = iban_length(row)
        if len(row) == length and is_iban(row):
            yield Item(token.start, said[n].end, "iban")
