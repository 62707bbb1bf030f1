"""Recognises telephone numbers in the `From` and `To` of Twilio's webhooks. Pure.

Source: Twilio documentation, TwiML voice; error 13214 (read in October 2026).
"""

import re
from collections.abc import Mapping

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch

_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE, written with a telephone's keys."""


def is_number(text: str) -> bool:
    """Whether it is a number in E.164. Twilio writes a withheld number as a word, or as that
    word's digits; neither is one.
    """
    return bool(_E164(text)) and text not in _WITHHELD


def parties(form: Mapping[str, str]) -> tuple[str, str]:
    """Our own address in a call and the other party's, in this order; "" for one that is missing.

    Args:
        form: A voice webhook's fields. `Direction` says which of `From` and `To` is ours: it is
            `From` in a call that was placed by REST (`outbound-api`) or by a `<Dial>`.
    """
    calling, called = form.get("From", ""), form.get("To", "")
    outbound = form.get("Direction", "").startswith("outbound")
    return (calling, called) if outbound else (called, calling)


def caller_id(ours: str, theirs: str) -> str | None:
    """What a transfer has to show as the caller's number; None where Twilio's default is right.

    By default Twilio shows the other party's, and refuses to dial where that is no number (13214):
    for a caller who withholds it, or who calls from a SIP or browser phone. Our own number may
    always be shown.
    """
    return ours if not is_number(theirs) and is_number(ours) else None
