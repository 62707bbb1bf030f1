"""HTTP calls as tools: the owner fixes the address, the model gives arguments.

An argument that the URL names stands in its path or query, percent-encoded, and can never leave its
place. The others go into the query, or into the JSON body where the method has one.

What is no look-up is an act, such as an order. Nobody knows whether an act was done whose answer is
lost after it was sent, so its outcome is unknown, and it is never tried again.
"""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import quote, urlsplit

import certifi
import httpx

from agent.conversation.declaration import Status
from agent.conversation.secret_digits import Digits, without
from agent.tools.addresses import NotAllowed, address_of
from agent.tools.outcome import BROKEN, PERHAPS_DONE, Outcome, outcome_of
from agent.tools.threads import TooMany, in_thread

LIMIT_S = 25.0
"""How long a call may take, both tries of a look-up together: its tool is given up after 30 s."""

MAX_BODY_BYTES = 1 << 20
"""More is not read: a result is cut much earlier."""

WITHOUT_BODY = frozenset({"GET", "DELETE"})
PASSING = frozenset({429, 502, 503, 504})
"""Statuses after which the same call may go better."""

LOST_BEHIND = frozenset({502, 504})
"""Of these, those of a gateway that has passed the call on, and got no answer."""

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.LocalProtocolError,
    httpx.UnsupportedProtocol,
)
"""Errors that come before the first byte of a request is sent."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


type Plain = str | bool | int | float | None
type Given = str | bool | int | float | Digits


class NotCallable(ValueError):  # noqa: N818 - what it is, not that it is an error
    """A URL cannot be called. The message says what was expected."""


def placeholders(url: str) -> list[str]:
    """The parameters that a URL names, as ``{name}``."""
    return _PLACEHOLDER.findall(url)


def web_tool(
    url: str,
    *,
    method: str,
    headers: Mapping[str, str],
    body: Mapping[str, object],
    allow_private: bool,
) -> "WebTool":
    """An HTTP call as a tool.

    Args:
        url: Its URL, with ``{name}`` for arguments in its path or query.
        method: Its method.
        headers: Its headers, secrets included.
        body: Fields of its JSON body that are always the same.
        allow_private: Whether its host may be in a private network.

    Raises:
        NotCallable: The URL is none, or an argument stands in its host.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise NotCallable(f"expected a URL such as https://api.example.com/orders, got {url!r}")
    if _PLACEHOLDER.search(parts.netloc) or parts.username is not None:
        raise NotCallable(f"expected a fixed host without a user, got {parts.netloc!r}")
    _trust()
    return WebTool(url, method, dict(headers), dict(body), allow_private)


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted. To read them takes 20 ms: before any call, and once."""
    return ssl.create_default_context(cafile=certifi.where())


@dataclass(frozen=True, slots=True)
class WebTool:
    """See `web_tool`."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: Mapping[str, object]
    allow_private: bool
    secure: tuple[str, ...] = ()
    """The fields of its body that the caller types in secret."""

    async def run_with(
        self, typed: Mapping[str, Digits], arguments: Mapping[str, object]
    ) -> Outcome:
        """As `run`, with what the caller typed: it stands in the body, and nowhere in the outcome.

        Args:
            typed: What the caller typed, by field; without all of them nothing runs.
            arguments: The others.
        """
        if typed.keys() != set(self.secure):
            problem = "what the caller typed for it is not here"
            return Outcome(Status.ERROR, hint=BROKEN, problem=problem)
        outcome = await self.run({**arguments, **typed})
        secrets = typed.values()
        return replace(
            outcome, data=without(outcome.data, secrets), hint=without(outcome.hint, secrets)
        )

    async def run(self, arguments: Mapping[str, object]) -> Outcome:
        """Call it; a look-up is tried twice. Raises nothing but what a cancellation raises."""
        try:
            async with asyncio.timeout(LIMIT_S):
                outcome = await self._try(arguments)
                if outcome.retryable and self._looks_up:
                    outcome = await self._try(arguments)
                return outcome
        except TimeoutError:
            return self._lost(Status.TIMEOUT, "timed out")

    @property
    def _looks_up(self) -> bool:
        return self.method == "GET"

    async def _try(self, arguments: Mapping[str, object]) -> Outcome:
        try:
            client, request = await self._request(arguments)
        except NotAllowed:
            problem = "its host is in a private network; allow_private = true allows that"
            return Outcome(Status.ERROR, hint=BROKEN, problem=problem)
        except OSError as error:  # its name is not found
            return _failed(type(error).__name__)
        except (httpx.InvalidURL, ValueError) as error:  # too long, or a half of a character
            problem = f"these arguments cannot be sent ({type(error).__name__})"
            return Outcome(Status.ERROR, hint=BROKEN, problem=problem)
        try:
            return await self._answer(client, request)
        except NOT_SENT as error:
            return _failed(type(error).__name__)
        except httpx.TimeoutException:
            return self._lost(Status.TIMEOUT, "timed out")
        except TooMany:
            return self._lost(Status.ERROR, "too many threads to read its answer")
        except (httpx.HTTPError, OSError) as error:
            return self._lost(Status.ERROR, type(error).__name__)

    def _lost(self, status: Status, problem: str) -> Outcome:
        """What a call came to that was sent, and whose answer is lost."""
        if self._looks_up:
            return _failed(problem, status)
        return Outcome(Status.UNKNOWN, hint=PERHAPS_DONE, problem=problem)

    async def _answer(self, client: httpx.AsyncClient, request: httpx.Request) -> Outcome:
        async with client:
            response = await client.send(request, stream=True)
            try:
                if response.status_code in LOST_BEHIND:
                    return self._lost(Status.ERROR, f"HTTP {response.status_code}")
                return await _outcome(response)
            finally:
                await response.aclose()

    async def _request(
        self, arguments: Mapping[str, object]
    ) -> tuple[httpx.AsyncClient, httpx.Request]:
        url, others = self._url(arguments)
        in_body = self.method not in WITHOUT_BODY
        if others and not in_body:
            url = url.copy_merge_params(_plain(others))
        port = url.port or (443 if url.scheme == "https" else 80)
        address = await address_of(url.host, port, allow_private=self.allow_private)
        client = httpx.AsyncClient(
            verify=_trust(), trust_env=False, follow_redirects=False, timeout=LIMIT_S
        )
        request = client.build_request(
            self.method,
            url.copy_with(host=address),
            headers={**self.headers, "Host": url.netloc.decode("ascii")},
            json={**_revealed(others), **self.body} if in_body else None,
            extensions={"sni_hostname": url.host},
        )
        return client, request

    def _url(self, arguments: Mapping[str, object]) -> tuple[httpx.URL, dict[str, Given]]:
        """The URL with what it names, and the arguments that it does not name."""
        others: dict[str, Given] = {}
        url = self.url
        for name, value in arguments.items():
            place = f"{{{name}}}"
            if place in url:
                url = url.replace(place, _quoted(value))
            elif isinstance(value, str | bool | int | float | Digits):
                others[name] = value
            else:
                others[name] = str(value)
        return httpx.URL(url), others


def _revealed(given: Mapping[str, Given]) -> dict[str, Plain]:
    return {k: v.reveal() if isinstance(v, Digits) else v for k, v in given.items()}


def _plain(given: Mapping[str, Given]) -> dict[str, Plain]:
    """What may stand in a URL: nothing that was typed in secret."""
    return {k: v for k, v in given.items() if not isinstance(v, Digits)}


def _failed(problem: str, status: Status = Status.ERROR) -> Outcome:
    return Outcome(status, retryable=True, hint=BROKEN, problem=problem)


def _quoted(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # A part of a path that is only dots would mean another path.
    return quote(text, safe="").replace(".", "%2E") if set(text) <= {"."} else quote(text, safe="")


async def _outcome(response: httpx.Response) -> Outcome:
    if response.is_redirect:
        return Outcome(Status.ERROR, hint=BROKEN, problem=f"a redirect ({response.status_code})")
    if not response.is_success:
        retryable = response.status_code in PASSING
        problem = f"HTTP {response.status_code}"
        hint = BROKEN if response.status_code != 404 else "There is nothing of that kind."
        return Outcome(Status.ERROR, retryable=retryable, hint=hint, problem=problem)
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            break
    charset = response.charset_encoding or "utf-8"
    is_json = "json" in response.headers.get("content-type", "") and len(body) <= MAX_BODY_BYTES
    # A large body takes longer to read than the event loop may stand still.
    return await in_thread(lambda: _read(bytes(body[:MAX_BODY_BYTES]), charset, is_json=is_json))


def _read(body: bytes, charset: str, *, is_json: bool) -> Outcome:
    try:
        text = body.decode(charset, "replace")
    except LookupError:  # no such charset
        text = body.decode("utf-8", "replace")
    if is_json:
        with suppress(ValueError, RecursionError):
            return outcome_of(json.loads(text))
    return outcome_of(text)
