"""A number's webhooks at Twilio, the webhooks that it should have, and the changes between. Pure.

Source: Twilio's documentation, IncomingPhoneNumber resource (read in October 2026): a voice
application or a trunk takes precedence over all voice URLs, and setting one of them deletes the
other.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from telephony.errors import UsageError
from telephony.twilio.urls import STATUS_PATH, VOICE_PATH, callback_url

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
"""Fields of an IncomingPhoneNumber: the twilio library's name, and the name in messages."""

SHADOWS = ("voice_application_sid", "trunk_sid")

GROUPS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("voice_url",), ("voice_method",)),
    (("voice_fallback_url",), ("voice_fallback_method",)),
    (("status_callback",), ("status_callback_method",)),
    (SHADOWS, ()),
)
"""Fields that belong together: addresses, and the methods to request them."""

type Webhooks = Mapping[str, str]
"""Values of some or all of `FIELDS`; "" means not set."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the account.

    Args:
        sid: Its SID at Twilio, PN and 32 hex digits.
        phone_number: The number in E.164.
        friendly_name: Its name in the Console.
        webhooks: The values of all `FIELDS`.
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
    """The webhooks of a linked number.

    The fallback is the voice webhook too, because another worker behind the same address may
    succeed. The fragment of each address tells Twilio how to ask again.
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
    """The changes that give the number the wanted values."""
    return [
        Change(field, number.webhooks[field], after)
        for field, after in wanted.items()
        if number.webhooks[field] != after
    ]


def is_linked(number: Number, public_url: str) -> bool:
    """Whether a number calls the server. The fragments of the addresses do not matter."""
    return all(
        _without_retries(number.webhooks[field]) == _without_retries(after)
        for field, after in ours(public_url).items()
    )


def is_outdated(number: Number, public_url: str) -> bool:
    """Whether a linked number has other fragments than `ours`, because an earlier release linked
    it, or somebody changed it by hand.
    """
    return is_linked(number, public_url) and bool(changes(number, ours(public_url)))


def _without_retries(url: str) -> str:
    return url.partition("#")[0]


def e164(text: str) -> str:
    """A telephone number in E.164. Spaces, dots, dashes and brackets are removed.

    Raises:
        UsageError: The text is not a number.
    """
    number = re.sub(r"[ ().-]", "", text)
    if not _E164(number):
        raise UsageError(
            f"expected a number in E.164, such as +14155550199, got {text!r}; "
            "begin with + and the country code"
        )
    return number
