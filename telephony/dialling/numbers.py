"""What a telephone number is: its country, its kind and its time zones, by Google's metadata. Pure.

Source: the package phonenumbers, a port of libphonenumber. A number that was carried to another
country or another kind of line keeps the country and the kind of its digits.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from phonenumbers import (
    NumberParseException,
    PhoneNumberType,
    is_valid_number,
    number_type,
    parse,
    region_code_for_number,
)
from phonenumbers.timezone import time_zones_for_number

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII).fullmatch

UNKNOWN_ZONE = "Etc/Unknown"


class Kind(StrEnum):
    """The kinds of lines."""

    FIXED_LINE = "fixed line"
    MOBILE = "mobile"
    FIXED_LINE_OR_MOBILE = "fixed line or mobile"
    VOIP = "internet telephone"
    TOLL_FREE = "toll-free"
    PREMIUM_RATE = "premium rate"
    SHARED_COST = "shared cost"
    PERSONAL_NUMBER = "personal number"
    PAGER = "pager"
    UAN = "company number"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


_KINDS = {getattr(PhoneNumberType, kind.name): kind for kind in Kind if kind is not Kind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Number:
    """A telephone number that can exist.

    Args:
        e164: The number, such as ``"+14155550123"``.
        region: The ISO code of its country; "" if it is of none, such as a satellite telephone.
        kind: Its kind.
        zones: Every time zone in which it may be, sorted; empty if nobody knows.
    """

    e164: str
    region: str
    kind: Kind
    zones: tuple[str, ...]


def look_up(text: str) -> Number | None:
    """The number that a text is; None if it is no number in E.164, or no such number can exist."""
    if not _E164(text):
        return None
    try:
        number = parse(text, None)
    except NumberParseException:
        return None
    if not is_valid_number(number):
        return None
    region = region_code_for_number(number) or ""
    zones = {zone for zone in time_zones_for_number(number) if zone != UNKNOWN_ZONE}
    return Number(
        text,
        region if region.isalpha() else "",  # "001" stands for no country
        _KINDS.get(number_type(number), Kind.UNKNOWN),
        tuple(sorted(zones)),
    )
