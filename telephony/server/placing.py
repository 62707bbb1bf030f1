"""Places a call through Twilio's REST API, as `asked_once`: nobody's telephone rings twice.

Source: twilio 9.13; Twilio's documentation, Call resource, error codes (read in October 2026).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from telephony.server.asked_once import TOO_MANY, NotDone, ask_once
from telephony.server.twilio_rest import RestRefused
from telephony.settings import TwilioSettings

_THREADS = ThreadPoolExecutor(32, "placing")
"""A call a second, and each takes at most 10 s to connect, and as long to be answered."""

EVENTS = ["initiated", "ringing", "answered", "completed"]
"""What Twilio reports of a call that we place."""

FIXES = {
    10004: "the account has as many calls at once as it may; wait until one is over",
    20003: "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN do not go together; copy both from the front "
    "page of the Twilio Console",
    21210: "`from` of [outbound] is neither a number of this account nor a verified caller ID",
    21211: "Twilio does not take the number for one that can be called",
    21212: "`from` of [outbound] is no telephone number that Twilio takes",
    21214: "the number cannot be reached",
    21215: "the account may not call this country; allow it in the Twilio Console under Voice, "
    "Settings, Geo permissions",
    21216: "Twilio does not let this account call the number",
    21219: "a trial account calls verified numbers alone; verify it in the Twilio Console",
    21220: "the call is not in progress",
}
"""What to do about Twilio's error codes."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A call to be placed.

    Args:
        to: Whom to call, in E.164.
        ours: The number that calls.
        voice_url: What Twilio asks once somebody has answered.
        status_url: What Twilio tells how the call goes.
        ring_s: How long it rings.
        answered_by_url: What Twilio tells whether a machine has answered; "" to find out nothing.
        waits_for_machine: Whether Twilio finds that out before it asks `voice_url`.
    """

    to: str
    ours: str
    voice_url: str
    status_url: str
    ring_s: int
    answered_by_url: str = ""
    waits_for_machine: bool = False


async def place(settings: TwilioSettings, placement: Placement) -> str:
    """Place a call; returns its CallSid.

    Raises:
        RestRefused: It was not placed.
        DoneOrNot: Nobody knows.
    """
    try:
        return await ask_once(
            _THREADS, settings, lambda client: _create(client, placement), "CallSid"
        )
    except NotDone as error:
        raise RestRefused(_words(error)) from error


def _words(error: NotDone) -> str:
    if not error.status:
        return f"{error.why}; check the network, TWILIO_API_URL, TWILIO_REGION and TWILIO_EDGE"
    if error.status == TOO_MANY:
        return f"{error.why}: too many requests; try again in a moment"
    fix = FIXES.get(error.code, f"see https://www.twilio.com/docs/errors/{error.code}")
    return f"{error.why}: {fix}"


def _create(client: Any, placement: Placement) -> Any:
    return client.calls.create(
        to=placement.to,
        from_=placement.ours,
        url=placement.voice_url,
        method="POST",
        fallback_url=placement.voice_url,
        fallback_method="POST",
        status_callback=placement.status_url,
        status_callback_event=EVENTS,
        status_callback_method="POST",
        timeout=placement.ring_s,
        **_detection(placement.answered_by_url, waits=placement.waits_for_machine),
    )


def _detection(answered_by_url: str, *, waits: bool) -> dict[str, str]:
    """Find out whether a machine answers: before the call, or beside it until it has finished."""
    if waits:
        return {"machine_detection": "Enable"}
    if not answered_by_url:
        return {}
    return {
        "machine_detection": "DetectMessageEnd",
        "async_amd": "true",  # a text: the library sends it as it is
        "async_amd_status_callback": answered_by_url,
        "async_amd_status_callback_method": "POST",
    }
