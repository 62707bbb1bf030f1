"""Secrets that have a form of their own: what they must look like, and their bytes."""

import re
from base64 import b64decode
from urllib.parse import unquote

WHSEC = "whsec_"
"""How a webhook's secret begins that is written as Standard Webhooks has it."""

KEY_BYTES = 32

_HEADER = re.compile(r"[a-z0-9-]+")


def recording_keys(text: str) -> tuple[bytes, ...]:
    """The keys of RECORDING_KEY, of 32 bytes each: the first seals, each of them opens.

    Args:
        text: They in base64, such as `openssl rand -base64 32` prints, with commas between them.

    Raises:
        ValueError: The text has another form. The message does not show it.
    """
    return tuple(map(_recording_key, text.split(",")))


def _recording_key(text: str) -> bytes:
    try:
        key = b64decode(text.strip(), validate=True)
    except ValueError:
        raise ValueError(
            f"expected base64 of {KEY_BYTES} bytes, got other text (not shown)"
        ) from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"expected base64 of {KEY_BYTES} bytes, got {len(key)} bytes (not shown)")
    return key


def check_webhook_secret(text: str) -> None:
    """Check the form of WEBHOOK_SECRET.

    Raises:
        ValueError: It begins as Standard Webhooks has it, and does not go on so.
    """
    if not text.startswith(WHSEC):
        return
    try:
        b64decode(text.removeprefix(WHSEC), validate=True)
    except ValueError:
        raise ValueError(f"expected base64 after {WHSEC}, or any other text (not shown)") from None


def headers(text: str) -> dict[str, str]:
    """The headers of OTEL_EXPORTER_OTLP_HEADERS: name=value, with commas between, percent-encoded.

    Raises:
        ValueError: The text has another form. The message does not show it.
    """
    named = [pair.strip().partition("=") for pair in text.split(",")]
    found = {name.strip().lower(): unquote(value.strip()) for name, _, value in named}
    plain = all(value.isascii() and value.isprintable() for value in found.values())
    if not plain or not all(map(_HEADER.fullmatch, found)) or not all(eq for _, eq, _ in named):
        raise ValueError("expected name=value, with commas between, got other text (not shown)")
    return found
