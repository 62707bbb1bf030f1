"""Finds the line of each key in a TOML file. The standard library's parser does not tell it.

The text must be valid TOML: this only looks for keys, and skips values.
"""

import re
from collections.abc import Iterator

type Key = tuple[str | int, ...]
"""A way into the file: the keys of tables, and the indexes of arrays, from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_SKIPPED = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_STRINGS = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)
_PLAIN = re.compile(r"[^\s,\]\}#]+(?: [0-9][^\s,\]\}#]*)?")


def places(text: str) -> dict[Key, int]:
    """The line, from 1, on which each key and each element of an array stands.

    Args:
        text: Valid TOML.
    """
    found: dict[Key, int] = {}
    for key, at in _Reader(text).found():
        found.setdefault(key, text.count("\n", 0, at) + 1)
    return found


def line_of(key: Key, found: dict[Key, int]) -> int:
    """The line of `key`, or of the table in which it is missing; 1 for the file itself.

    A table without a header of its own is where the first one in it is.
    """
    for length in range(len(key), 0, -1):
        way = key[:length]
        if lines := [line for each, line in found.items() if each[:length] == way]:
            return found.get(way, min(lines))
    return 1


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tables: dict[Key, int] = {}
        """How many tables each array of tables has so far."""

    def found(self) -> Iterator[tuple[Key, int]]:
        table: Key = ()
        while self._skip(_SKIPPED) < len(self._text):
            begins = self._at
            if self._text.startswith("[", begins):
                double = self._text.startswith("[[", begins)
                self._at += 1 + double
                table = self._resolved(self._dotted(), opens=double)
                self._at = self._text.index("]", self._at) + 1 + double
                yield table[:-1] if double else table, begins
                if double:
                    yield table, begins
            else:
                yield from self._pair(table)

    def _resolved(self, key: Key, *, opens: bool) -> Key:
        """The key of a header: tables in arrays are meant by the last one."""
        way: Key = ()
        for n, part in enumerate(key):
            way += (part,)
            if opens and n == len(key) - 1:
                self._tables[way] = self._tables.get(way, 0) + 1
            if way in self._tables:
                way += (self._tables[way] - 1,)
        return way

    def _pair(self, table: Key) -> Iterator[tuple[Key, int]]:
        begins = self._at
        key = table + self._dotted()
        yield key, begins
        self._skip(_BLANK)
        self._at += 1  # the equals sign
        yield from self._value(key)

    def _dotted(self) -> Key:
        parts: list[str | int] = []
        while True:
            self._skip(_BLANK)
            found = _QUOTED.match(self._text, self._at) or _BARE.match(self._text, self._at)
            if found is None:  # only if the text is not TOML
                return tuple(parts)
            parts.append(found[0].strip("\"'"))
            self._at = found.end()
            self._skip(_BLANK)
            if not self._text.startswith(".", self._at):
                return tuple(parts)
            self._at += 1

    def _value(self, key: Key) -> Iterator[tuple[Key, int]]:
        self._skip(_BLANK)
        match self._text[self._at : self._at + 1]:
            case "[":
                self._at += 1
                yield from self._elements(key)
            case "{":
                self._at += 1
                yield from self._members(key)
            case _:
                found = _STRINGS.match(self._text, self._at) or _PLAIN.match(self._text, self._at)
                self._at = found.end() if found is not None else len(self._text)

    def _elements(self, key: Key) -> Iterator[tuple[Key, int]]:
        n = 0
        while self._more("]"):
            yield (*key, n), self._at
            yield from self._value((*key, n))
            n += 1

    def _members(self, key: Key) -> Iterator[tuple[Key, int]]:
        while self._more("}"):
            yield from self._pair(key)

    def _more(self, end: str) -> bool:
        """Go on to the next element; False behind the end."""
        self._skip(_SKIPPED)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_SKIPPED)
        if self._at >= len(self._text):
            return False
        if self._text.startswith(end, self._at):
            self._at += 1
            return False
        return True

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at
        return self._at
