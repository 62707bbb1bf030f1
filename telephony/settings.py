"""The settings, read from the environment once and in this module alone.

All other modules are passed the settings that they need. An empty variable counts as unset. All
problems are reported in one message, each with a hint how to solve it.
"""

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from telephony import addresses, keys
from telephony.errors import SettingsError
from telephony.hints import HINTS
from telephony.process import one_blas_thread

TWILIO_API_URL = "https://api.twilio.com"
ACCOUNT_SID = "^AC[0-9A-Za-z]+$"
LABEL = "^[a-z0-9-]+$"

_OTHERS = re.compile(r"(SSL|GOOGLE)_(?!GEMINI_)|API_(?!TOK)|OTEL_|REDIS_(SERVICE|PORT)(_|$)").match
"""Variables of other programs, and of a Kubernetes service called redis, with our prefixes."""


class TwilioSettings(BaseSettings):
    """The settings for a Twilio account, and the address that its numbers call."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    twilio_account_sid: str | None = Field(
        None,
        pattern=ACCOUNT_SID,
        description="The account that has the number. Webhooks of other accounts are refused. "
        "Transfers with `warm = true`, text messages, calls that are placed, and the rescue of "
        "calls whose worker is lost need it.",
    )
    twilio_auth_token: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        description="The token that Twilio signs webhooks with. Give old,new while you rotate it."
    )
    twilio_api_url: str = Field(TWILIO_API_URL, description="The address of Twilio's REST API.")
    twilio_region: str | None = Field(
        None,
        pattern=LABEL,
        description="The Twilio Region that holds the number, if it is not us1. Set TWILIO_EDGE "
        "with it.",
    )
    twilio_edge: str | None = Field(
        None,
        pattern=LABEL,
        validate_default=True,
        description="The Twilio Edge through which that Region is reached.",
    )
    public_url: str = Field(description="The https address under which Twilio reaches this server.")
    state_dir: Path = Field(
        Path("~/.local/state/offhook"),
        description="The folder for data that must survive a restart: the calls, if REDIS_URL is "
        "not set, and the webhooks that `offhook number` replaced.",
    )

    @field_validator("twilio_auth_token", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("twilio_auth_token")
    @classmethod
    def _at_least_one(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value:
            raise ValueError("expected one token, or several with commas between")
        return value

    @field_validator("public_url")
    @classmethod
    def _of_this_server(cls, value: str) -> str:
        return addresses.of_this_server(value)

    @field_validator("twilio_api_url")
    @classmethod
    def _twilios(cls, value: str) -> str:
        return addresses.https(value, or_http=True)

    @field_validator("twilio_edge")
    @classmethod
    def _with_its_region(cls, value: str | None, info: ValidationInfo) -> str | None:
        # A Region alone gives a host name that Twilio switched off in April 2026
        if "twilio_region" in info.data and (info.data["twilio_region"] is None) != (value is None):
            raise ValueError(
                "expected TWILIO_REGION and TWILIO_EDGE, or neither, got "
                + ("TWILIO_REGION alone" if value is None else "TWILIO_EDGE alone")
            )
        return value

    @property
    def auth_tokens(self) -> tuple[str, ...]:
        """Twilio's auth tokens as plain text."""
        return tuple(token.get_secret_value() for token in self.twilio_auth_token)


class NumberSettings(TwilioSettings):
    """The settings of `offhook number`, which needs neither Gemini nor the server."""

    twilio_account_sid: str = Field(
        pattern=ACCOUNT_SID, description="The account that has the number."
    )


class Settings(TwilioSettings):
    """The settings of `offhook serve`. The page docs/settings.md lists the same."""

    gemini_api_key: SecretStr = Field(description="The key for the Gemini API.")
    gemini_model: str = Field("gemini-3.8-live", description="The Live model that answers calls.")
    gemini_fallback_model: str | None = Field(
        None, description="The Live model that answers calls while GEMINI_MODEL is unavailable."
    )
    google_gemini_base_url: str | None = Field(
        None, description="The https address of the Gemini API, if it is not Google's."
    )
    ssl_cert_file: Path | None = Field(
        None,
        description="A PEM file of CA certificates to trust instead of the usual ones, for the "
        "Gemini API, WEBHOOK_URL and, in `offhook doctor`, for PUBLIC_URL.",
    )
    personas: Path | None = Field(
        None,
        description="The persona file of your agent, or a folder of such files. If it is not set, "
        "a built-in agent answers.",
    )
    transfer_to: str | None = Field(
        None,
        description="The phone number (+1…) or SIP address (sip:…) to which a call is transferred "
        "that offhook cannot continue. If it is not set, such a call ends after an apology.",
    )
    redis_url: str | None = Field(
        None,
        description="The address of the Redis server that keeps calls. If it is not set, offhook "
        "starts a server of its own, which keeps them in STATE_DIR.",
    )
    transcript_ttl_s: int = Field(
        604_800, ge=60, description="How long the data of a call is kept, in seconds."
    )
    drain_budget_s: int = Field(
        20,
        ge=0,
        le=86_400,
        description="How long running calls may go on after SIGTERM, in seconds.",
    )
    redial_window_s: int = Field(
        120,
        ge=0,
        le=3_600,
        description="How long a caller who was cut off can call again and continue the "
        "conversation, in seconds. 0 turns this off.",
    )
    record_dir: Path | None = Field(
        None,
        description="The folder for recordings of calls. If it is set, every call is recorded, and "
        "callers are not told; if not, only those of agents whose persona file has it so.",
    )
    record_calls: str = Field(
        "all",
        description="Which calls are recorded: all, a share such as 0.05, or only those from or "
        "to the numbers +1…,+1….",
    )
    recording_key: SecretStr | None = Field(
        None,
        description="The key with which recordings are encrypted: base64 of 32 bytes. Give new,old "
        "to read what was encrypted with an older key, too. If it is not set, recordings are not "
        "encrypted.",
    )
    summary_model: str | None = Field(
        None,
        description="The Gemini text model that summarises each call when it is over. If it is not "
        "set, there are no summaries.",
    )
    webhook_url: str | None = Field(
        None,
        description="The https address to which each call is posted as JSON when it is over, with "
        "its transcript and its summary. Set WEBHOOK_SECRET with it.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The secret with which these posts are signed, as Standard Webhooks has it: "
        "whsec_ and base64, or any text.",
    )
    api_token: SecretStr | None = Field(
        None,
        validate_default=True,
        description="The token for `offhook call` and `POST /calls`. If it is not set, no calls "
        "are placed. Set TWILIO_ACCOUNT_SID with it.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="The port to listen on.")
    keep_alive_s: int = Field(
        130,
        ge=1,
        le=3_600,
        description="How long an idle HTTP connection is kept open, in seconds. It must be longer "
        "than a proxy in front of the server keeps it.",
    )
    hot_path: Literal["fast", "sdk"] = Field(
        "fast",
        description="What writes and reads messages of audio, to and from Twilio and Gemini: "
        "`fast`, offhook itself, in less CPU time; `sdk`, the libraries.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="The port for `/metrics`. If it is not set, there are no metrics. If it is the "
        "same as PORT, the public can read them.",
    )
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        description="The address of an OpenTelemetry collector (OTLP over HTTP), to which traces "
        "of calls are sent, without what is said. If it is not set, there are none.",
    )
    otel_exporter_otlp_headers: SecretStr | None = Field(
        None,
        description="The headers that the collector asks for: name=value, with commas between.",
    )

    @property
    def redis_address(self) -> str:
        """REDIS_URL without user name, password and options, so that messages can show it."""
        parts = urlsplit(self.redis_url or "")
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def trace_headers(self) -> dict[str, str]:
        """The headers for the collector of traces."""
        given = self.otel_exporter_otlp_headers
        return {} if given is None else keys.headers(given.get_secret_value())

    @property
    def store_dir(self) -> Path:
        """The folder in which calls are kept when REDIS_URL is not set."""
        return self.state_dir.expanduser().absolute() / "store"

    @property
    def recordings_dir(self) -> Path:
        """The folder for recordings."""
        return self.record_dir or self.state_dir.expanduser().absolute() / "recordings"

    @field_validator("gemini_api_key")
    @classmethod
    def _visible(cls, value: SecretStr) -> SecretStr:
        if not addresses.PLAIN(value.get_secret_value()):
            raise ValueError("expected visible ASCII characters without spaces (not shown)")
        return value

    @field_validator("otel_exporter_otlp_endpoint")
    @classmethod
    def _collector(cls, value: str | None) -> str | None:
        return None if value is None else addresses.https(value, or_http=True)

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _named(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            keys.headers(value.get_secret_value())
        return value

    @field_validator("recording_key")
    @classmethod
    def _of_32_bytes(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            keys.recording_keys(value.get_secret_value())
        return value

    @field_validator("google_gemini_base_url")
    @classmethod
    def _googles(cls, value: str | None) -> str | None:
        return None if value is None else addresses.https(value)

    @field_validator("transfer_to")
    @classmethod
    def _dialable(cls, value: str | None) -> str | None:
        return None if value is None else addresses.dialable(value)

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        return None if value is None else addresses.redis(value)

    @field_validator("webhook_url")
    @classmethod
    def _posted_to(cls, value: str | None) -> str | None:
        return None if value is None else addresses.posted_to(value)

    @field_validator("webhook_secret")
    @classmethod
    def _with_its_url(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("webhook_url") and value is None:
            raise ValueError("missing, and WEBHOOK_URL is set")
        if value is not None:
            keys.check_webhook_secret(value.get_secret_value())
        return value

    @field_validator("api_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            return None
        if not addresses.PLAIN(given := value.get_secret_value()) or len(given) < 16:
            raise ValueError("expected at least 16 visible ASCII characters, no spaces (not shown)")
        if "twilio_account_sid" in info.data and info.data["twilio_account_sid"] is None:
            raise ValueError("expected TWILIO_ACCOUNT_SID with it, the account that places calls")
        return value

    @field_validator("ssl_cert_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"expected a readable file, got {str(value)!r}")
        return value


def load(**overrides: Any) -> Settings:
    """Read all settings, as `offhook serve` needs them. See `read`."""
    return read(Settings, **overrides)


def read[S: BaseSettings](kind: type[S], **overrides: Any) -> S:
    """Read the settings that one command needs from the environment.

    Args:
        kind: The class of these settings.
        overrides: Settings given on the command line; None means not given, "" means unset.

    Raises:
        SettingsError: Settings are missing or wrong. The message has a line for each.
    """
    one_blas_thread()
    given: dict[str, Any] = {
        name: None if value == "" else value
        for name, value in overrides.items()
        if value is not None
    }
    try:
        return kind(**given)
    except ValidationError as error:
        problems = "\n".join(_explain(dict(problem)) for problem in error.errors())
        raise SettingsError(f"settings that are missing or wrong:\n{problems}") from None


def secret(name: str) -> str | None:
    """The value of a variable that a persona file names; None if it is not set."""
    return os.environ.get(name)


def unknown(environment: Mapping[str, str] = os.environ) -> list[str]:
    """One warning for each variable that has a prefix of our settings but is not one of them."""
    known = [name.upper() for name in Settings.model_fields]
    prefixes = tuple(f"{name.partition('_')[0]}_" for name in known if "_" in name)
    return [
        f"{name} is set, but offhook has no such setting{_did_you_mean(name, known)}"
        for name in sorted(environment)
        if name.startswith(prefixes) and name not in known and not _OTHERS(name)
    ]


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else "; docs/settings.md lists all settings"


def _explain(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]).upper()
    what = "missing" if problem["type"] == "missing" else str(problem["msg"])
    what = what.removeprefix("Value error, ")
    hint = f"\n    hint: {HINTS[name]}" if name in HINTS else ""
    return f"  {name}: {what}{hint}"
