"""Telephone numbers as Twilio's webhooks give them, in `From` and `To`. Pure.

Source: Twilio documentation, TwiML voice; error 13214 (read in October 2026).
"""

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch

_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE, written with a telephone's keys."""


def is_number(text: str) -> bool:
    """Whether it is a number in E.164. Twilio writes a withheld number as a word, or as that
    word's digits; neither is one.
    """
    return bool(_E164(text)) and text not in _WITHHELD


def caller_id(calling: str, called: str) -> str | None:
    """What a transfer has to show as the caller's number; None where Twilio's default is right.

    By default Twilio shows `From`, and refuses to dial where that is no number (13214): for a
    caller who withholds it, or who calls from a SIP or browser phone. The called number may always
    be shown.
    """
    return called if not is_number(calling) and is_number(called) else None
