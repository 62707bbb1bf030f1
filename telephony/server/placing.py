"""Places a call through Twilio's REST API, with the twilio library.

The library blocks, so it runs in threads of its own: those of the event loop look up addresses,
also for the models of other calls, which must not wait while Twilio does not answer. The request is
sent once and never repeated: if its answer is lost, nobody knows whether a telephone rings.

Source: twilio 9.13; Twilio's documentation, Call resource, error codes (read in October 2026).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # twilio ships no types
    TwilioException,
    TwilioRestException,
)

from telephony.server.twilio_rest import HttpClient, RestRefused, client
from telephony.settings import TwilioSettings

TIMEOUT_S = 10.0

_THREADS = ThreadPoolExecutor(32, "placing")
"""A call a second, and each takes at most `TIMEOUT_S` to connect, and as long to be answered."""

EVENTS = ["initiated", "ringing", "answered", "completed"]
"""What Twilio reports of a call that we place."""

TOO_MANY = 429

UNREADABLE = (ValueError, TypeError, AttributeError)
"""The library raises these for an answer that is not JSON, or not an object."""

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


class PlacedOrNot(Exception):  # noqa: N818 - what happened, as `RestRefused`
    """Nobody knows whether the call was placed. `why` is short, and holds no secret."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


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
        PlacedOrNot: Nobody knows.
    """
    try:
        loop = asyncio.get_running_loop()
        call = await loop.run_in_executor(_THREADS, _create, settings, placement)
    except TwilioRestException as error:
        why = f"Twilio says {error.status}, error {error.code}"
        if error.status >= 500:
            raise PlacedOrNot(f"{why}: Twilio has a problem; see status.twilio.com") from error
        if error.status == TOO_MANY:
            raise RestRefused(f"{why}: too many requests; try again in a moment") from error
        fix = FIXES.get(error.code, f"see https://www.twilio.com/docs/errors/{error.code}")
        raise RestRefused(f"{why}: {fix}") from error
    except requests.ConnectionError as error:
        name = type(error).__name__
        if never_arrived(error):
            raise RestRefused(
                f"Twilio cannot be reached ({name}); check the network, TWILIO_API_URL, "
                "TWILIO_REGION and TWILIO_EDGE"
            ) from error
        raise PlacedOrNot(f"the connection to Twilio was lost ({name})") from error
    except requests.Timeout as error:
        raise PlacedOrNot(f"Twilio did not answer within {TIMEOUT_S:g} s") from error
    except (requests.RequestException, TwilioException, *UNREADABLE) as error:
        raise PlacedOrNot(f"Twilio's answer cannot be read ({type(error).__name__})") from error
    if not isinstance(call.sid, str):
        raise PlacedOrNot("Twilio's answer has no CallSid")
    return call.sid


def never_arrived(error: requests.ConnectionError) -> bool:
    """Whether no connection was made at all: then nothing was sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.ConnectTimeout) or type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    }


def _create(settings: TwilioSettings, placement: Placement) -> Any:
    # A new client each time, as in `twilio_rest`.
    with_account = client(settings, HttpClient(settings.twilio_api_url, TIMEOUT_S))
    return with_account.calls.create(
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
