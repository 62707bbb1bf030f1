"""Finds personal items in a text: numbers of cards and accounts, and how somebody can be reached.

    card    12 to 19 digits that begin as those of a card scheme do, with the check digit of Luhn
    iban    a country, two check digits and an account, by ISO 7064's modulo 97
    ssn     the nine digits of an American social security or taxpayer number, in their ranges and
            in its three groups, or behind words such as "social security"
    email   an address with @, or said: "kim at example dot com"
    phone   a number that is possible where the agent is, or begins with + or 00

Digits may be written, grouped, or said as English words. Whatever passes these checks is taken for
an item, so of other numbers that begin as those of cards do, one in ten is taken for one.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from agent.privacy.digits import SAID, Token, adjacent, runs, tokens
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

EMAIL = re.compile(r"[^\s@<>\"'(),;:]+(?:@|%40)[^\s@<>\"'(),;:/]+\.\w{2,}")
"""An address as it is written."""

IBAN_SHAPE = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b")
"""What looks like an account number, without a look at its check digits."""

NUMBER_SHAPE = re.compile(r"\+?\d(?:[\s().-]*\d){6,}")
"""What may be a number of a person: seven digits or more."""

_AT = re.compile(r"\bat\b", re.IGNORECASE)
_JOINT = r"(?:dot|point|underscore|dash|hyphen|minus|plus)"
_BEFORE_AT = re.compile(rf"(?<![^\s(])(?:\w[ -]+)*[\w.+-]+(?: {_JOINT} [\w.+-]+)* $", re.IGNORECASE)
_BEHIND_AT = re.compile(
    r" (?:\w[ -]+)*[\w-]+(?:(?: dot |\.)[\w-]+)*(?: dot |\.)[a-z]{2,}\b", re.IGNORECASE
)
_LONGEST_SAID = 80
"""So many characters of an address may stand before "at"."""

_ENCODED_PHONE = re.compile(r"%2B\d{7,15}\b", re.IGNORECASE)

_OF_DIGITS: tuple[RowKind, ...] = ("card", "ssn", "phone")

_FEWEST = 5
"""So many digits, or words for one or more of them, are in the shortest item of digits."""
_DIGITS = re.compile(rf"\d|\b(?:{'|'.join(SAID)})\b", re.IGNORECASE)
_AT_ALL = re.compile(r"@|%40|\bat\b", re.IGNORECASE).search


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
        _add(found, _emails(text))
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
    return sorted(found)


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
    return ("email" in kinds and _AT_ALL(text) is not None) or (
        any(kind != "email" for kind in kinds) and len(_DIGITS.findall(text)) >= _FEWEST
    )


def _add(found: list[Item], more: Iterator[Item]) -> None:
    """Take up what overlaps nothing that was found before."""
    for item in more:
        if all(item.end <= other.start or other.end <= item.start for other in found):
            found.append(item)


def _emails(text: str) -> Iterator[Item]:
    if "@" in text or "%40" in text:
        for match in EMAIL.finditer(text):
            yield Item(match.start(), match.end(), "email")
    for at in _AT.finditer(text):
        if (behind := _BEHIND_AT.match(text, at.end())) is None:
            continue
        from_ = max(0, at.start() - _LONGEST_SAID)
        if before := _BEFORE_AT.search(text[from_ : at.start()]):
            yield Item(from_ + before.start(), behind.end(), "email")


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
