"""Recognises telephone numbers in the `From` and `To` of Twilio's webhooks. Pure.

Source: Twilio documentation, TwiML voice; error 13214 (read in October 2026).
"""

import re
from collections.abc import Mapping

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch

_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, spelled on a telephone's keys."""


def is_number(text: str) -> bool:
    """Whether this is a number in E.164. For a withheld number Twilio sends a word, or the word's
    digits; neither counts.
    """
    return bool(_E164(text)) and text not in _WITHHELD


def is_placed(form: Mapping[str, str]) -> bool:
    """Whether we placed the call of a voice webhook, by REST or by a `<Dial>`."""
    return form.get("Direction", "").startswith("outbound")


def parties(form: Mapping[str, str]) -> tuple[str, str]:
    """Our own number in a call and the other party's, in this order; "" for a missing one.

    Args:
        form: A voice webhook's fields. `Direction` says which of `From` and `To` is ours: it is
            `From` in a call that was placed by REST (`outbound-api`) or by a `<Dial>`.
    """
    calling, called = form.get("From", ""), form.get("To", "")
    return (calling, called) if is_placed(form) else (called, calling)


def known_party(form: Mapping[str, str]) -> str:
    """The other party's number, or its SIP or client address; "" if it is withheld.

    Args:
        form: As for `parties`.
    """
    theirs = parties(form)[1]
    return theirs if is_number(theirs) or theirs.startswith(("client:", "sip:")) else ""


def caller_id(ours: str, theirs: str) -> str | None:
    """The number that a transfer must show as the caller's; None if Twilio's default is right.

    By default Twilio shows the caller's number, and refuses to dial if it is not a number (13214),
    such as for a withheld number, or a SIP or browser phone. Our own number may always be shown.
    """
    return ours if not is_number(theirs) and is_number(ours) else None
