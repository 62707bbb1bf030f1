"""A list of numbers that are never called, from a text file. Pure.

# a comment
+14155550123            one number
+1415555*               every number that begins so
+14155550124  asked on 30 November 2026 not to be called again
"""

import re

_LINE = re.compile(r"(\+[1-9][0-9]{0,14})(\*?)(?:\s.*)?", re.ASCII).fullmatch


class DoNotCall:
    """The list.

    Args:
        numbers: Numbers in E.164.
        beginnings: The beginnings of numbers.
    """

    def __init__(
        self, numbers: frozenset[str] = frozenset(), beginnings: tuple[str, ...] = ()
    ) -> None:
        self._numbers, self._beginnings = numbers, beginnings

    def __len__(self) -> int:
        return len(self._numbers) + len(self._beginnings)

    def __contains__(self, number: str) -> bool:
        return number in self._numbers or number.startswith(self._beginnings)


NOBODY = DoNotCall()


def read(text: str) -> DoNotCall:
    """Read a list.

    Raises:
        ValueError: A line is none of this. The message has its number, and not what it says, which
            is a person's.
    """
    numbers: set[str] = set()
    beginnings: list[str] = []
    for at, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip().lstrip("\ufeff")
        if not entry:
            continue
        found = _LINE(entry)
        if found is None or (not found[2] and len(found[1]) < 8):
            raise ValueError(
                f"line {at}: expected a telephone number such as +14155550123, or the beginning of "
                "numbers such as +1415555*, without spaces among its digits (not shown)"
            )
        if found[2]:
            beginnings.append(found[1])
        else:
            numbers.add(found[1])
    return DoNotCall(frozenset(numbers), tuple(beginnings))
