"""Addresses that settings give: what each must look like.

A check returns the address as it is used. It raises ValueError for one that it refuses; the message
says what was expected, and never shows a password.
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

PLAIN = re.compile(r"[!-~]+").fullmatch
"""Matches visible ASCII characters without spaces."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_SIP = re.compile(r"sips?:[!-;=?A-~]+@[!-;=?A-~]+").fullmatch
_OWN_PATH = re.compile(r"/(twilio/[a-z-]+|healthz|readyz|metrics)$").search
"""One of the server's own paths at the end of PUBLIC_URL: it was copied with the address."""


def https(value: str, *, or_http: bool = False) -> str:
    """An https address without user name, query and fragment, and without a slash at its end.

    Args:
        value: As it was given.
        or_http: Whether it may be an http address, too.
    """
    parts = urlsplit(value)
    if parts.username or parts.password:
        raise ValueError("expected an address without a user name or password")
    schemes = ("https", "http") if or_http else ("https",)
    if parts.scheme not in schemes or not parts.hostname or not PLAIN(value):
        raise ValueError(f"expected an address such as https://voice.example.com, got {value!r}")
    if parts.query or parts.fragment:
        raise ValueError(f"expected an address without query or fragment, got {value!r}")
    return value.rstrip("/")


def of_this_server(value: str) -> str:
    """An https address, as `https` has it, without one of the server's own paths."""
    value = https(value)
    if (ours := _OWN_PATH(value)) is not None:
        raise ValueError(
            f"expected the address of this server alone, got {value!r}; "
            f"leave out {ours[0]!r}, which offhook adds itself: {value[: ours.start()]}"
        )
    return value


def dialable(value: str) -> str:
    """A phone number or a SIP address."""
    if not (_E164(value) or _SIP(value)):
        raise ValueError(
            f"expected a number such as +15551234567, or an address such as "
            f"sip:desk@example.com, got {value!r}"
        )
    return value


def redis(value: str) -> str:
    """The address of a Redis server. It may hold a password."""
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("expected an address that begins with redis://, rediss:// or unix://")
    return value


def posted_to(value: str) -> str:
    """An address to which calls are posted: https, or http on this machine. It may hold a token."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        fits = parts.port != 0 and bool(host) and not parts.fragment and PLAIN(value)
    except ValueError:  # a malformed host or port
        fits, host = None, ""
    if not fits or parts.username or parts.password:
        raise ValueError(
            "expected an address such as https://example.com/calls, without a user name or "
            "password (not shown)"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(
            "expected an address that begins with https://; http:// is only for this machine, "
            "such as http://127.0.0.1:9000/calls"
        )
    return value


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
