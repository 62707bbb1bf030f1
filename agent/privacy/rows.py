"""Finds cards, social security numbers and telephone numbers in a run of digits.

A *row* is a part of a run. Digits that are written or said one by one are cut only where more than
a space stands between them, so that of sixteen of them only the whole is judged.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

from agent.privacy.digits import Token
from agent.privacy.numbers import (
    LONGEST,
    SHORTEST_CARD,
    is_american,
    is_card,
    is_dialled,
    is_in_use,
    is_reachable,
    is_ssn,
)

RowKind = Literal["card", "ssn", "phone"]
"""A kind of item that is nothing but digits."""

_CARD_ALONE = 16
"""Behind so many digits that are said one by one, a date or a code may be said without a pause."""

_PHONE_LENGTHS = range(7, 16)
_AS_AMERICANS = {(3, 3, 4), (1, 3, 3, 4)}
"""The groups in which a number of theirs is written, also right behind another one."""

_FAR = 4
_PLUS = re.compile(r"\+[( ]*$").search
"""What stands right before a number with its country's code, no farther than so many characters."""

_EXTENSION = re.compile(r"\s?(?:x|ext\.?)\s?\d{1,6}\b", re.IGNORECASE).match
_DATE_OR_ADDRESS = re.compile(
    r"(?:19|20)\d\d-\d\d-\d\d|\d\d?[./]\d\d?[./](?:19|20)\d\d"
    r"|(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
)
_DAY = re.compile(
    r"(?:19|20)\d\d (?:0?\d|1[0-2]) [0-3]?\d|[0-3]?\d [0-3]?\d (?:19|20)\d\d"
).fullmatch
"""The groups of a date, with spaces between them."""

_IN_PHONE = re.compile(r"\s{0,2}|[-.\u00b7\u2010-\u2015]|\s?/\s?|\s?\(|\)[\s-]?").fullmatch
"""What stands between the groups of a telephone number. Lists and spans of time have more."""

_IN_SSN = re.compile(r"\s|\s?[-\u2010-\u2015]\s?").fullmatch
_SSN_GROUPS = (3, 2, 4)
_SSN_WORDS = re.compile(r"\b(?:social|ssn|itin|tax(?:payer)?[ -](?:id|number))", re.IGNORECASE)
_SSN_FAR = 60
"""So many characters before nine digits, words may say what they are."""

_PAUSE = re.compile(r"[^\s()\-\u2010-\u2015]|\n").search


def rows(text: str, run: list[Token], kind: RowKind, region: str) -> Iterator[tuple[int, int]]:
    """Where the items of one kind begin and end in a run of digits. The longest comes first, as a
    group may also be the beginning of something else.
    """
    begins, ends = _edges(text, run)
    first = 0
    while first < len(run):
        for last in range(min(len(run), first + LONGEST), first, -1):
            if last not in ends or len(number := _joined(run[first:last])) > LONGEST:
                continue
            if (extent := _extent(text, run, first, last, number, kind, region)) is not None:
                yield extent
                first = last
                break
        else:
            first = next(n for n in range(first + 1, len(run) + 1) if n in begins)


def _extent(
    text: str, run: list[Token], first: int, last: int, number: str, kind: RowKind, region: str
) -> tuple[int, int] | None:
    """Where an item begins and ends, if this row is one."""
    row = run[first:last]
    if _is_fraction(text, row):
        return None
    match kind:
        case "card":
            found = is_card(number) and not (
                _is_called(text, run, first, last)
                or (len(number) == SHORTEST_CARD and _is_rather_dialled(number, region))
            )
        case "ssn":
            found = _is_ssn(text, run, first, last) and not _is_called(text, run, first, last)
        case "phone":
            return _phone(text, run, first, last, region)
    return (row[0].start, row[-1].end) if found else None


def _edges(text: str, run: list[Token]) -> tuple[set[int], set[int]]:
    """Before which tokens a row may begin, and before which it may end: not between digits that
    come one by one, unless there are so many that more than a card may be among them.
    """
    inner = range(1, len(run))
    pauses = {n for n in inner if _PAUSE(text[run[n - 1].end : run[n].start])}
    if len(pauses) == len(inner):
        pauses = set()
    begins = {n for n in inner if not (_is_bit(run[n - 1]) and _is_bit(run[n]))}
    begins |= {0, len(run)} | pauses
    ends = set(begins)
    for begin, end in pairwise(sorted(begins)):
        if sum(len(token.text) for token in run[begin:end]) > _CARD_ALONE:
            ends |= set(range(begin + 1, end))
    return begins, ends


def _is_bit(token: Token) -> bool:
    """Whether this is one digit, or two or three that were said as "double" or "triple"."""
    return len(token.text) == 1 or token.end - token.start != len(token.text)


def _is_called(text: str, run: list[Token], first: int, last: int) -> bool:
    """Whether a row belongs to a telephone number that begins with + or 00."""
    if last > LONGEST:
        return False
    plus = _has_plus(text, run[0])
    whole = _joined(run[:last])
    if not plus and not whole.startswith("00"):
        return False
    if is_reachable(whole if plus else whole[2:]):
        return True
    return (
        first == 0
        and plus is not None
        and any(is_reachable(_joined(run[:n])) for n in range(1, last))
    )


def _is_rather_dialled(number: str, region: str) -> bool:
    """Whether a short number of a card is a telephone number, too: such cards are hardly issued."""
    return is_in_use(number) or is_dialled(number, region, grouped=False)


def _has_plus(text: str, token: Token) -> re.Match[str] | None:
    return _PLUS(text, max(0, token.start - _FAR), token.start)


def _is_fraction(text: str, row: list[Token]) -> bool:
    """Whether this is a number such as 1234.567890."""
    return len(row) == 2 and text[row[0].end : row[1].start] == "."


def _is_ssn(text: str, run: list[Token], first: int, last: int) -> bool:
    """Whether nine digits are one: in its three groups, or behind words that say so."""
    row = run[first:last]
    if not is_ssn(_joined(row)):
        return False
    start = row[0].start
    if _SSN_WORDS.search(text, max(0, start - _SSN_FAR), start):
        return True
    if any(map(_is_bit, row)):
        return _said_groups(text, row) == _SSN_GROUPS
    gaps = [text[left.end : right.start] for left, right in pairwise(row)]
    return _groups(row) == _SSN_GROUPS and all(map(_IN_SSN, gaps))


def _said_groups(text: str, row: list[Token]) -> tuple[int, ...]:
    """How many digits are said between one pause and the next."""
    sizes = [len(row[0].text)]
    for left, right in pairwise(row):
        if text[left.end : right.start].strip():
            sizes.append(0)
        sizes[-1] += len(right.text)
    return tuple(sizes)


def _phone(
    text: str, run: list[Token], first: int, last: int, region: str
) -> tuple[int, int] | None:
    """Where a telephone number begins and ends, if this row is one."""
    row = run[first:last]
    number = _joined(row)
    start, end = row[0].start, row[-1].end
    if len(number) not in _PHONE_LENGTHS or _DATE_OR_ADDRESS.search(text, max(0, start - 4), end):
        return None
    plus, groups = _has_plus(text, row[0]), _groups(row)
    if not (plus or groups in _AS_AMERICANS or _apart(text, run, first, last)):
        return None
    if not _in_one(text, row) or (plus is None and _DAY(" ".join(token.text for token in row))):
        return None
    if (extension := _EXTENSION(text, end)) is not None:
        end = extension.end()
    if plus is not None:
        return (plus.start(), end) if is_reachable(number) else None
    abroad = number.startswith("00") and is_reachable(number[2:])
    bits = all(map(_is_bit, row))
    if abroad or is_dialled(
        number, region, grouped=_well_grouped(row, number), led=len(row) > 1 and not bits
    ):
        return start - text.endswith("(", 0, start), end
    return None


def _in_one(text: str, row: list[Token]) -> bool:
    """Whether what is between the groups of a row may be within one telephone number: a list, a
    date or a span of time is none. Between digits that are said one by one, anything may be.
    """
    between = [
        text[left.end : right.start]
        for left, right in pairwise(row)
        if not (_is_bit(left) and _is_bit(right))
    ]
    if any(_IN_PHONE(gap) is None for gap in between):
        return False
    times = all(len(token.text) <= 2 for token in row) and len(between) == len(row) - 1
    return not (times and "." in between and " " in between)


def _well_grouped(row: list[Token], number: str) -> bool:
    """Whether a number that need not be in use begins and is grouped as telephone numbers are."""
    return len(row) > 1 and (number.startswith("0") or is_american(number))


def _apart(text: str, run: list[Token], first: int, last: int) -> bool:
    """Whether more than a space is between a part of a row of digits and the rest of it."""
    before = text[run[first - 1].end : run[first].start] if first else ","
    behind = text[run[last - 1].end : run[last].start] if last < len(run) else ","
    return all(_PAUSE(gap) for gap in (before, behind))


def _groups(row: list[Token]) -> tuple[int, ...]:
    return tuple(len(token.text) for token in row)


def _joined(row: list[Token]) -> str:
    return "".join(token.text for token in row)
