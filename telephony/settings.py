"""The environment, read once, in one place. Everything else is handed what it needs.

An empty variable counts as unset. Every problem is reported at once, each with a way out.
"""

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from telephony.errors import SettingsError

HINTS = {
    "GEMINI_API_KEY": "make a key in Google AI Studio; `offhook simulate gemini` takes any text",
    "TWILIO_AUTH_TOKEN": "copy the Auth Token from the front page of the Twilio Console",
    "TWILIO_ACCOUNT_SID": "copy the Account SID from the front page of the Twilio Console",
    "PUBLIC_URL": "the https address under which Twilio reaches this server, "
    "such as https://voice.example.com; a tunnel such as ngrok gives you one",
    "TWILIO_EDGE": "set both or neither, such as TWILIO_REGION=ie1 TWILIO_EDGE=dublin",
    "TRANSFER_TO": "leave it unset to end such calls after an apology",
    "REDIS_URL": "such as redis://localhost:6379/0; leave it unset to keep calls in STATE_DIR",
}

TWILIO_API_URL = "https://api.twilio.com"
ACCOUNT_SID = "^AC[0-9A-Za-z]+$"
LABEL = "^[a-z0-9-]+$"

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_SIP = re.compile(r"sips?:[!-;=?A-~]+@[!-;=?A-~]+").fullmatch
_PLAIN = re.compile(r"[!-~]+").fullmatch
_OWN_PATH = re.compile(r"/(twilio/[a-z-]+|healthz|readyz|metrics)$").search
"""The path of a webhook, or of a page of ours, that was copied with the address."""

_OTHERS = re.compile(r"(SSL|GOOGLE)_(?!GEMINI_)|REDIS_(SERVICE|PORT)(_|$)").match
"""Names that begin like ours: other programs', and those of a Kubernetes service called redis."""


class TwilioSettings(BaseSettings):
    """How to reach a Twilio account, and what its numbers are to call."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    twilio_account_sid: str | None = Field(
        None, pattern=ACCOUNT_SID, description="When set, webhooks of others are refused."
    )
    twilio_auth_token: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        description="Checks that webhooks come from Twilio; old,new while rotating."
    )
    twilio_api_url: str = Field(TWILIO_API_URL, description="Where Twilio's REST API is.")
    twilio_region: str | None = Field(
        None,
        pattern=LABEL,
        description="The Twilio Region that holds the number, when not us1; with its edge.",
    )
    twilio_edge: str | None = Field(
        None,
        pattern=LABEL,
        validate_default=True,
        description="The Twilio Edge to reach that Region by.",
    )
    public_url: str = Field(description="The https address under which Twilio reaches this server.")
    state_dir: Path = Field(
        Path("~/.local/state/offhook"),
        description="Folder for what has to stay: calls, if REDIS_URL is not set; what "
        "`offhook number` replaced.",
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

    @field_validator("public_url", "google_gemini_base_url", "twilio_api_url", check_fields=False)
    @classmethod
    def _url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.username or parts.password:
            raise ValueError("expected an address without a user name or password")
        local = info.field_name == "twilio_api_url" and parts.scheme == "http"
        if not (parts.scheme == "https" or local) or not parts.hostname or not _PLAIN(value):
            raise ValueError(
                f"expected an address such as https://voice.example.com, got {value!r}"
            )
        if parts.query or parts.fragment:
            raise ValueError(f"expected an address without query or fragment, got {value!r}")
        value = value.rstrip("/")
        if info.field_name == "public_url" and (ours := _OWN_PATH(value)) is not None:
            raise ValueError(
                f"expected the address of this server alone, got {value!r}; "
                f"leave out {ours[0]!r}, which offhook adds itself: {value[: ours.start()]}"
            )
        return value

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
        """Twilio's auth tokens, in the clear."""
        return tuple(token.get_secret_value() for token in self.twilio_auth_token)


class NumberSettings(TwilioSettings):
    """What `offhook number` is told by its environment: nothing of Gemini or of the server."""

    twilio_account_sid: str = Field(
        pattern=ACCOUNT_SID, description="The account that has the number."
    )


class Settings(TwilioSettings):
    """What `offhook serve` is told by its environment. The page docs/settings.md lists the same."""

    gemini_api_key: SecretStr = Field(description="Key of the Gemini API.")
    gemini_model: str = Field("gemini-3.8-live", description="The Live model that answers.")
    gemini_fallback_model: str | None = Field(
        None, description="The Live model that answers while GEMINI_MODEL does not."
    )
    google_gemini_base_url: str | None = Field(
        None, description="Where the Gemini API is, when not at Google; https only."
    )
    ssl_cert_file: Path | None = Field(
        None,
        description="CA certificates to trust for the Gemini API, and in `offhook doctor` for "
        "PUBLIC_URL, in PEM.",
    )
    transfer_to: str | None = Field(
        None,
        description="Who gets a call that the model cannot go on with: +1… or sip:…. "
        "Unset: it ends.",
    )
    redis_url: str | None = Field(
        None, description="The Redis that keeps calls; unset: one of our own does, in STATE_DIR."
    )
    transcript_ttl_s: int = Field(
        604_800, ge=60, description="How long what is kept of a call stays, in seconds."
    )
    drain_budget_s: int = Field(
        20,
        ge=0,
        le=86_400,
        description="How long running calls may take after SIGTERM, in seconds.",
    )
    redial_window_s: int = Field(
        120,
        ge=0,
        le=3_600,
        description="How soon a caller who was cut off may call again and go on, in s; 0: never.",
    )
    record_dir: Path | None = Field(
        None,
        description="Where calls are recorded; off by default. A recording holds what was said.",
    )
    record_calls: str = Field(
        "all",
        description="Which calls: all, a share such as 0.05, or those from or to +1…,+1….",
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on.")
    keep_alive_s: int = Field(
        130,
        ge=1,
        le=3_600,
        description="How long an idle HTTP connection is kept, in seconds: longer than a proxy in "
        "front keeps it.",
    )
    metrics_port: int | None = Field(
        None,
        ge=0,
        le=65_535,
        description="Port for `/metrics`; unset: not served; the same as PORT: served in public.",
    )

    @property
    def redis_address(self) -> str:
        """REDIS_URL for messages: without user name, password and options."""
        parts = urlsplit(self.redis_url or "")
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @property
    def store_dir(self) -> Path:
        """Where calls are kept when REDIS_URL is not set."""
        return self.state_dir.expanduser().absolute() / "store"

    @field_validator("gemini_api_key")
    @classmethod
    def _visible(cls, value: SecretStr) -> SecretStr:
        if not _PLAIN(value.get_secret_value()):
            raise ValueError("expected visible ASCII characters without spaces (not shown)")
        return value

    @field_validator("transfer_to")
    @classmethod
    def _dialable(cls, value: str | None) -> str | None:
        if value is not None and not (_E164(value) or _SIP(value)):
            raise ValueError(
                f"expected a number such as +15551234567, or an address such as "
                f"sip:desk@example.com, got {value!r}"
            )
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("expected an address that begins with redis://, rediss:// or unix://")
        return value

    @field_validator("ssl_cert_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"expected a readable file, got {str(value)!r}")
        return value


def load(**overrides: Any) -> Settings:
    """Read all of the environment: `read`, for `offhook serve`."""
    return read(Settings, **overrides)


def read[S: BaseSettings](kind: type[S], **overrides: Any) -> S:
    """Read what one command needs of the environment.

    Args:
        kind: The settings needed.
        overrides: Settings given on the command line; None means not given, "" means unset.

    Raises:
        SettingsError: One or more are missing or wrong; the message has a line for each.
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


def unknown(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What to tell of variables that are named like settings and are none, a sentence for each."""
    known = [name.upper() for name in Settings.model_fields]
    prefixes = tuple(f"{name.partition('_')[0]}_" for name in known if "_" in name)
    return [
        f"{name} is set, and is no setting of offhook{_did_you_mean(name, known)}"
        for name in sorted(environment)
        if name.startswith(prefixes) and name not in known and not _OTHERS(name)
    ]


def _did_you_mean(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else "; docs/settings.md lists all there are"


def one_blas_thread() -> None:
    """Keep numpy's matrix products on one thread: ours are small. Call it before numpy loads."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _explain(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]).upper()
    what = "missing" if problem["type"] == "missing" else str(problem["msg"])
    what = what.removeprefix("Value error, ")
    hint = f"\n    hint: {HINTS[name]}" if name in HINTS else ""
    return f"  {name}: {what}{hint}"
