"""Tells whether stored arguments, in which items may be masked, may be those of a new call.

A store keeps ``{"card":"[card number]"}``, so after a change of the worker nobody knows which card
that was. Whatever could stand in the place of the mask counts as equal: an act that should have run
is then not run, which the model is told, but none runs twice. No digest of the item is kept to tell
more: whoever has the store could find a card or a telephone number by trying them all.
"""

import json
import re
from typing import Any

MASKS = (
    "[card number]",
    "[social security number]",
    "[account number]",
    "[e-mail address]",
    "[phone number]",
)
"""What stands in the place of an item; see `agent.privacy.items`."""

SHORTEST = len("x@y.de")
"""No item has fewer characters."""

_MASK = re.compile("|".join(map(re.escape, MASKS)))


def alike(stored: str, arguments: str) -> bool:
    """Whether a call that is stored with some arguments may have had these.

    Args:
        stored: As JSON, masked or not.
        arguments: As JSON, not masked.
    """
    if stored == arguments:
        return True
    return _MASK.search(stored) is not None and _may_be(json.loads(stored), json.loads(arguments))


def _may_be(stored: Any, value: Any) -> bool:
    match stored, value:
        case str(), str():
            return stored == value or _fits(_MASK.split(stored), value)
        case str(), int() | float() if not isinstance(value, bool):
            return _fits(_MASK.split(stored), str(value))
        case list(), list():
            return len(stored) == len(value) and all(map(_may_be, stored, value))
        case dict(), dict():
            kept, new = list(stored.items()), list(value.items())
            met = [[_may_be(k, n) and _may_be(x, y) for n, y in new] for k, x in kept]
            return all(map(any, met)) and all(map(any, zip(*met, strict=True)))
        case _:
            return type(stored) is type(value) and bool(stored == value)


def _fits(parts: list[str], text: str) -> bool:
    """Whether a text is these parts, in this order, with an item between each and the next."""
    first, *others = parts
    if not others or not text.startswith(first):
        return False
    at = len(first)
    *between, last = others
    for part in between:
        if (found := text.find(part, at + SHORTEST)) < 0:
            return False
        at = found + len(part)
    return text.endswith(last) and len(text) - len(last) - at >= SHORTEST
