"""Writes the TwiML documents that answer Twilio's webhooks, and names the paths of these webhooks.

Source: Twilio documentation, TwiML `<Connect>`, `<Stream>`, `<Redirect>` (read in October 2026).
Send the documents as ``text/xml`` with a Content-Length.
"""

from urllib.parse import urlsplit

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]  # no types

VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"
MEDIA_PATH = "/twilio/media"
RESUME_PATH = "/twilio/resume"
STREAM_STATUS_PATH = "/twilio/stream-status"
TRANSFERRED_PATH = "/twilio/transferred"

RETRIES = "rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"
"""How Twilio is to ask again, as the fragment of our URLs: after no connection in 2 s, no answer in
4 s, and a server error, three times. Without it Twilio asks again once, after a failed connection.
A webhook of ours answers within 2 s, also while the store is away.
"""

RING_S = 20
"""How long the telephone of whoever a call is transferred to may ring."""

TOKEN_PARAMETER = "token"  # noqa: S105 - the name of a parameter, not a secret
"""Where `Start.custom_parameters` carries the one-time token."""

PARAMETER_LIMIT_CHARS = 500
"""Twilio: a parameter's name and value together stay below this."""


def connect(public_url: str, token: str) -> str:
    """Tie the call to a media stream of ours.

    When the stream ends, in whatever way, Twilio asks `RESUME_PATH` how to go on: as the action
    of `<Connect>`, or by the `<Redirect>` behind it should the action not be taken.

    Args:
        public_url: Where Twilio reaches us: https, perhaps with a path prefix.
        token: The one-time token (see `signature.mint_token`).

    Raises:
        ValueError: `public_url` cannot be used, or `token` is too long for a parameter.
    """
    chars = len(TOKEN_PARAMETER) + len(token)
    if chars >= PARAMETER_LIMIT_CHARS:
        raise ValueError(
            f"expected a parameter of less than {PARAMETER_LIMIT_CHARS} characters, name and "
            f"value together, got {chars}; mint a shorter token"
        )
    response = VoiceResponse()
    stream = response.connect(action=callback_url(public_url, RESUME_PATH), method="POST").stream(
        url=stream_url(public_url),
        status_callback=callback_url(public_url, STREAM_STATUS_PATH),
    )
    stream.parameter(name=TOKEN_PARAMETER, value=token)
    response.redirect(webhook_url(public_url, RESUME_PATH), method="POST")
    return str(response)


def hangup() -> str:
    """End the call."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def apology(text: str) -> str:
    """Say `text` in Twilio's own voice, then end the call."""
    response = VoiceResponse()
    response.say(text)
    response.hangup()
    return str(response)


def transfer(public_url: str, text: str, to: str, *, caller_id: str | None = None) -> str:
    """Say `text`, then put the call through to `to`.

    When that is over, however it went, Twilio asks `TRANSFERRED_PATH` with a `DialCallStatus`.

    Args:
        public_url: Where Twilio reaches us.
        text: What Twilio's own voice says first.
        to: A number in E.164, or a sip: address.
        caller_id: The number they see (see `numbers.caller_id`); None for the caller's.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    response.say(text)
    dial = response.dial(
        action=callback_url(public_url, TRANSFERRED_PATH),
        method="POST",
        timeout=RING_S,
        caller_id=caller_id,
    )
    if to.startswith("sip"):
        dial.sip(to)
    else:
        dial.number(to)
    return str(response)


def wait_and_ask(public_url: str, path: str) -> str:
    """Have Twilio ask again in a second: whoever stands before the workers may choose another.

    Raises:
        ValueError: `public_url` cannot be used.
    """
    response = VoiceResponse()
    response.pause(length=1)
    response.redirect(webhook_url(public_url, path), method="POST")
    return str(response)


def stream_url(public_url: str) -> str:
    """The wss URL of our media socket; the upgrade's signature is over exactly this text.

    Raises:
        ValueError: `public_url` is not a plain https URL.
    """
    return "wss" + webhook_url(public_url, MEDIA_PATH).removeprefix("https")


def callback_url(public_url: str, path: str) -> str:
    """The URL of one of our webhooks, as Twilio is told it: with how to ask again.

    For attributes of TwiML and properties of the REST API. Whether Twilio heeds the fragment in
    the text of a `<Redirect>` is not documented.

    Raises:
        ValueError: As `webhook_url`.
    """
    return f"{webhook_url(public_url, path)}#{RETRIES}"


def webhook_url(public_url: str, path: str) -> str:
    """The URL of one of our webhooks, as Twilio calls and signs it.

    Args:
        public_url: Where Twilio reaches us: https, perhaps with a path prefix.
        path: What follows it, with a leading slash.

    Raises:
        ValueError: `public_url` is not a plain https URL: it has another scheme, no host, a user
            name (which Twilio leaves out of what it signs), a query or a fragment.
    """
    parts = urlsplit(public_url)
    plain = public_url.isprintable() and not set(public_url) & set(' @?#"<>\\')
    if parts.scheme != "https" or not parts.hostname or not plain:
        raise ValueError(
            "expected a public URL such as https://voice.example.com, without user name, query "
            f"or fragment, got {parts.scheme or 'no scheme'}://{parts.hostname or ''}; set "
            "PUBLIC_URL to the address Twilio reaches"
        )
    base = "https" + public_url[len("https") :].rstrip("/")
    return base + path
