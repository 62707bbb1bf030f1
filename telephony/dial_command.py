"""`offhook call`: asks a running server to place a call, and says what became of that."""

import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import typer
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from telephony.addresses import is_loopback
from telephony.errors import UsageError

PATIENCE_S = 60.0
"""The server may keep a call waiting for half a minute, and Twilio ten seconds more."""


class CallSettings(BaseSettings):
    """The settings of `offhook call`, which asks a running server."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    api_token: SecretStr = Field(description="The token of the server.")
    host: str = Field("127.0.0.1", description="The address on which the server listens.")
    port: int = Field(8000, ge=0, le=65_535, description="The port on which it listens.")


def call_and_print(
    settings: CallSettings, server: str | None, wish: dict[str, str], *, as_json: bool
) -> bool:
    """Ask the server, and print its answer.

    Args:
        settings: The token, and where the server listens.
        server: The server's address; None for the one on this machine.
        wish: The call, as `telephony.dialling.request` reads it.
        as_json: Whether to print the answer as it came.

    Returns:
        Whether the call was placed.

    Raises:
        UsageError: The server cannot be asked, or does not know this token.
    """
    url = _address(settings, server)
    headers = {"Authorization": f"Bearer {settings.api_token.get_secret_value()}"}
    try:
        answer = httpx.post(
            f"{url}/calls",
            json=wish,
            headers=headers,
            timeout=PATIENCE_S,
            trust_env=url.startswith("https:"),  # a proxy would see a token that is not encrypted
        )
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
        raise UsageError(
            f"expected a server at {url}, got {type(error).__name__}; start `offhook serve`, or "
            "name another one with --server"
        ) from error
    except httpx.HTTPError as error:
        raise UsageError(
            f"expected an answer of the server at {url}, got {type(error).__name__}; nobody knows "
            "whether the call was placed: look at the calls in the Twilio Console before you try "
            "again"
        ) from error
    try:
        told: dict[str, Any] = answer.json()
        said = str(told["call_sid"] if answer.is_success else told["message"])
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"expected offhook at {url}, got something that answers {answer.status_code}; name the "
            "server with --server"
        ) from error
    if told.get("error") in {"closed", "token"}:
        raise UsageError(f"{url}: {said}")
    if as_json:
        typer.echo(json.dumps(told))
    elif answer.is_success:
        typer.echo(f"{told['persona']} calls {wish['to']}: {said}")
    else:
        rule = f" ({told['rule']})" if "rule" in told else ""
        typer.echo(f"not placed{rule}: {said}", err=True)
    return answer.is_success


def _address(settings: CallSettings, server: str | None) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - read
    url = server or f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    try:
        parts = urlsplit(url)
    except ValueError:  # such as a bracket that is not closed
        parts = urlsplit("")
    plain = parts.scheme == "http" and (server is None or is_loopback(parts.hostname or ""))
    if not (parts.scheme == "https" or plain) or not parts.hostname:
        raise UsageError(
            f"--server: expected an address such as https://voice.example.com, got {url!r}; "
            "http:// is only for this machine, since the token is sent to it"
        )
    return url.rstrip("/")
