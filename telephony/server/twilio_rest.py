"""Redirects or ends a running call through Twilio's REST API, with the twilio library.

The library blocks, so it runs in a thread. A request is repeated a few times after errors that may
be temporary: 429, 5xx, or no answer. If a redirect is carried out twice, the call moves twice,
which does no harm.

Source: twilio 9.13; Twilio's documentation, Call resource, error 21220 (read in October 2026).
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # twilio ships no types
    TwilioException,
    TwilioRestException,
)
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]  # as above
from twilio.http.response import Response  # type: ignore[import-untyped]  # as above
from twilio.rest import Client  # type: ignore[import-untyped]  # as above

from telephony.settings import TWILIO_API_URL, TwilioSettings

TIMEOUT_S = 3.0
ATTEMPTS = 4
FIRST_PAUSE_S = 0.5

OVER = frozenset({404, 21220})
"""The status and the error code for a call that is not in progress."""

TOO_MANY = 429


class RestRefused(Exception):  # noqa: N818 - what happened, as `Refused`
    """Twilio could not be reached, or refused. `why` is short, and holds no secret."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class HttpClient(TwilioHttpClient):  # type: ignore[misc]  # of a library without types
    """The library's HTTP client with another base URL. It keeps the last answer."""

    def __init__(self, api_url: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self._api_url = api_url
        self.answer: Response | None = None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Send a request as the library does."""
        if self._api_url != TWILIO_API_URL:
            parts = urlsplit(url)
            url = self._api_url + parts.path + (f"?{parts.query}" if parts.query else "")
        response = super().request(method, url, *args, **kwargs)
        self.answer = response
        return response


def client(settings: TwilioSettings, http: HttpClient) -> Client:
    """Twilio's client for the account that the settings name."""
    return Client(
        settings.twilio_account_sid,
        # While tokens are rotated the REST API accepts both, afterwards only the new one
        settings.auth_tokens[-1],
        region=settings.twilio_region,
        edge=settings.twilio_edge,
        http_client=http,
    )


class TwilioRest:
    """The calls of the account in the settings.

    Args:
        settings: The settings, with an account SID.
        random: The random numbers for the length of pauses.
        failed: Called with why a request failed, whether it is repeated or not.
        first_pause_s: The longest pause before the second attempt; twice that before the third.
    """

    def __init__(
        self,
        settings: TwilioSettings,
        random: Random,
        *,
        failed: Callable[[str], None] = lambda _: None,
        first_pause_s: float = FIRST_PAUSE_S,
    ) -> None:
        self._settings = settings
        self._random = random
        self._failed = failed
        self._first_pause_s = first_pause_s

    def warm_up(self) -> None:
        """Load what the library loads with its first request, which stops a busy worker for long:
        before any call, and not while the first one waits.
        """
        _ = client(self._settings, HttpClient(self._settings.twilio_api_url, TIMEOUT_S)).calls

    async def redirect(self, call_sid: str, url: str) -> bool:
        """Make Twilio interrupt a call's document, and ask `url` how to go on.

        Returns:
            False if the call is over.

        Raises:
            RestRefused: All attempts failed.
        """
        done = await self._tried(lambda calls: calls(call_sid).update(url=url, method="POST"))
        return done is not None

    async def hang_up(self, call_sid: str) -> bool:
        """End a call, whether it rings or talks; otherwise as `redirect`."""
        done = await self._tried(lambda calls: calls(call_sid).update(status="completed"))
        return done is not None

    async def goes_on(self, call_sid: str) -> bool:
        """Whether a call is in progress now. Raises `RestRefused`."""
        found = await self._tried(lambda calls: calls(call_sid).fetch())
        return found is not None and found.status == "in-progress"

    async def _tried(self, request: Callable[[Any], Any]) -> Any:
        """What a request to the account's calls answers; None if the call is over."""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(self._random.uniform(0, self._first_pause_s * 2**attempt))
            try:
                return await asyncio.to_thread(self._once, request)
            except TwilioRestException as error:
                if OVER & {error.status, error.code}:
                    return None
                why = f"HTTP {error.status}"
                self._failed(why)
                if error.status != TOO_MANY and error.status < 500:
                    raise RestRefused(f"{why}, error {error.code}") from error
            except (requests.RequestException, TwilioException, ValueError) as error:
                why = type(error).__name__  # ValueError: an answer that is not JSON
                self._failed(why)
        raise RestRefused(f"{why}, {ATTEMPTS} times")

    def _once(self, request: Callable[[Any], Any]) -> Any:
        # A new client each time: the library's sessions are not thread-safe, and this is rare.
        with_account = client(self._settings, HttpClient(self._settings.twilio_api_url, TIMEOUT_S))
        return request(with_account.calls)
