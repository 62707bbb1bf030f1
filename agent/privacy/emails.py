"""Finds e-mail addresses: with @, or said, as in "kim at example dot com".

Only what is near an @ or an "at" is looked at, so that a long text takes no longer than its length.
"""

import re
from collections.abc import Iterator

EMAIL = re.compile(r"[^\s@<>\"'(),;:]{1,64}(?:@|%40)[^\s@<>\"'(),;:/]{1,253}\.\w{2,63}")
"""An address as it is written."""

MAY_HAVE = re.compile(r"@|%40|\bat\b", re.IGNORECASE).search
"""Whether there may be an address in a text."""

FARTHEST = 254
"""So many characters has the longest address."""

_LONGEST_SAID = 80
"""So many characters of an address may be said before "at"."""

_WRITTEN_AT = re.compile("@|%40")
_BACKWARDS = re.compile(r"[^\s@<>\"'(),;:]+").match
_DOMAIN = re.compile(r"[^\s@<>\"'(),;:/]{1,253}\.\w{2,63}").match

_SAID_AT = re.compile(r"\bat\b", re.IGNORECASE)
_JOINT = r"(?:dot|point|underscore|dash|hyphen|minus|plus)"
_BEFORE_AT = re.compile(
    r"(?<![^\s(])(?:\w[ -]{1,3}){0,40}[\w.+-]{1,64}"
    rf"(?: {_JOINT} [\w.+-]{{1,64}}){{0,9}} $",
    re.IGNORECASE,
).search
_BEHIND_AT = re.compile(
    r" (?:\w[ -]{1,3}){0,63}[\w-]{1,63}(?:(?: dot |\.)[\w-]{1,63}){0,9}(?: dot |\.)[a-z]{2,63}\b",
    re.IGNORECASE,
).match

_OF_WEB = re.compile(r" (?:www|w w w|double u double u double u)\b", re.IGNORECASE).match
"""How the address of a site begins, and no domain of e-mail."""

_BEFORE_SITES = (
    "a all also am and anything apply are available be been blog bought browse buy buying check "
    "checked click directly download everything find finds found get go got had have he her here "
    "him i in is it items listed listen live login look looked looking looks me menu more now of "
    "on online only order ordered or out page pay posted prices products read register search see "
    "seen sell she shop shopped shopping shops sign site sold something start store stuff that "
    "the them there they these this those tickets today try up us visit visited was watch we "
    "website were work worked working works you"
)
_PLACED = frozenset(_BEFORE_SITES.split())
"""Words before "at" behind which a site is named, or a place, and hardly an address."""

_NAMED = re.compile(r"\b(?:e-?mail|address)(?: \w{1,12})? is $", re.IGNORECASE).search
_NAMED_FAR = 40


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where the addresses in a text begin and end."""
    for at in _WRITTEN_AT.finditer(text):
        before = _BACKWARDS(_near(text, at.start() - FARTHEST, at.start())[::-1])
        behind = _DOMAIN(_near(text, at.end(), at.end() + FARTHEST))
        if before is not None and behind is not None:
            yield at.start() - before.end(), at.end() + behind.end()
    for at in _SAID_AT.finditer(text):
        if (behind := _BEHIND_AT(_near(text, at.end(), at.end() + FARTHEST))) is None:
            continue
        said = _near(text, at.start() - _LONGEST_SAID, at.start())
        if (before := _BEFORE_AT(said)) is None:
            continue
        start = at.start() - len(said) + before.start()
        if not _is_site(text, start, before[0], behind[0]):
            yield start, at.end() + behind.end()


def _near(text: str, start: int, end: int) -> str:
    return text[max(0, start) : end]


def _is_site(text: str, start: int, before: str, behind: str) -> bool:
    """Whether somebody is told of a site: "shop at example dot com"."""
    if _OF_WEB(behind) is not None:
        return True
    *others, last = before.lower().split()
    alone = all(len(word) == 1 for word in others)
    return alone and last in _PLACED and not _NAMED(_near(text, start - _NAMED_FAR, start))
