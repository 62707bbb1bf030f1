"""Writes the TwiML documents of a warm transfer, and names the paths of its webhooks.

The caller waits in a conference; somebody is called, told of the caller, and joins by a key. Every
URL names the step of the caller's call that it belongs to.

Source: Twilio documentation, TwiML `<Conference>`, `<Gather>`, `<Play>` (read in November 2026).
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qs

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]  # no types

from telephony.twilio.twiml import speakable
from telephony.twilio.urls import (
    HOURS_QUERY,
    RETRIES,
    TRANSFERRED_PATH,
    back,
    began_closed,
    callback_url,
    webhook_url,
)

HOLD_PATH = "/twilio/hold"
MUSIC_PATH = "/twilio/hold.wav"
CONFERENCE_PATH = "/twilio/conference"
BRIEFING_PATH = "/twilio/briefing"
BRIEFED_PATH = "/twilio/briefed"
LEG_PATH = "/twilio/leg"

STEP_QUERY, ROUNDS_QUERY = "step", "rounds"
MOST_DIGITS = 6

KEY_S = 8
"""How long a target may take to press a key after they have heard everything, in seconds."""

ACCEPT, DECLINE = "1", "2"
"""The keys."""


class OfStep(NamedTuple):
    """Which step of which call a webhook belongs to.

    Args:
        call_sid: The caller's call.
        n: The number of the step.
        closed: Whether the call began outside the agent's hours, see `urls.back`.
    """

    call_sid: str
    n: int
    closed: bool = False

    @property
    def conference(self) -> str:
        """The name of the conference."""
        return f"{self.call_sid}-{self.n}"

    def url(self, public_url: str, path: str) -> str:
        """The URL of a webhook, for an attribute or a property.

        Raises:
            ValueError: As in `urls.webhook_url`.
        """
        return f"{self.plain_url(public_url, path)}#{RETRIES}"

    def plain_url(self, public_url: str, path: str) -> str:
        """The same, for the text of a `<Redirect>`."""
        url = webhook_url(public_url, f"{path}?{STEP_QUERY}={self.call_sid}.{self.n}")
        return f"{url}&{HOURS_QUERY}=closed" if self.closed else url


_STEP = re.compile(r"([A-Za-z0-9]{1,64})\.([0-9]{1,9})").fullmatch


def step_of(query: str) -> OfStep | None:
    """The step that a webhook's URL names; None if it names none."""
    found = _STEP(parse_qs(query).get(STEP_QUERY, [""])[0])
    return None if found is None else OfStep(found[1], int(found[2]), began_closed(query))


def hold(public_url: str, step: OfStep) -> str:
    """Let the caller wait in the conference. It begins once the target joins it, and ends once
    either of them leaves.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    action = back(closed=step.closed, path=TRANSFERRED_PATH)
    dial = response.dial(action=callback_url(public_url, action), method="POST")
    dial.conference(
        step.conference,
        wait_url=step.url(public_url, HOLD_PATH),
        wait_method="POST",
        start_conference_on_enter=False,
        end_conference_on_exit=True,
        beep="false",
        status_callback=step.url(public_url, CONFERENCE_PATH),
        status_callback_method="POST",
        status_callback_event="start end join leave",
    )
    return str(response)


def music(public_url: str, step: OfStep, rounds: int) -> str:
    """Play to a caller who waits, and ask again after each loop.

    Args:
        public_url: The address under which Twilio reaches us.
        step: Which step it is.
        rounds: How often they will have heard the music by then.
    """
    response = VoiceResponse()
    response.play(webhook_url(public_url, MUSIC_PATH))
    again = f"{step.plain_url(public_url, HOLD_PATH)}&{ROUNDS_QUERY}={rounds}"
    response.redirect(again, method="POST")
    return str(response)


def rounds_of(query: str) -> int:
    """How often a caller has heard the music, by the URL of `HOLD_PATH`."""
    given = parse_qs(query).get(ROUNDS_QUERY, [""])[0]
    return int(given) if given.isdecimal() and len(given) < MOST_DIGITS else 0


def briefing(public_url: str, step: OfStep, text: str, language: str = "") -> str:
    """Tell the target of the caller, and ask for a key. Without one, the call ends.

    Args:
        public_url: The address under which Twilio reaches us.
        step: Which step it is.
        text: What Twilio's own voice says.
        language: The language of `text`; "" for Twilio's default.
    """
    response = VoiceResponse()
    gather = response.gather(
        num_digits=1,
        finish_on_key="",  # "#" is a key as any other: Twilio would take it for none
        action=step.url(public_url, BRIEFED_PATH),
        method="POST",
        timeout=KEY_S,
    )
    gather.say(speakable(text), language=language or None)
    response.hangup()
    return str(response)


def join(step: OfStep) -> str:
    """Put the target together with the caller who waits."""
    response = VoiceResponse()
    response.dial().conference(
        step.conference,
        start_conference_on_enter=True,
        end_conference_on_exit=True,
        beep="false",
    )
    return str(response)
