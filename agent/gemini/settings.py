"""The settings that are needed to connect to Gemini Live. Other modules read the environment."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

GOOGLE_BASE_URL = "https://generativelanguage.googleapis.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiSettings:
    """The settings for a connection to Gemini Live.

    Args:
        api_key: A Gemini API key. Kept out of the repr.
        model: Name of a Live model, with or without ``models/``.
        fallback_model: The model for sessions that ask for the fallback; None if there is none.
        base_url: The API's ``https`` or ``wss`` URL, with its path; None for Google's.
        api_version: Pinned, because the SDK's default went to ``v1`` in 3.0.0, while every
            documented Live endpoint is ``v1beta``.
        ca_file: A PEM file of the certificate authorities to trust; None for the public ones.
        connect_timeout_ms: How long opening may take: the name look-up, the setup, and sending
            the history.
        close_timeout_ms: How long the other side may take to answer our close.
        max_message_bytes: The longest message accepted. One second of reply audio is 64 kB; the
            WebSocket library's own limit, 1 MiB, has been exceeded.
        hot_path: ``fast`` if audio messages are written and read here, ``sdk`` if by the SDK. Their
            bytes are the same.

    Raises:
        ValueError: A setting is wrong. The message says which and what was expected, never the key.
    """

    api_key: str = field(repr=False)
    model: str = "gemini-3.8-live"
    fallback_model: str | None = None
    base_url: str | None = None
    api_version: str = "v1beta"
    ca_file: str | None = None
    connect_timeout_ms: int = 8_000
    close_timeout_ms: int = 300
    max_message_bytes: int = 16 * 2**20
    hot_path: Literal["fast", "sdk"] = "fast"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[!-~]+", self.api_key):
            raise ValueError(
                "api_key: expected visible ASCII characters without spaces, got "
                + ("none" if not self.api_key else "something else (not shown)")
                + "; hint: an API key is made at https://aistudio.google.com/apikey"
            )
        if not _is_tls_url(self.origin):
            raise ValueError(
                f"base_url: expected a URL like {GOOGLE_BASE_URL}, got {self.base_url!r}; "
                "hint: the SDK speaks TLS only, so a server on http or ws cannot be reached"
            )
        for name in ("connect_timeout_ms", "close_timeout_ms", "max_message_bytes"):
            if (value := getattr(self, name)) <= 0:
                raise ValueError(f"{name}: expected more than 0, got {value}")

    @property
    def origin(self) -> str:
        """The base URL in use, without a slash at its end: the SDK appends ``/ws/…``."""
        return (self.base_url or GOOGLE_BASE_URL).rstrip("/")


def _is_tls_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in {"https", "wss"} and bool(url.hostname) and url.port != 0
    except ValueError:  # urlsplit raises it for a malformed host, .port for a malformed port
        return False
