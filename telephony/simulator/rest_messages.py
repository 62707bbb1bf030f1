"""Reads a text message that Twilio's REST API is asked to send, by Twilio's rules. Pure.

Source: Twilio's documentation, Message resource, error codes (read in October 2026).
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from telephony.simulator.rest_calls import Wrong

BODY_LIMIT_CHARS = 1_600

NO_TO, BAD_TO, NO_BODY, NO_FROM, NOT_OURS, OPTED_OUT, TOO_LONG = (
    *(21604, 21211, 21602, 21603, 21606, 21610, 21617),
)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was taken.

    Args:
        sid: Its SID, a new one.
        to: Whom it goes to.
        calling: The number that sends it.
        body: Its text.
    """

    sid: str
    to: str
    calling: str
    body: str


def read_message(
    form: Mapping[str, str], ours: frozenset[str], opted_out: frozenset[str]
) -> SentMessage | Wrong:
    """Read the form of a request.

    Args:
        form: Its fields.
        ours: The account's numbers.
        opted_out: Whoever has answered STOP.
    """
    to, calling, body = (form.get(name, "") for name in ("To", "From", "Body"))
    if not to:
        return Wrong(NO_TO, "A 'To' phone number is required.")
    if not calling:
        return Wrong(NO_FROM, "A 'From' phone number is required.")
    if not body:
        return Wrong(NO_BODY, "Message body is required.")
    if not _E164(to):
        return Wrong(BAD_TO, f"The 'To' number {to} is not a valid phone number.")
    if calling not in ours:
        return Wrong(NOT_OURS, f"The 'From' number {calling} is not one of this account's.")
    if len(body) > BODY_LIMIT_CHARS:
        return Wrong(TOO_LONG, f"The message has more than {BODY_LIMIT_CHARS} characters.")
    if to in opted_out:
        return Wrong(OPTED_OUT, "Attempt to send to unsubscribed recipient")
    return SentMessage(f"SM{secrets.token_hex(16)}", to, calling, body)
