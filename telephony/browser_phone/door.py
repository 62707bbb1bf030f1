"""Who may use the browser phone: the owner's browser, on this machine.

The server listens on a loopback address. That alone keeps out neither the other users of this
machine nor the other pages in the owner's browser, so every request is checked here first:

Host     is this server's address, in numbers or as localhost. A page of a stranger whose name leads
         to this machine (DNS rebinding) has its own name there.
Session  is a cookie with a secret of this process. The browser gets it at the address that
         `offhook dev` prints, which has the secret in its query.
Origin   is this server's, for everything but GET and HEAD. A GET says by Sec-Fetch-Site that no
         other page is behind it.

A browser cannot sign as Twilio does. So for a stream that passes all three, the signature is put
in here; the stream still needs the one-time token of its call. Twilio's own requests need no
session: they are signed, with a token that only this process has.
"""

import hmac
import secrets
from collections.abc import Iterable
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from telephony.simulator.webhooks import signature

KEY = "key"
"""What has the secret in the query of the address that is printed."""

OPEN = "/twilio/"
"""Below this, requests are Twilio's, and signed."""

STREAM_PATH = "/twilio/media"
SIGNATURE = "x-twilio-signature"

SAFE = frozenset({"GET", "HEAD"})

FORGOTTEN = (
    "This is the browser phone of `offhook dev`. Open it by the address that the command has "
    "printed: it has a key, which changes with each start.\n"
)
STRANGE = "This server answers only to its own address, and to its own page.\n"


class Door:
    """The keys of one server. `Checked` asks it.

    Args:
        port: The server's port.
        stream_url: The wss URL that Twilio's signature of a stream covers.
        auth_token: The token that signs it.
    """

    def __init__(self, port: int, stream_url: str, auth_token: str) -> None:
        self.key = secrets.token_urlsafe(24)
        self.signature = signature(auth_token, stream_url, {})
        self.hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))
        self.cookie = f"offhook-dev-{port}"
        """The name of the cookie. Cookies know no ports, and several servers may run."""

    def knows(self, host: str) -> bool:
        """Whether a Host header is this server's address."""
        return host in self.hosts

    def has_key(self, given: str | None) -> bool:
        """Whether this is the secret, compared in constant time."""
        return given is not None and hmac.compare_digest(given.encode(), self.key.encode())

    def is_own(self, request: HTTPConnection) -> bool:
        """Whether a request has the session, and no other page is behind it."""
        headers = request.headers
        if not self.has_key(request.cookies.get(self.cookie)):
            return False
        safe = request.scope["type"] == "http" and request.scope["method"] in SAFE
        origin = headers.get("origin")
        if origin is None:
            return safe and headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        return origin == f"http://{headers.get('host', '')}"


class Checked:
    """The application behind the door: an ASGI middleware.

    Args:
        app: The application.
        door: Decides.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app, self._door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(self._signed(scope), receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = HTTPConnection(scope)
        answer: ASGIApp
        if not self._door.knows(request.headers.get("host", "")):
            answer = PlainTextResponse(STRANGE, HTTPStatus.MISDIRECTED_REQUEST)
        elif request.url.path.startswith(OPEN) or self._door.is_own(request):
            answer = self._app
        elif scope["method"] == "GET" and self._door.has_key(request.query_params.get(KEY)):
            answer = self._let_in(request.url.path)
        else:
            answer = PlainTextResponse(FORGOTTEN, HTTPStatus.FORBIDDEN)
        await answer(scope, receive, send)

    def _let_in(self, path: str) -> RedirectResponse:
        """Hand out the session, and lead to an address without the key."""
        response = RedirectResponse(path, HTTPStatus.SEE_OTHER)
        response.set_cookie(self._door.cookie, self._door.key, httponly=True, samesite="strict")
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _signed(self, scope: Scope) -> Scope:
        """A stream's upgrade, with Twilio's signature if it is the page's. Without one, the server
        refuses it.
        """
        request, headers = HTTPConnection(scope), Headers(scope=scope)
        own = self._door.knows(headers.get("host", "")) and self._door.is_own(request)
        if not own or request.url.path != STREAM_PATH:
            return scope
        signed = dict(scope)
        signed["headers"] = list(_without(SIGNATURE, headers.raw))
        MutableHeaders(scope=signed)[SIGNATURE] = self._door.signature
        return signed


def _without(name: str, raw: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
    return ((key, value) for key, value in raw if key != name.encode())
