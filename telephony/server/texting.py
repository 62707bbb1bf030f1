"""Sends a text message through Twilio's REST API, with the twilio library.

The request is sent once and never repeated: if its answer is lost, nobody knows whether a telephone
gets the message. As in `placing`, the library has threads of its own.

Source: twilio 9.13; Twilio's documentation, Message resource, error codes (read in October 2026).
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # twilio ships no types
    TwilioException,
    TwilioRestException,
)

from telephony.server.placing import UNREADABLE, never_arrived
from telephony.server.twilio_rest import HttpClient, client
from telephony.settings import TwilioSettings

TIMEOUT_S = 10.0

_THREADS = ThreadPoolExecutor(16, "texting")

TOO_MANY = 429

NOT_NOW = "It was not sent, because no text messages can be sent right now."
NO_TEXTS = "It was not sent: this number gets no text messages."
NOT_THERE = "It was not sent: no text messages can be sent to this country."
OPTED_OUT = (
    "It was not sent: the owner of this number has asked for no more messages. They can answer "
    "START to an earlier one to get them again."
)
LATER = "It was not sent: too many messages are being sent. It may go better in a moment."

WORDS = {
    21211: NO_TEXTS,
    21214: NO_TEXTS,
    21408: NOT_THERE,
    21610: OPTED_OUT,
    21612: NO_TEXTS,
    21614: NO_TEXTS,
}
"""What an agent is told about Twilio's error codes that are about the number."""

FIXES = {
    20003: "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN do not go together; copy both from the front "
    "page of the Twilio Console",
    21408: "the account may not text this country; allow it in the Twilio Console under Messaging, "
    "Settings, Geo permissions",
    21606: "`from` of [sms.…] is no number of this account that can send text messages",
    21608: "a trial account texts verified numbers alone; verify it in the Twilio Console",
    21659: "`from` of [sms.…] is no number of this account",
}
"""What its owner can do about others."""


class NotSent(Exception):  # noqa: N818 - what happened, as `RestRefused`
    """A message was not sent.

    Args:
        words: What the agent is told.
        why: What the log is told: short, and without a secret or a number.
        retryable: Whether it may go better in a moment.
    """

    def __init__(self, words: str, why: str, *, retryable: bool = False) -> None:
        super().__init__(why)
        self.words, self.why, self.retryable = words, why, retryable


class SentOrNot(Exception):  # noqa: N818 - what happened, as `RestRefused`
    """Nobody knows whether a message was sent. `why` is short, and holds no secret."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Text:
    """A message to be sent.

    Args:
        to: Whom it goes to, in E.164.
        ours: The number that sends it.
        body: Its words.
    """

    to: str = field(repr=False)
    ours: str
    body: str = field(repr=False)


async def send(settings: TwilioSettings, text: Text) -> None:
    """Send a message. Twilio has taken it then; whether it arrives, nobody knows yet.

    Raises:
        NotSent: It was not sent.
        SentOrNot: Nobody knows.
    """
    try:
        loop = asyncio.get_running_loop()
        message = await loop.run_in_executor(_THREADS, _create, settings, text)
    except TwilioRestException as error:
        raise _refused(error.status, error.code) from None  # its text has the number
    except requests.ConnectionError as error:
        name = type(error).__name__
        if never_arrived(error):
            why = f"Twilio cannot be reached ({name})"
            raise NotSent(NOT_NOW, why, retryable=True) from error
        raise SentOrNot(f"the connection to Twilio was lost ({name})") from error
    except requests.Timeout as error:
        raise SentOrNot(f"Twilio did not answer within {TIMEOUT_S:g} s") from error
    except (requests.RequestException, TwilioException, *UNREADABLE) as error:
        raise SentOrNot(f"Twilio's answer cannot be read ({type(error).__name__})") from error
    if not isinstance(message.sid, str):
        raise SentOrNot("Twilio's answer has no SID")


def _refused(status: int, code: int) -> NotSent | SentOrNot:
    why = f"Twilio says {status}, error {code}"
    if status >= 500:
        return SentOrNot(why)
    if status == TOO_MANY:
        return NotSent(LATER, why, retryable=True)
    fix = FIXES.get(code, f"see https://www.twilio.com/docs/errors/{code}")
    return NotSent(WORDS.get(code, NOT_NOW), f"{why}: {fix}")


def _create(settings: TwilioSettings, text: Text) -> Any:
    # A new client each time, as in `twilio_rest`.
    with_account = client(settings, HttpClient(settings.twilio_api_url, TIMEOUT_S))
    return with_account.messages.create(to=text.to, from_=text.ours, body=text.body)
