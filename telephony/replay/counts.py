"""Writes lists of small numbers as short text: `20*40 21 19` is forty 20s, a 21 and a 19."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby

_PART = re.compile(r"(-?[0-9]{1,18})(?:\*([0-9]{1,9}))?")


def pack(numbers: Iterable[int]) -> str:
    """Write whole numbers, with equal neighbours joined."""
    groups = ((number, sum(1 for _ in same)) for number, same in groupby(numbers))
    return " ".join(str(number) if n == 1 else f"{number}*{n}" for number, n in groups)


@lru_cache(maxsize=1_000)  # cached, because most of these texts come again and again
def unpack(text: str, limit: int) -> Sequence[int]:
    """Read what `pack` wrote.

    Args:
        text: The numbers.
        limit: The most numbers that are allowed.

    Raises:
        ValueError: The text has another form, or more numbers.
    """
    numbers: list[int] = []
    for part in text.split(" ") if text else ():
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"expected numbers such as '20*40 21 19', got {text!r}")
        n = int(match[2] or 1)
        if n > limit - len(numbers):
            raise ValueError(f"expected {limit} numbers at most, got {text!r}")
        numbers += [int(match[1])] * n
    return tuple(numbers)
