"""Posts what became of a call to the owner's webhook, signed as Standard Webhooks has it.

The signature is an HMAC-SHA256 over ``<webhook-id>.<webhook-timestamp>.<body>``. The id stays the
same when a post is repeated, so that a receiver can tell; the time does not.

Source: Standard Webhooks, specification 1.0.0.
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from pathlib import Path

import certifi
import httpx

from telephony.keys import WHSEC

TIMEOUT_S = 10.0

NO_ANSWER = 0
"""In place of a status: nothing was answered in time."""

GONE = 410
"""The status of a receiver that wants no more of these."""


def key_of(secret: str) -> bytes:
    """The key of a secret: what follows ``whsec_`` in base64, or else any text itself."""
    if secret.startswith(WHSEC):
        return base64.b64decode(secret.removeprefix(WHSEC))
    return secret.encode()


def signature(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of the header ``webhook-signature``."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


class Delivery:
    """The webhook. Call `aclose` at the end.

    Args:
        url: Its address.
        secret: The secret that the receiver knows too.
        ca_file: A PEM file of the certificate authorities to trust; None for the public ones.

    Raises:
        ValueError: The address or `ca_file` cannot be used.
    """

    def __init__(self, url: str, secret: str, ca_file: Path | None = None) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(
                f"WEBHOOK_URL: expected an address, got another text: {error}"
            ) from None
        self._key = key_of(secret)
        try:
            trust = ssl.create_default_context(cafile=ca_file or certifi.where())
        except OSError as error:
            raise ValueError(f"expected a PEM file of certificates, got {ca_file}") from error
        # The environment's proxies and .netrc are not ours: settings alone say where data goes
        self._client = httpx.AsyncClient(
            verify=trust, timeout=TIMEOUT_S, follow_redirects=False, trust_env=False
        )

    async def post(self, message_id: str, timestamp_s: int, body: bytes) -> tuple[int, str]:
        """Post once. No redirect is followed, and the answer's body is not read.

        Returns:
            The status of the answer, and ""; or `NO_ANSWER`, and why.
        """
        headers = {
            "content-type": "application/json",
            "user-agent": "offhook",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature(self._key, message_id, timestamp_s, body),
        }
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._client.stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                return answer.status_code, ""
        except (httpx.HTTPError, OSError) as error:  # a timeout is an OSError
            return NO_ANSWER, type(error).__name__

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()
