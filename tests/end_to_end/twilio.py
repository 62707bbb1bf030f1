"""Twilio by hand, for things that the simulated one never does: forge, repeat, send nonsense."""

import re
import secrets
from collections.abc import Mapping

import httpx
from websockets.asyncio.client import ClientConnection, connect

from telephony.simulator import wire
from telephony.simulator.http_client import http_client
from telephony.simulator.webhooks import signature
from telephony.twilio.urls import MEDIA_PATH, VOICE_PATH
from tests.end_to_end.serving import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL
from tests.end_to_end.watching import PATIENCE_S

STREAM_URL = PUBLIC_URL.replace("https", "wss") + MEDIA_PATH


def new_call_sid() -> str:
    """The CallSid of a call that nobody has heard of."""
    return f"CA{secrets.token_hex(16)}"


def form_of(call_sid: str, status: str = "ringing") -> dict[str, str]:
    """What a webhook says, with a blank value."""
    return {
        "CallSid": call_sid,
        "AccountSid": ACCOUNT_SID,
        "CallStatus": status,
        "From": "+14155550123",
        "To": "+14155550199",
        "FromCity": "",
    }


def signed(path: str, form: Mapping[str, str], auth_token: str = AUTH_TOKEN) -> dict[str, str]:
    """The headers of a webhook that is Twilio's."""
    return {"X-Twilio-Signature": signature(auth_token, PUBLIC_URL + path, form)}


async def post(
    url: str, path: str, form: Mapping[str, str], headers: Mapping[str, str]
) -> httpx.Response:
    """POST a webhook to a worker."""
    async with http_client(timeout_s=PATIENCE_S) as client:
        bytewise = httpx.Headers(dict(headers), encoding="latin-1")
        return await client.post(url + path, data=dict(form), headers=bytewise)


async def ring(url: str, call_sid: str) -> str:
    """A call comes in, properly signed; returns the token for its stream."""
    form = form_of(call_sid)
    response = await post(url, VOICE_PATH, form, signed(VOICE_PATH, form))
    assert response.status_code == 200
    return token_in(response.text)


def token_in(document: str) -> str:
    """The token in a TwiML document."""
    found = re.search(r'<Parameter name="token" value="([^"]+)"', document)
    assert found is not None, document
    return found[1]


def upgrade_headers(auth_token: str = AUTH_TOKEN, signed_url: str = STREAM_URL) -> dict[str, str]:
    """The headers of an upgrade that is Twilio's."""
    return {"x-twilio-signature": signature(auth_token, signed_url, {})}


def open_stream(
    url: str, headers: Mapping[str, str] | None = None, compression: str | None = None
) -> connect:
    """Open a media stream's socket: `async with`, or await it."""
    return connect(
        url.replace("http", "ws") + MEDIA_PATH,
        additional_headers=upgrade_headers() if headers is None else headers,
        compression=compression,
        ping_interval=None,
        proxy=None,
    )


async def start(
    socket: ClientConnection, call_sid: str, parameters: Mapping[str, str], stream_sid: str = ""
) -> str:
    """Send `connected` and `start`; returns the streamSid."""
    stream_sid = stream_sid or f"MZ{secrets.token_hex(16)}"
    await socket.send(wire.connected())
    await socket.send(wire.start(1, stream_sid, call_sid, ACCOUNT_SID, parameters))
    return stream_sid
