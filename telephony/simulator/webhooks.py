"""Twilio's HTTP requests: signed, form-encoded, and repeated as the URL's fragment says.

Each retry carries the same idempotency token. The fragment itself is neither signed nor sent. If a
worker refuses the connection, the next one is asked, as behind a load balancer. The connection has
failed only when all refuse.

Source: Twilio's documentation (webhooks, security, connection overrides; read in October 2026).
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
from twilio.request_validator import (  # type: ignore[import-untyped] # twilio ships no types
    RequestValidator,
)

from telephony.simulator.clock import Clock
from telephony.simulator.elements import Request
from telephony.simulator.overrides import Failure, Overrides, OverridesError, overrides
from telephony.simulator.report import WebhookAnswered
from telephony.simulator.workers import Target, Workers

HTTP_ERROR, NO_CONNECTION = 11200, 11205


class WebhookError(Exception):
    """No usable answer. `code` is Twilio's: 11200 for an HTTP error, 11205 for no connection or no
    answer in time, others for a URL that cannot be used.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class _FailedError(Exception):
    """One attempt failed."""

    def __init__(self, failure: Failure, code: int, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.error = WebhookError(code, reason)


def signature(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """The X-Twilio-Signature of a request.

    Args:
        auth_token: The token to sign with.
        url: The public URL. Over TLS its port is not signed.
        params: The form's parameters; none for a GET or a WebSocket upgrade.
    """
    parts = urlsplit(url)
    netloc = parts.netloc
    if parts.scheme in {"https", "wss"}:
        netloc = parts.hostname or ""
    signed = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
    return str(RequestValidator(auth_token).compute_signature(signed, dict(params)))


class Webhooks:
    """Sends requests to the workers behind the public URL.

    Args:
        client: The HTTP client; the calling code closes it.
        workers: The workers that answer.
        auth_token: The token that signs requests.
        clock: The call's clock.
        tell: Called with each answer.
        retry_pause_ms: How long to wait before a request is sent again.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        workers: Workers,
        auth_token: str,
        clock: Clock,
        tell: Callable[[WebhookAnswered], None],
        *,
        retry_pause_ms: int = 0,
    ) -> None:
        self._client, self._workers, self._auth_token = client, workers, auth_token
        self._clock, self._tell = clock, tell
        self._retry_pause_ms = retry_pause_ms

    async def send(
        self, request: Request, params: Mapping[str, str], *, token: str = ""
    ) -> httpx.Response:
        """Send one request, and repeat it as its URL says.

        Args:
            request: The public URL and the method.
            params: The form.
            token: The idempotency token, to deliver something again; otherwise a new one.

        Raises:
            WebhookError: All attempts failed.
        """
        url, _, fragment = request.url.partition("#")
        try:
            limits = overrides(fragment)
        except OverridesError as invalid:
            raise WebhookError(invalid.code, str(invalid)) from invalid
        form = params if request.method == "POST" else {}
        if request.method == "GET" and params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "X-Home-Region": "us1",
            "X-Twilio-Signature": signature(self._auth_token, url, form),
            "I-Twilio-Idempotency-Token": token or secrets.token_hex(16),
        }
        targets = deque(self._workers.targets(url))
        try:
            async with asyncio.timeout(limits.total_ms / 1000):
                return await self._persist(targets, request.method, form, headers, limits)
        except TimeoutError:
            reason = f"{url}: no answer within {limits.total_ms} ms"
            raise WebhookError(NO_CONNECTION, reason) from None

    async def _persist(
        self,
        targets: deque[Target],
        method: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        limits: Overrides,
    ) -> httpx.Response:
        for retries_left in reversed(range(limits.retries + 1)):
            try:
                return await self._attempt(targets, method, form, headers, limits)
            except _FailedError as failed:
                if not retries_left or failed.failure not in limits.retried:
                    raise failed.error from failed
            await asyncio.sleep(self._retry_pause_ms / 1000)
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(
        self,
        targets: deque[Target],
        method: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        limits: Overrides,
    ) -> httpx.Response:
        """Ask the first worker that accepts the connection. The next attempt begins behind it."""
        for _ in range(len(targets)):
            target = targets[0]
            targets.rotate(-1)
            try:
                response = await self._ask(target, method, form, headers, limits)
            except httpx.ConnectError:
                continue
            except httpx.ConnectTimeout as error:
                raise _failed(Failure.CONNECT, target, type(error).__name__) from error
            except httpx.TransportError as error:
                raise _failed(Failure.READ, target, type(error).__name__) from error
            if response.is_success:
                return response
            server = response.is_server_error
            failure = Failure.SERVER_ERROR if server else Failure.CLIENT_ERROR
            reason = f"{target.url}: HTTP {response.status_code}"
            raise _FailedError(failure, HTTP_ERROR, reason)
        raise _FailedError(Failure.CONNECT, NO_CONNECTION, "every worker refused the connection")

    async def _ask(
        self,
        target: Target,
        method: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        limits: Overrides,
    ) -> httpx.Response:
        began_ms = self._clock.now_ms()
        response = await self._client.request(
            method,
            target.url,
            data=form or None,
            headers=headers,
            timeout=httpx.Timeout(limits.read_ms / 1000, connect=limits.connect_ms / 1000),
        )
        now_ms = self._clock.now_ms()
        path = urlsplit(target.url).path
        self._tell(
            WebhookAnswered(now_ms, path, response.status_code, now_ms - began_ms, target.worker)
        )
        return response


def _failed(failure: Failure, target: Target, why: str) -> _FailedError:
    return _FailedError(failure, NO_CONNECTION, f"{target.url}: {why}")
