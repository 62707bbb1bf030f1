"""Decides which calls are recorded, from the setting `RECORD_CALLS`."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

_NUMBER = re.compile(r"\+[0-9]{3,15}")
_SHARE = re.compile(r"0?\.[0-9]{1,6}|[01](\.0{1,6})?")


@dataclass(frozen=True, slots=True)
class Selection:
    """A choice of calls.

    Args:
        share: The share of all calls, from 0 to 1. The CallSid decides, so that all workers of a
            call choose the same.
        numbers: Calls from or to these numbers are recorded too, in E.164: ``+15550100``.
    """

    share: float = 1.0
    numbers: frozenset[str] = frozenset()

    def wants(self, call_sid: str, numbers: Collection[str] = ()) -> bool:
        """Whether to record a call from and to these numbers, if they are known."""
        drawn = int.from_bytes(sha256(call_sid.encode()).digest()[:4]) / 2**32
        return drawn < self.share or not self.numbers.isdisjoint(numbers)


ALL = Selection()
NONE = Selection(0.0)


def parse(text: str) -> Selection:
    """Read `all`, a share such as `0.05`, or numbers with commas between.

    Raises:
        ValueError: The text has none of these forms.
    """
    text = text.strip()
    if text == "all":
        return ALL
    if _SHARE.fullmatch(text):
        return Selection(float(text))
    numbers = frozenset(number.strip() for number in text.split(","))
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        raise ValueError(
            f"expected `all`, a share such as 0.05, or numbers such as +15550100,+15550101, "
            f"got {text!r}"
        )
    return Selection(0.0, numbers)
