"""Writes the TwiML documents that answer Twilio's webhooks.

Source: Twilio documentation, TwiML `<Connect>`, `<Stream>`, `<Redirect>` (read in October 2026).
Send the documents as ``text/xml`` with a Content-Length.
"""

import re

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]  # no types

from telephony.twilio.urls import (
    MENU_PATH,
    PLAYED_PATH,
    ROUND_QUERY,
    STREAM_STATUS_PATH,
    TRANSFERRED_PATH,
    back,
    callback_url,
    stream_url,
    webhook_url,
)

RING_S = 20
"""How long a telephone rings to which a caller is put through, in seconds."""

TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a parameter, not a secret
"""The name of the one-time token in `Start.custom_parameters`."""

PERSONA_PARAMETER = "persona"
"""The name of the agent that answers, likewise; missing for the default one."""

DIRECTION_PARAMETER = "direction"
"""Likewise, ``outbound`` in a call that was placed by `POST /calls`; missing in others."""

HOURS_PARAMETER = "hours"
"""Likewise, ``closed`` in a call that began outside its agent's hours; missing in others."""

TRIED_PARAMETER = "tried"
"""Likewise, whom a caller has asked for by a key of the menu and not reached, and behind a colon
why; missing in others."""

NOTICE_PARAMETER = "notice"
"""Likewise, ``said`` where Twilio has told the caller before this stream that they are recorded."""


PARAMETER_LIMIT_CHARS = 500
"""Twilio's limit: a parameter's name and value together must be shorter."""


def connect(
    public_url: str,
    token: str,
    persona: str = "",
    *,
    placed: bool = False,
    closed: bool = False,
    tried: tuple[str, str] | None = None,
    says: str = "",
    language: str = "",
) -> str:
    """Connect the call to a media stream.

    When the stream ends, for any reason, Twilio asks `RESUME_PATH` how to go on: as the action of
    `<Connect>`, or through the `<Redirect>` behind it if Twilio ignores the action.

    Args:
        public_url: The https address under which Twilio reaches us, perhaps with a path.
        token: The one-time token (see `signature.mint_token`).
        persona: The name of the agent that answers; "" for the default one.
        placed: Whether the agent placed the call.
        closed: Whether the call began outside the agent's hours; see `urls.back`, here and below.
        tried: Whom the caller has asked for by a key of the menu and not reached, and why.
        says: The notice of the recording, which Twilio's own voice says first; the stream begins
            after it, and has a parameter that tells so. "" for none.
        language: The language of that, such as ``"de-DE"``; "" for Twilio's default.

    Raises:
        ValueError: `public_url` cannot be used, or a parameter is too long.
    """
    parameters = {TOKEN_PARAMETER: token}
    if persona:
        parameters[PERSONA_PARAMETER] = persona
    if placed:
        parameters[DIRECTION_PARAMETER] = "outbound"
    if closed:
        parameters[HOURS_PARAMETER] = "closed"
    if tried is not None:
        parameters[TRIED_PARAMETER] = ":".join(tried)
    if says:
        parameters[NOTICE_PARAMETER] = "said"
    for name, value in parameters.items():
        if (chars := len(name) + len(value)) >= PARAMETER_LIMIT_CHARS:
            raise ValueError(
                f"expected a parameter of less than {PARAMETER_LIMIT_CHARS} characters, name and "
                f"value together, got {chars}; use a shorter {name}"
            )
    response = VoiceResponse()
    if says:
        response.say(speakable(says), language=language or None)
    resume = back(closed=closed)
    stream = response.connect(action=callback_url(public_url, resume), method="POST").stream(
        url=stream_url(public_url),
        status_callback=callback_url(public_url, STREAM_STATUS_PATH),
    )
    for name, value in parameters.items():
        stream.parameter(name=name, value=value)
    response.redirect(webhook_url(public_url, resume), method="POST")
    return str(response)


def speakable(text: str) -> str:
    """A text without the characters that XML cannot hold: with one of them, Twilio takes the whole
    document for none, and ends the call.
    """
    return _NOT_IN_XML.sub(" ", text)


_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def hangup() -> str:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def reject() -> str:
    """Refuse the call without answering it."""
    response = VoiceResponse()
    response.reject()
    return str(response)


def goodbye(text: str, language: str = "") -> str:
    """Say `text` in Twilio's own voice, then end the call.

    Args:
        text: What to say.
        language: The language of `text`, such as ``"de-DE"``; "" for Twilio's default.
    """
    response = VoiceResponse()
    response.say(speakable(text), language=language or None)
    response.hangup()
    return str(response)


def transfer(
    public_url: str,
    text: str,
    to: str,
    *,
    caller_id: str | None = None,
    language: str = "",
    closed: bool = False,
    told_at: str = "",
) -> str:
    """Say `text`, then put the call through to `to`.

    When the transfer is over, whatever its result, Twilio requests `TRANSFERRED_PATH` with a
    `DialCallStatus`, unless the caller has hung up. `told_at` is told that `to` has answered, and
    that this leg is over.

    Args:
        public_url: The address under which Twilio reaches us.
        text: The text that Twilio's own voice says first; "" for none.
        to: A number in E.164, or a sip: address.
        caller_id: The number that `to` sees (see `numbers.caller_id`); None for the caller's.
        language: The language of `text`; "" for Twilio's default.
        closed: Whether the call began outside the agent's hours.
        told_at: The URL of the webhook `DIALLED_PATH`, with the step; "" for nobody.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    if text:
        response.say(speakable(text), language=language or None)
    dial = response.dial(
        action=callback_url(public_url, back(closed=closed, path=TRANSFERRED_PATH)),
        method="POST",
        timeout=RING_S,
        caller_id=caller_id,
    )
    noun = dial.sip if to.startswith("sip") else dial.number
    noun(
        to,
        status_callback=told_at or None,
        status_callback_method="POST" if told_at else None,
        status_callback_event="answered completed" if told_at else None,
    )
    return str(response)


def ask(public_url: str, path: str) -> str:
    """Make Twilio ask another webhook at once.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    response.redirect(webhook_url(public_url, path), method="POST")
    return str(response)


def play(public_url: str, digits: str, *, closed: bool = False) -> str:
    """Press keys, and then request `PLAYED_PATH`.

    Args:
        public_url: The address under which Twilio reaches us.
        digits: The keys, with w and W for pauses.
        closed: Whether the call began outside the agent's hours.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    response.play(digits=digits)
    played = back(closed=closed, path=PLAYED_PATH)
    response.redirect(webhook_url(public_url, played), method="POST")
    return str(response)


def menu(public_url: str, text: str, timeout_s: int, rounds: int, language: str = "") -> str:
    """Say `text` and wait for one key; then request `MENU_PATH`, with or without it.

    Args:
        public_url: The address under which Twilio reaches us.
        text: What Twilio's own voice says, until a key is pressed.
        timeout_s: How long a caller may take behind it, in seconds.
        rounds: How often they will have heard it by then.
        language: The language of `text`; "" for Twilio's default.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    gather = response.gather(
        input="dtmf",
        num_digits=1,
        finish_on_key="",  # otherwise # would be no key
        timeout=timeout_s,
        action=callback_url(public_url, f"{MENU_PATH}?{ROUND_QUERY}={rounds}"),
        method="POST",
    )
    gather.say(speakable(text), language=language or None)
    response.redirect(webhook_url(public_url, MENU_PATH), method="POST")
    return str(response)


def wait_and_ask(public_url: str, path: str) -> str:
    """Make Twilio ask again in a second. A load balancer may then choose another worker.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    response.pause(length=1)
    response.redirect(webhook_url(public_url, path), method="POST")
    return str(response)
