"""Finds which server process answers at a URL, and whether signatures arrive there unchanged."""

import secrets

import httpx

from telephony.number.findings import Unwell
from telephony.settings import Settings
from telephony.twilio.challenge import proves
from telephony.twilio.signature import webhook_signature
from telephony.twilio.urls import STATUS_PATH, webhook_url

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to connect to, not to listen on


def local_url(settings: Settings) -> str:
    """The URL of the server for programs on the same machine."""
    host = ANY_ADDRESS.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


async def identity(http: httpx.AsyncClient, base_url: str, settings: Settings, fix: str) -> str:
    """The name of the server process that answers at a URL. The server must prove its identity.

    Args:
        http: The HTTP client.
        base_url: The URL to ask.
        settings: The settings, with the auth token that the server must have.
        fix: The advice if no offhook answers there.

    Raises:
        Unwell: No server answers, or another program, or an offhook with another auth token.
    """
    challenge = secrets.token_urlsafe(24)
    try:
        answer = await http.get(f"{base_url}/healthz", params={"challenge": challenge})
        said = answer.json()
        instance, proof = str(said["instance"]), str(said["proof"])
    except httpx.HTTPError as error:
        raise Unwell(f"{base_url}: {_words(error)}", fix) from None
    except (ValueError, LookupError, TypeError):
        status = answer.status_code
        raise Unwell(
            f"{base_url} is not an offhook server (/healthz answers {status})", fix
        ) from None
    if not proves(settings.auth_tokens, challenge, instance, proof):
        raise Unwell(
            f"{base_url} is an offhook server with another TWILIO_AUTH_TOKEN",
            "give the server and this command the same token",
        )
    return instance


async def post_signed(http: httpx.AsyncClient, settings: Settings) -> None:
    """Post the status of an invented call, as Twilio would. The server stores nothing of it.

    Raises:
        Unwell: The server did not accept it as Twilio's.
    """
    url = webhook_url(settings.public_url, STATUS_PATH)
    form = {
        "CallSid": f"doctor{secrets.token_hex(8)}",
        "AccountSid": settings.twilio_account_sid or "doctor",
        "CallStatus": "queued",
        "CallerName": "",  # a proxy may drop blank values, which are signed too
    }
    headers = {"X-Twilio-Signature": webhook_signature(url, form, settings.auth_tokens[0])}
    try:
        answer = await http.post(url, data=form, headers=headers)
    except httpx.HTTPError as error:
        raise Unwell(f"{url}: {_words(error)}", "check the proxy or tunnel") from None
    match answer.status_code:
        case 204:
            return
        case 403:
            raise Unwell(
                f"a signed webhook to {url} was refused",
                "give the server and this command the same PUBLIC_URL, TWILIO_AUTH_TOKEN and "
                "TWILIO_ACCOUNT_SID; the proxy or tunnel must leave the body as it is",
            )
        case status:
            fix = "have the proxy or tunnel pass POST below /twilio"
            raise Unwell(f"{url}: expected 204, got {status}", fix)


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
