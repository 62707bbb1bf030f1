"""Reads a call that Twilio's REST API is asked to place, by Twilio's rules. Pure.

Source: Twilio's documentation, Call resource, error codes (read in October 2026). A value of
StatusCallbackEvent that does not exist gives error 21626 in the Console, and no callbacks at all.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from telephony.simulator.elements import Request
from telephony.simulator.faults import ProgressEvent

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
RING_S = 60
LONGEST_RING_S = 600

NO_TO, BAD_TO, NO_FROM, NOT_OURS, BAD_URL, BAD_VALUE = 21201, 21211, 21213, 21210, 21205, 20422

_URL = re.compile(r"https?://[^\s/]+\S*").fullmatch
_ADDRESS = re.compile(r"sips?:[^\s@]+@[^\s@]+|client:\S+").fullmatch
_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that was placed.

    Args:
        sid: Its CallSid, a new one.
        to: Whom it calls.
        calling: The number that calls.
        voice: What is asked once somebody has answered.
        fallback: What is asked if that fails.
        status: What is told how the call goes.
        events: What of it is told.
        ring_s: How long it rings.
        answered_by: What is told who has answered, where a machine is looked for beside the call.
        waits: Whether a machine is looked for before the document is asked for.
    """

    sid: str
    to: str
    calling: str
    voice: Request
    fallback: Request | None
    status: Request | None
    events: tuple[ProgressEvent, ...]
    ring_s: int
    answered_by: Request | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a call is not placed: Twilio's error code and message."""

    code: int
    message: str


def read_placed(
    form: Mapping[str, str], repeated: Mapping[str, tuple[str, ...]], ours: frozenset[str]
) -> PlacedCall | Wrong:
    """Read the form of a request.

    Args:
        form: Its fields.
        repeated: Every value of each field.
        ours: The account's numbers.
    """
    to, calling, ring_s = form.get("To", ""), form.get("From", ""), form.get("Timeout", str(RING_S))
    if not to:
        return Wrong(NO_TO, "No 'To' number is specified")
    if not _E164(to) and not _ADDRESS(to):
        return Wrong(BAD_TO, f"The phone number you are attempting to call, {to}, is not valid.")
    if not calling:
        return Wrong(NO_FROM, "No 'From' number is specified")
    if calling not in ours:
        return Wrong(NOT_OURS, f"The source phone number provided, {calling}, is not yet verified")
    for name in ("Url", "FallbackUrl", "StatusCallback"):
        if (name == "Url" or form.get(name)) and not _URL(form.get(name, "")):
            return Wrong(BAD_URL, f"{name} is not a valid URL: {form.get(name, '')}")
    if not ring_s.isdecimal() or not 1 <= int(ring_s) <= LONGEST_RING_S:
        return Wrong(BAD_VALUE, f"Timeout is 1 to {LONGEST_RING_S} seconds, not {ring_s}")
    looks, beside = bool(form.get("MachineDetection")), form.get("AsyncAmd") == "true"
    if looks and form["MachineDetection"] not in {"Enable", "DetectMessageEnd"}:
        return Wrong(BAD_VALUE, f"MachineDetection cannot be {form['MachineDetection']}")
    asked = repeated.get("StatusCallbackEvent", ("completed",))
    known = asked if EVENTS.issuperset(asked) else ()
    return PlacedCall(
        sid=f"CA{secrets.token_hex(16)}",
        to=to,
        calling=calling,
        voice=Request(form["Url"], _method(form, "Method")),
        fallback=_request(form, "FallbackUrl", "FallbackMethod"),
        status=_request(form, "StatusCallback", "StatusCallbackMethod"),
        events=cast("tuple[ProgressEvent, ...]", known),
        ring_s=int(ring_s),
        answered_by=_request(form, "AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod")
        if looks and beside
        else None,
        waits=looks and not beside,
    )


def _request(form: Mapping[str, str], url: str, method: str) -> Request | None:
    return Request(form[url], _method(form, method)) if form.get(url) else None


def _method(form: Mapping[str, str], name: str) -> Literal["GET", "POST"]:
    return "GET" if form.get(name) == "GET" else "POST"
