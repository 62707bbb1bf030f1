"""The URLs of the webhooks that Twilio requests: their paths, and what their queries say."""

import base64
from urllib.parse import parse_qs, urlsplit

VOICE_PATH = "/twilio/voice"
STATUS_PATH = "/twilio/status"
MEDIA_PATH = "/twilio/media"
RESUME_PATH = "/twilio/resume"
STREAM_STATUS_PATH = "/twilio/stream-status"
TRANSFERRED_PATH = "/twilio/transferred"
PLAYED_PATH = "/twilio/played"
DIALLED_PATH = "/twilio/dialled"
MENU_PATH = "/twilio/menu"
ANSWERED_BY_PATH = "/twilio/answered-by"

RETRIES = "rc=3&rp=ct,rt,5xx&ct=2000&rt=4000"
"""The fragment of our URLs, which tells Twilio to ask again up to three times: after no connection
in 2 s, no answer in 4 s, or a server error. Without it Twilio asks again once, and only after a
failed connection. Our webhooks answer within 2 s, even while the store is away.
"""

AGENT_QUERY = "agent"
"""What names the agent in the voice webhook's URL of a call that it placed."""

ROUND_QUERY = "round"
"""What says in the menu's URL how often a caller has heard it."""

HOURS_QUERY = "hours"
"""What says ``closed`` in the URL by which a call comes back that began outside the hours."""


def back(*, closed: bool, path: str = RESUME_PATH) -> str:
    """The path of the webhook by which a call comes back to its agent, for each way back.

    Args:
        closed: Whether the call began outside the agent's hours. The query tells so: a worker that
            is asked while the store is away knows it from nowhere else.
        path: The webhook.
    """
    return f"{path}?{HOURS_QUERY}=closed" if closed else path


def began_closed(query: str) -> bool:
    """Whether a call began outside the agent's hours, by the query of such a URL."""
    return parse_qs(query).get(HOURS_QUERY) == ["closed"]


def webhook_url(public_url: str, path: str) -> str:
    """The URL of one of our webhooks, exactly as Twilio requests and signs it.

    Args:
        public_url: The https address under which Twilio reaches us, perhaps with a path.
        path: The webhook's path, with a leading slash.

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


def callback_url(public_url: str, path: str) -> str:
    """The URL of one of our webhooks for Twilio, with the fragment that says how to ask again.

    It is for attributes of TwiML and properties of the REST API. Twilio does not document whether
    the fragment has an effect in the text of a `<Redirect>`.

    Raises:
        ValueError: As in `webhook_url`.
    """
    return f"{webhook_url(public_url, path)}#{RETRIES}"


def stream_url(public_url: str) -> str:
    """The wss URL of our media socket. The upgrade's signature covers exactly this text.

    Raises:
        ValueError: `public_url` is not a plain https URL.
    """
    return "wss" + webhook_url(public_url, MEDIA_PATH).removeprefix("https")


def outbound_url(public_url: str, agent: str, path: str = VOICE_PATH) -> str:
    """The URL of the voice webhook, or another one, for a call that an agent places.

    The name is in it as base64, in characters that nobody on the way encodes in another way, for
    the signature covers the URL byte by byte.

    Raises:
        ValueError: As in `webhook_url`.
    """
    name = base64.urlsafe_b64encode(agent.encode()).decode().rstrip("=")
    return callback_url(public_url, f"{path}?{AGENT_QUERY}={name}")


def calling_agent(query: str) -> str:
    """The agent's name in the query of such a URL; "" if there is none."""
    given = parse_qs(query).get(AGENT_QUERY, [""])[0]
    try:
        return base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
    except ValueError:
        return ""


def rounds_of(query: str) -> int:
    """How often a caller has heard the menu, by the query of its URL; 0 if that does not say so."""
    given = parse_qs(query).get(ROUND_QUERY, [""])[0]
    return int(given) if given in {"1", "2"} else 0
