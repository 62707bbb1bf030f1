"""How long a text message is. Pure.

Source: 3GPP TS 23.038, the default alphabet and its extension table.
"""

from collections.abc import Sequence

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Characters that take the place of two."""

_GSM_7, _UCS_2 = (160, 153), (70, 67)
"""How many units a message holds: alone, and as one of several segments."""


def segments(text: str) -> int:
    """How many segments a message takes. A character is never cut in two."""
    if all(each in _BASIC or each in _EXTENDED for each in text):
        return _packed([2 if each in _EXTENDED else 1 for each in text], *_GSM_7)
    return _packed([2 if ord(each) > 0xFFFF else 1 for each in text], *_UCS_2)


def _packed(units: Sequence[int], alone: int, each: int) -> int:
    if sum(units) <= alone:
        return 1
    count, room = 1, each
    for unit in units:
        if unit > room:
            count, room = count + 1, each
        room -= unit
    return count
