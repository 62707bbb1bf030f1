"""Finds personal items in a text: numbers of cards and accounts, and how somebody can be reached.

    card    12 to 19 digits that begin as those of a card scheme do, with the check digit of Luhn
    iban    a country, two check digits and an account, by ISO 7064's modulo 97
    ssn     the nine digits of an American social security or taxpayer number, in their ranges
    email   an address with @, or said: "kim at example dot com"
    phone   a number that is possible where the agent is, or begins with + or 00

Digits may be written, grouped, or said as English words. Whatever passes these checks is taken for
an item, so one in ten numbers of an order with 16 digits is taken for a card.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from agent.privacy.digits import SAID, Token, adjacent, runs, tokens
from agent.privacy.numbers import (
    ANYWHERE,
    LONGEST,
    iban_length,
    is_card,
    is_dialled,
    is_iban,
    is_reachable,
    is_ssn,
)

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

_ZIP = (5, 4)
"""The groups of an American postal code, which has as many digits as a social security number."""

_PHONE_LENGTHS = range(7, 16)
_AS_AMERICANS = {(3, 3, 4), (1, 3, 3, 4)}
"""The groups in which a number of theirs is written, also right behind another one."""

_FAR = 4
_PLUS = re.compile(r"\+[( ]*$").search
"""What stands right before a number with its country's code, no farther than so many characters."""

_EXTENSION = re.compile(r"\s?(?:x|ext\.?)\s?\d{1,6}\b", re.IGNORECASE).match
_FEWEST = 5
"""So many digits, or words for one or more of them, are in the shortest item of digits."""
_DIGITS = re.compile(rf"\d|\b(?:{'|'.join(SAID)})\b", re.IGNORECASE)
_AT_ALL = re.compile(r"@|%40|\bat\b", re.IGNORECASE).search
_DATE_OR_ADDRESS = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d|\d\d?[./]\d\d?[./](?:19|20)\d\d|\b\d{1,3}(?:\.\d{1,3}){3}\b"
)


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
        for kind in ("card", "ssn", "phone"):
            if kind in kinds:
                _add(found, _in_run(text, run, kind, region))
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


def _in_run(text: str, run: list[Token], kind: Kind, region: str) -> Iterator[Item]:
    """The items of one kind in a row of digits. Each begins and ends with a group of digits; the
    longest comes first, as a group may also be the beginning of something else.
    """
    first = 0
    while first < len(run):
        for last in range(min(len(run), first + LONGEST), first, -1):
            row = run[first:last]
            number = _joined(row)
            if len(number) > LONGEST or _is_fraction(text, row):
                continue
            extent = None
            if kind == "phone":
                plus = _PLUS(text, max(0, row[0].start - _FAR), row[0].start)
                if plus or _groups(row) in _AS_AMERICANS or _apart(text, run, first, last):
                    extent = _phone(text, row, number, region)
            elif kind == "card":
                extent = _extent(row) if is_card(number) else None
            elif _is_ssn(row, number, alone=len(row) == len(run)):
                extent = _extent(row)
            if extent is not None:
                yield Item(*extent, kind)
                first = last
                break
        else:
            first += 1


def _is_fraction(text: str, row: list[Token]) -> bool:
    """Whether this is a number such as 1234.567890."""
    return len(row) == 2 and text[row[0].end : row[1].start] == "."


def _extent(row: list[Token]) -> tuple[int, int]:
    return row[0].start, row[-1].end


def _is_ssn(row: list[Token], number: str, *, alone: bool) -> bool:
    """Whether nine digits are one: in three groups, or in one, or in any if they stand alone."""
    groups = _groups(row)
    return (groups in {(9,), (3, 2, 4)} or (alone and groups != _ZIP)) and is_ssn(number)


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


def _phone(text: str, row: list[Token], number: str, region: str) -> tuple[int, int] | None:
    """Where a telephone number begins and ends, if this is one."""
    start, end = _extent(row)
    if len(number) not in _PHONE_LENGTHS or _DATE_OR_ADDRESS.search(text, max(0, start - 4), end):
        return None
    if (extension := _EXTENSION(text, end)) is not None:
        end = extension.end()
    if (plus := _PLUS(text, max(0, start - _FAR), start)) is not None:
        return (plus.start(), end) if is_reachable(number) else None
    abroad = number.startswith("00") and is_reachable(number[2:])
    if abroad or is_dialled(number, region, grouped=len(row) > 1):
        return start - text.endswith("(", 0, start), end
    return None


def _apart(text: str, run: list[Token], first: int, last: int) -> bool:
    """Whether more than a space is between a part of a row of digits and the rest of it."""
    before = text[run[first - 1].end : run[first].start] if first else ","
    behind = text[run[last - 1].end : run[last].start] if last < len(run) else ","
    return all(re.search(r"[,.;/\n]", gap) for gap in (before, behind))


def _groups(row: list[Token]) -> tuple[int, ...]:
    return tuple(len(token.text) for token in row)


def _joined(row: list[Token]) -> str:
    return "".join(token.text for token in row)
