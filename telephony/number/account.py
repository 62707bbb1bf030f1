"""One Twilio account over REST, through the twilio library.

Errors: `AccountError`, with one message for each problem that says how to solve it. A failed
request is never repeated without the user.

Source: twilio 9.13; Twilio's documentation, "Twilio API responses" (read in October 2026).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from twilio.base.exceptions import (  # type: ignore[import-untyped]  # twilio ships no types
    TwilioException,
)
from twilio.http.response import Response  # type: ignore[import-untyped]  # as above

from telephony.errors import OffhookError, UsageError
from telephony.number.webhooks import FIELDS, Number, Webhooks
from telephony.server.twilio_rest import HttpClient, client
from telephony.settings import TwilioSettings

TIMEOUT_S = 10.0

_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""The library raises these for an answer that is not JSON, or has an unexpected form."""


class AccountError(OffhookError):
    """Twilio's REST API could not be reached, or refused the request."""


class Account:
    """The account in the settings. Its methods block, and each may raise `AccountError`.

    Args:
        settings: The settings, with an account SID.
        timeout_s: How long connecting, and each wait for data, may take.
    """

    def __init__(self, settings: TwilioSettings, *, timeout_s: float = TIMEOUT_S) -> None:
        self.sid = settings.twilio_account_sid
        self._api_url = settings.twilio_api_url
        self._http = HttpClient(settings.twilio_api_url, timeout_s)
        self._client = client(settings, self._http)

    @property
    def date(self) -> datetime | None:
        """The time by Twilio's clock when it last answered, to the second."""
        if self._http.answer is None:
            return None
        try:
            return parsedate_to_datetime(self._http.answer.headers["Date"])
        except (LookupError, ValueError):
            return None

    def status(self) -> str:
        """Twilio's status of the account: active, suspended or closed."""
        with self._asking():
            return str(self._client.api.accounts(self.sid).fetch().status)

    def numbers(self) -> list[Number]:
        """All numbers of the account, in Twilio's order."""
        with self._asking():
            return [_number(one) for one in self._client.incoming_phone_numbers.list()]

    def number(self, phone_number: str) -> Number:
        """One number.

        Args:
            phone_number: In E.164.

        Raises:
            UsageError: The account does not have it.
        """
        with self._asking():
            found = self._client.incoming_phone_numbers.list(phone_number=phone_number)
            # Twilio also finds numbers that only contain these digits
            for one in map(_number, found):
                if one.phone_number == phone_number:
                    return one
        raise UsageError(
            f"expected a number of account {self.sid}, got {phone_number}; "
            "`offhook number list` shows its numbers; for a number of a subaccount, set "
            "TWILIO_ACCOUNT_SID; for one of another Region, set TWILIO_REGION and TWILIO_EDGE"
        )

    def update(self, number: Number, webhooks: Webhooks) -> Number:
        """Set some of a number's fields; returns the number as it is then."""
        with self._asking():
            return _number(self._client.incoming_phone_numbers(number.sid).update(**webhooks))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Raise every error in this block as `AccountError`."""
        try:
            yield
        except requests.Timeout as error:
            raise AccountError(
                f"{self._api_url} did not answer in time; try again, and see status.twilio.com"
            ) from error
        except requests.RequestException as error:
            raise AccountError(
                f"{self._api_url} cannot be reached ({type(error).__name__}); "
                "check the network, TWILIO_API_URL, TWILIO_REGION and TWILIO_EDGE"
            ) from error
        except (TwilioException, *_UNREADABLE) as error:
            # Read from the answer, because for a list the library's exception has no status
            if self._http.answer is not None and not self._http.answer.ok:
                raise AccountError(self._refusal(self._http.answer)) from error
            raise AccountError(
                f"expected {self._api_url} to answer as Twilio's REST API does, got something "
                f"else ({type(error).__name__}); check TWILIO_API_URL"
            ) from error

    def _refusal(self, answer: Response) -> str:
        code, words = _problem(answer)
        said = f"Twilio says {answer.status_code}, error {code}"
        match answer.status_code:
            case 401:
                return (
                    f"{said}: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN do not go together; "
                    "copy both from the front page of the Twilio Console"
                )
            case 404:
                return (
                    f"{said}: account {self.sid} does not have it; "
                    "`offhook number list` shows its numbers"
                )
            case 429:
                wait_s = answer.headers.get("Retry-After", "")
                when = f"in {wait_s} s" if wait_s.isdigit() else "in a moment"
                return f"{said}: too many requests; try again {when}"
            case status if status >= 500:
                return f"{said}: Twilio has a problem; try again later, and see status.twilio.com"
            case _:
                return f"{said}: {words}; see https://www.twilio.com/docs/errors/{code}"


def _problem(answer: Response) -> tuple[str, str]:
    """Twilio's error code and message in a refusal; "-" if it has no code."""
    try:
        problem = json.loads(answer.text)
        return str(problem["code"]), " ".join(str(problem["message"]).split())
    except (ValueError, LookupError, TypeError):
        return "-", "without a reason"


def _number(instance: Any) -> Number:
    methods = {"voice_method", "voice_fallback_method", "status_callback_method"}
    return Number(
        sid=instance.sid,
        phone_number=instance.phone_number,
        friendly_name=instance.friendly_name or "",
        webhooks={
            field: getattr(instance, field) or ("POST" if field in methods else "")
            for field in FIELDS
        },
    )
