"""What a telephone makes a link of in a text, and which part of it says where it leads. Pure."""

import re
import unicodedata
from collections.abc import Iterator

_SCHEMES = r"(?:mailto|tel|sms|smsto|mms|geo|market|intent|javascript|data):"

_LINK = re.compile(
    r"://"
    r"|www\."
    rf"|{_SCHEMES}"
    r"|[^@]@[^@]"
    r"|[^.](?:\.[^\W\d_]{2}|\.xn--|。[a-z0-9]{2})"
    r"|\d{1,3}(?:\.\d{1,3}){3}"
)
"""What makes a word of a `plain` text a link."""

_WORD = re.compile(r"\S+")
_ALL_ADDRESS = re.compile(_SCHEMES).search
_BEHIND = re.compile(r"[/?#]")


def plain(text: str) -> str:
    """A text as links are looked for in it: normalised (NFKC) and folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def links(text: str) -> Iterator[tuple[int, int]]:
    """Where the words of a `plain` text begin and end that have a link in them."""
    return (word.span() for word in _WORD.finditer(text) if _LINK.search(word[0]))


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where the parts of a `plain` text begin and end that say where its links lead: each link up
    to its path or query.
    """
    for begins, ends in links(text):
        word = text[begins:ends]
        host = word.find("://") + 3 if "://" in word else 0
        behind = None if _ALL_ADDRESS(word) else _BEHIND.search(word, host)
        yield begins, ends if behind is None else begins + behind.start()
