"""The numbers of an account in Twilio's REST API: bought, changed, listed in pages. Pure.

Source: Twilio's documentation, IncomingPhoneNumber resource, error codes (read in October 2026).
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from telephony.simulator.rest_calls import Wrong

PAGE_SIZE = 50

URLS = ("VoiceUrl", "VoiceFallbackUrl", "StatusCallback")
METHODS = ("VoiceMethod", "VoiceFallbackMethod", "StatusCallbackMethod")
SIDS = {"VoiceApplicationSid": "TrunkSid", "TrunkSid": "VoiceApplicationSid"}
"""Setting one of these deletes the other."""

_URL = re.compile(r"https?://[^\s/]+\S*").fullmatch

type Number = dict[str, str | None]
"""A number, with Twilio's field names."""


def bought(sid: str, account_sid: str, phone_number: str, fields: Mapping[str, str]) -> Number:
    """A number as if just bought, with some fields set."""
    return {
        "sid": sid,
        "account_sid": account_sid,
        "phone_number": phone_number,
        "friendly_name": phone_number,
        **{_resource_name(name): "" for name in URLS},
        **{_resource_name(name): "POST" for name in METHODS},
        **{_resource_name(name): None for name in SIDS},
        **fields,
    }


def change(number: Number, form: Mapping[str, str]) -> Wrong | None:
    """Change a number as a form says. Returns None, or the reason why nothing of it is done."""
    for name, value in form.items():
        if name in URLS and value and not _URL(value):
            return Wrong(21502, f"{name} is not a valid URL: {value}")
        if name in METHODS and value not in {"GET", "POST"}:
            return Wrong(21403, f"{name} is not a valid method: {value}")
    for name, value in form.items():
        if name in SIDS:
            number[_resource_name(name)] = value or None
            if value:
                number[_resource_name(SIDS[name])] = None
        elif name in (*URLS, *METHODS):
            number[_resource_name(name)] = value
    return None


def page_of(numbers: Sequence[Number], path: str, query: Mapping[str, str]) -> dict[str, object]:
    """A page of the numbers. Twilio finds all numbers that contain the given digits."""
    asked = query.get("PhoneNumber", "")
    found = [one for one in numbers if asked in str(one["phone_number"])]
    size, page = (
        int(query.get(name, default)) for name, default in (("PageSize", PAGE_SIZE), ("Page", 0))
    )
    more = (page + 1) * size < len(found)
    following = {**query, "PageSize": size, "Page": page + 1}
    return {
        "incoming_phone_numbers": found[page * size : (page + 1) * size],
        "page": page,
        "page_size": size,
        "next_page_uri": f"{path}?{urlencode(following)}" if more else None,
        "uri": path,
    }


def _resource_name(parameter: str) -> str:
    """``VoiceUrl`` is ``voice_url`` in the resource."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).lower()
