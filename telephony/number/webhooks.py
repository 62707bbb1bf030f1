"""A number's webhooks at Twilio, the webhooks that it should have, and the changes between. Pure.

Source: Twilio's documentation, IncomingPhoneNumber resource (read in October 2026): a voice
application or a trunk takes precedence over all voice URLs, and setting one of them deletes the
other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from telephony.errors import UsageError
from telephony.twilio.twiml import STATUS_PATH, VOICE_PATH, callback_url

FIELDS = {
    "voice_url": "voice URL",
    "voice_method": "voice method",
    "voice_fallback_url": "fallback URL",
    "voice_fallback_method": "fallback method",
    "status_callback": "status callback",
    "status_callback_method": "status callback method",
    "voice_application_sid": "voice application",
    "trunk_sid": "trunk",
}
"""Of an IncomingPhoneNumber, by the twilio library's names; and what to call them."""

SHADOWS = ("voice_application_sid", "trunk_sid")

GROUPS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("voice_url",), ("voice_method",)),
    (("voice_fallback_url",), ("voice_fallback_method",)),
    (("status_callback",), ("status_callback_method",)),
    (SHADOWS, ()),
)
"""What only makes sense together: who is called, and how."""

type Webhooks = Mapping[str, str]
"""Values of some or all of `FIELDS`; "" is not set."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the account.

    Args:
        sid: Twilio's name for it, PN and 32 hex digits.
        phone_number: In E.164.
        friendly_name: What the Console calls it.
        webhooks: All of `FIELDS`.
    """

    sid: str
    phone_number: str
    friendly_name: str
    webhooks: Webhooks

    @property
    def shadow(self) -> str:
        """What answers instead of the voice URL, such as ``trunk TK…``, or ""."""
        for field in SHADOWS:
            if self.webhooks[field]:
                return f"{FIELDS[field]} {self.webhooks[field]}"
        return ""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a number that is not what it should be."""

    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{FIELDS[self.field]}: {self.before or '(none)'} -> {self.after or '(none)'}"


def ours(public_url: str) -> dict[str, str]:
    """What a linked number has.

    The fallback is the voice webhook again: behind one address there are several workers, and
    another one may do better. Each address says by its fragment how Twilio is to ask again.
    """
    voice_url = callback_url(public_url, VOICE_PATH)
    return {
        "voice_url": voice_url,
        "voice_method": "POST",
        "voice_fallback_url": voice_url,
        "voice_fallback_method": "POST",
        "status_callback": callback_url(public_url, STATUS_PATH),
        "status_callback_method": "POST",
    }


def changes(number: Number, wanted: Webhooks) -> list[Change]:
    """What has to change for the number to have all that is wanted."""
    return [
        Change(field, number.webhooks[field], after)
        for field, after in wanted.items()
        if number.webhooks[field] != after
    ]


def is_linked(number: Number, public_url: str) -> bool:
    """Whether a number calls the server, however Twilio is told to ask again."""
    return all(
        _without_retries(number.webhooks[field]) == _without_retries(after)
        for field, after in ours(public_url).items()
    )


def is_outdated(number: Number, public_url: str) -> bool:
    """Whether a linked number was linked by an earlier release, or changed by hand since: it tells
    Twilio otherwise, or nothing, of how to ask again.
    """
    return is_linked(number, public_url) and bool(changes(number, ours(public_url)))


def _without_retries(url: str) -> str:
    return url.partition("#")[0]


def e164(text: str) -> str:
    """A telephone number in E.164; spaces, dots, dashes and brackets are taken out.

    Raises:
        UsageError: It is none.
    """
    number = re.sub(r"[ ().-]", "", text)
    if not _E164(number):
        raise UsageError(
            f"expected a number in E.164, such as +14155550199, got {text!r}; "
            "begin with + and the country code"
        )
    return number
