"""Reads a text message that Twilio's REST API is asked to send, by Twilio's rules. Pure.

    accepted ──▶ queued ──▶ sent ──▶ delivered          all of it may end at `sent`
    (a service's)  └▶ failed  └────▶ undelivered

Source: Twilio's documentation, Message resource, error codes (read in November 2026); 3GPP TS
23.038 for the letters of a message.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from telephony.simulator.elements import Request
from telephony.simulator.rest_calls import Wrong

type MessageStatus = Literal["accepted", "queued", "sent", "delivered", "undelivered", "failed"]

BODY_LIMIT_CHARS = 1_600

NO_TO, BAD_TO, NO_BODY, NO_FROM, NOT_OURS, OPTED_OUT, TOO_LONG = (
    *(21604, 21211, 21602, 21603, 21606, 21610, 21617),
)
NOT_MOBILE, BAD_CALLBACK, NO_SERVICE = 21614, 21609, 21701

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_SERVICE = re.compile(r"MG[0-9a-f]{32}").fullmatch
_URL = re.compile(r"https?://[^\s/]+\S*").fullmatch

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
"""Letters that take the room of two."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that was taken.

    Args:
        sid: Its SID, a new one.
        to: Whom it goes to.
        calling: The number that sends it; "" if a service chooses one.
        body: Its text.
        service: The messaging service that sends it, or "".
        status: How it goes.
        error: Twilio's error code if it was not delivered, or 0.
        callback: What is told how it goes.
    """

    sid: str
    to: str
    calling: str
    body: str
    service: str = ""
    status: MessageStatus = "queued"
    error: int = 0
    callback: Request | None = None

    def became(self, status: MessageStatus, error: int = 0) -> "SentMessage":
        """The message with another status."""
        return replace(self, status=status, error=error)


def segments(body: str) -> int:
    """In how many parts a text is sent."""
    if _GSM.union(_GSM_TWICE).issuperset(body):
        room, alone, each = sum(1 + (letter in _GSM_TWICE) for letter in body), 160, 153
    else:
        room, alone, each = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if room <= alone else -(-room // each)


def read_message(
    form: Mapping[str, str],
    ours: frozenset[str],
    opted_out: frozenset[str],
    landlines: frozenset[str] = frozenset(),
) -> SentMessage | Wrong:
    """Read the form of a request.

    Args:
        form: Its fields.
        ours: The account's numbers.
        opted_out: Whoever has answered STOP.
        landlines: The numbers that take no messages.
    """
    to, calling, body = (form.get(name, "") for name in ("To", "From", "Body"))
    service, callback = form.get("MessagingServiceSid", ""), form.get("StatusCallback", "")
    if not to:
        return Wrong(NO_TO, "A 'To' phone number is required.")
    if not calling and not service:
        return Wrong(NO_FROM, "A 'From' phone number is required.")
    if not body:
        return Wrong(NO_BODY, "Message body is required.")
    if not _E164(to):
        return Wrong(BAD_TO, f"The 'To' number {to} is not a valid phone number.")
    if calling and calling not in ours:
        return Wrong(NOT_OURS, f"The 'From' number {calling} is not one of this account's.")
    if service and not _SERVICE(service):
        return Wrong(NO_SERVICE, f"The Messaging Service {service} does not exist.")
    if callback and not _URL(callback):
        return Wrong(BAD_CALLBACK, f"The 'StatusCallback' URL {callback} is not a valid URL.")
    if len(body) > BODY_LIMIT_CHARS:
        return Wrong(TOO_LONG, f"The message has more than {BODY_LIMIT_CHARS} characters.")
    if to in landlines:
        return Wrong(NOT_MOBILE, f"'To' number is not a mobile number: {to}")
    if to in opted_out:
        return Wrong(OPTED_OUT, "Attempt to send to unsubscribed recipient")
    return SentMessage(
        f"SM{secrets.token_hex(16)}",
        to,
        calling,
        body,
        service,
        "accepted" if service else "queued",
        callback=Request(callback) if callback else None,
    )


def resource(message: SentMessage, account_sid: str) -> dict[str, object]:
    """A message as the API shows it."""
    return {
        "sid": message.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "to": message.to,
        "from": message.calling or None,
        "messaging_service_sid": message.service or None,
        "body": message.body,
        "status": message.status,
        "direction": "outbound-api",
        "error_code": message.error or None,
        "error_message": None,
        "num_media": "0",
        "num_segments": "0" if message.status == "accepted" else str(segments(message.body)),
        "price": None,
        "price_unit": "USD",
    }


def callback_params(message: SentMessage, account_sid: str) -> dict[str, str]:
    """The parameters of a message's status callback."""
    params = {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "From": message.calling,
        "MessageSid": message.sid,
        "MessageStatus": message.status,
        "SmsSid": message.sid,
        "SmsStatus": message.status,
        "To": message.to,
    }
    if message.service:
        params["MessagingServiceSid"] = message.service
    if message.error:
        params["ErrorCode"] = str(message.error)
    return params
