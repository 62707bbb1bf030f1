"""Twilio's HTTP requests: signed, form-encoded, tried again where Twilio can be told to.

A worker that refuses the connection costs nothing, as behind a load balancer: the next one is
asked. Any other failure (no answer in time, a broken connection, 5xx) is tried once more, at the
next worker, with the same idempotency token: `#rc=1&rp=ct,rt,5xx` in Twilio's terms.

Source: Twilio's documentation (webhooks, security, connection overrides; read in October 2026).
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
from twilio.request_validator import (  # type: ignore[import-untyped] # twilio ships no types
    RequestValidator,
)

from telephony.simulator.clock import Clock
from telephony.simulator.elements import Request
from telephony.simulator.report import WebhookAnswered
from telephony.simulator.workers import Target, Workers

CONNECT_TIMEOUT_S = 5.0
TOTAL_TIMEOUT_S = 15.0
FAILURES_BORNE = 1


class WebhookError(Exception):
    """No usable answer. `code` is Twilio's: 11200 for an HTTP error, 11205 for no connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


def signature(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature of a request.

    Args:
        auth_token: The key.
        url: As the server knows itself: the public one. Over TLS its port is not signed.
        params: The form's; none for a GET or a WebSocket upgrade.
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
        client: Closed by whoever opened it.
        workers: Who answers.
        auth_token: What requests are signed with.
        clock: The call's.
        tell: Is told of each answer.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        workers: Workers,
        auth_token: str,
        clock: Clock,
        tell: Callable[[WebhookAnswered], None],
    ) -> None:
        self._client, self._workers, self._auth_token = client, workers, auth_token
        self._clock, self._tell = clock, tell

    async def send(
        self, request: Request, params: Mapping[str, str], *, token: str = ""
    ) -> httpx.Response:
        """One request, until it is answered.

        Args:
            request: The public URL, and how.
            params: The form.
            token: The idempotency token, to deliver something again; otherwise a new one.

        Raises:
            WebhookError: Nobody answered, or with an error.
        """
        url = request.url.partition("#")[0]
        form = params if request.method == "POST" else {}
        if request.method == "GET" and params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        headers = {
            "User-Agent": "TwilioProxy/1.1",
            "X-Home-Region": "us1",
            "X-Twilio-Signature": signature(self._auth_token, url, form),
            "I-Twilio-Idempotency-Token": token or secrets.token_hex(16),
        }
        problem, failures = WebhookError(11205, "every worker refused the connection"), 0
        for target in self._workers.targets(url) * (FAILURES_BORNE + 1):
            try:
                response = await self._attempt(target, request.method, form, headers)
            except httpx.ConnectError:
                continue
            except (httpx.TransportError, TimeoutError) as error:
                problem = WebhookError(11205, f"{target.url}: {type(error).__name__}")
            else:
                if response.is_success:
                    return response
                problem = WebhookError(11200, f"{target.url}: HTTP {response.status_code}")
                if not response.is_server_error:
                    break
            failures += 1
            if failures > FAILURES_BORNE:
                break
        raise problem

    async def _attempt(
        self, target: Target, method: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> httpx.Response:
        began_ms = self._clock.now_ms()
        async with asyncio.timeout(TOTAL_TIMEOUT_S):
            response = await self._client.request(
                method,
                target.url,
                data=form or None,
                headers=headers,
                timeout=httpx.Timeout(TOTAL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            )
        now_ms = self._clock.now_ms()
        path = urlsplit(target.url).path
        self._tell(
            WebhookAnswered(now_ms, path, response.status_code, now_ms - began_ms, target.worker)
        )
        return response
