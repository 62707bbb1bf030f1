"""Asks Twilio's REST API to make something, such as a call: once, with the twilio library.

The request is never repeated: if its answer is lost, nobody knows whether Twilio has done it. The
library blocks, so it runs in threads of its own: those of the event loop look up addresses, also
for the models of other calls, which must not wait while Twilio does not answer.

Source: twilio 9.13; Twilio's documentation, error codes (read in October 2026).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # twilio ships no types
    TwilioException,
    TwilioRestException,
)

from telephony.server.twilio_rest import HttpClient, client
from telephony.settings import TwilioSettings

TIMEOUT_S = 10.0

TOO_MANY = 429

UNREADABLE = (ValueError, TypeError, AttributeError)
"""The library raises these for an answer that is not JSON, or not an object."""


class NotDone(Exception):  # noqa: N818 - what happened, as `RestRefused`
    """Twilio has not done it.

    Args:
        why: What happened: short, and without a secret or a number.
        status: The HTTP status of its answer; 0 if it could not be reached.
        code: Twilio's error code.
    """

    def __init__(self, why: str, status: int = 0, code: int = 0) -> None:
        super().__init__(why)
        self.why, self.status, self.code = why, status, code


class DoneOrNot(Exception):  # noqa: N818 - what happened, as `RestRefused`
    """Nobody knows whether Twilio has done it. `why` is short, and holds no secret."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def ask_once(
    threads: Executor, settings: TwilioSettings, ask: Callable[[Any], Any], named: str
) -> str:
    """Ask for something that is made; returns its SID.

    Args:
        threads: Where the library runs.
        settings: The account.
        ask: Asks for it, with Twilio's client.
        named: What the SID is called in the log.

    Raises:
        NotDone: It was not made.
        DoneOrNot: Nobody knows.
    """
    try:
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(threads, _asked, settings, ask)
    except TwilioRestException as error:  # its text may have a number
        why = f"Twilio says {error.status}, error {error.code}"
        if error.status >= 500:
            raise DoneOrNot(f"{why}: Twilio has a problem; see status.twilio.com") from None
        raise NotDone(why, error.status, error.code) from None
    except requests.ConnectionError as error:
        name = type(error).__name__
        if _never_arrived(error):
            raise NotDone(f"Twilio cannot be reached ({name})") from error
        raise DoneOrNot(f"the connection to Twilio was lost ({name})") from error
    except requests.Timeout as error:
        raise DoneOrNot(f"Twilio did not answer within {TIMEOUT_S:g} s") from error
    except (requests.RequestException, TwilioException, *UNREADABLE) as error:
        raise DoneOrNot(f"Twilio's answer cannot be read ({type(error).__name__})") from error
    if not isinstance(made.sid, str):
        raise DoneOrNot(f"Twilio's answer has no {named}")
    return made.sid


def _asked(settings: TwilioSettings, ask: Callable[[Any], Any]) -> Any:
    # A new client each time, as in `twilio_rest`.
    return ask(client(settings, HttpClient(settings.twilio_api_url, TIMEOUT_S)))


def _never_arrived(error: requests.ConnectionError) -> bool:
    """Whether no connection was made at all: then nothing was sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.ConnectTimeout) or type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    }
