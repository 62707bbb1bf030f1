"""Sends a text message through Twilio's REST API, as `asked_once`: nobody gets it twice.

Source: twilio 9.13; Twilio's documentation, Message resource, error codes (read in October 2026).
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from telephony.server.asked_once import TOO_MANY, NotDone, ask_once
from telephony.settings import TwilioSettings

_THREADS = ThreadPoolExecutor(16, "texting")

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
        DoneOrNot: Nobody knows.
    """
    try:
        await ask_once(
            _THREADS,
            settings,
            lambda client: client.messages.create(to=text.to, from_=text.ours, body=text.body),
            "SID",
        )
    except NotDone as error:
        raise _words(error) from error


def _words(error: NotDone) -> NotSent:
    if not error.status:
        return NotSent(NOT_NOW, error.why, retryable=True)
    if error.status == TOO_MANY:
        return NotSent(LATER, error.why, retryable=True)
    fix = FIXES.get(error.code, f"see https://www.twilio.com/docs/errors/{error.code}")
    return NotSent(WORDS.get(error.code, NOT_NOW), f"{error.why}: {fix}")
