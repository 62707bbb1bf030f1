"""The keys of a persona file, their types and their limits.

Every key is described here once. `offhook persona new` writes an example of each, and
docs/personas.md explains them.
"""

import difflib
import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from agent.conversation.built_in_tools import MOST_DIGITS
from agent.persona.agents import LIMITED, MESSAGE_CONSENT, NOTICE, Says
from agent.persona.hours import parse, parse_day
from agent.persona.menu import MenuTable
from agent.persona.outbound_schema import OutboundTable
from agent.persona.sms_schema import SmsTable
from agent.privacy.items import Kind
from agent.summary.schema import RESERVED, FieldType

VOICES = frozenset(
    {
        *("Achernar", "Achird", "Algenib", "Algieba", "Alnilam", "Aoede", "Autonoe", "Callirrhoe"),
        *("Charon", "Despina", "Enceladus", "Erinome", "Fenrir", "Gacrux", "Iapetus", "Kore"),
        *("Laomedeia", "Leda", "Orus", "Puck", "Pulcherrima", "Rasalgethi", "Sadachbia"),
        *("Sadaltager", "Schedar", "Sulafat", "Umbriel", "Vindemiatrix", "Zephyr"),
        "Zubenelgenubi",
    }
)
"""Gemini's prebuilt voices in November 2026."""

MOST_FIELDS = 20
"""How many fields of its own a summary may have."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_SIP = re.compile(r"sips?:[!-;=?A-~]+@[!-;=?A-~]+").fullmatch
_BLOCKED = re.compile(r"\+[1-9][0-9]{0,14}\*?|anonymous").fullmatch
TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}").fullmatch
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,39}").fullmatch
_LANGUAGE = re.compile(r"[a-z]{2,3}-([A-Z]{2}|[0-9]{3})").fullmatch


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError('expected a text that is not empty, got ""')
    return text


def _number(text: str) -> str:
    if not _E164(text):
        raise ValueError(f'expected a telephone number such as "+14155550100", got {text!r}')
    return text


def _dialable(text: str) -> str:
    if not (_E164(text) or _SIP(text)):
        raise ValueError(
            'expected a telephone number such as "+14155550100", or an address such as '
            f'"sip:desk@example.com", got {text!r}'
        )
    return text


def _blocked(text: str) -> str:
    if not _BLOCKED(text):
        raise ValueError(
            'expected a telephone number such as "+14155550100", the beginning of numbers such as '
            f'"+1900*", or "anonymous", got {text!r}'
        )
    return text


def _field(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"expected another name, got {name!r}, which every summary has already")
    return _small(name)


def _small(name: str) -> str:
    if not _FIELD(name):
        raise ValueError(
            f'expected a name of small letters, digits and "_" such as order_number, got {name!r}'
        )
    return name


type BuiltIn = Literal["end_call", "note", "collect_digits", "send_digits", "take_message"]
"""A tool that comes with offhook."""

Said = Annotated[str, AfterValidator(_said)]
"""A text that is not empty."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TurnsTable(_Table):
    """`[turns]`: how the agent notices that the caller has begun to speak, and has finished."""

    detection: Literal["server", "ours"] = "server"
    silence_ms: int = Field(default=500, ge=100, le=5_000)
    prefix_ms: int = Field(default=20, ge=0, le=2_000)
    start_sensitivity: Literal["high", "low"] = "high"
    end_sensitivity: Literal["high", "low"] = "high"


class BargeInTable(_Table):
    """`[barge_in]`: who decides that the caller talks over the agent, and how soon."""

    manner: Literal["server", "quick", "patient", "off"] = "server"


class HoursTable(_Table):
    """`[hours]`: when the agent answers. Days that are missing are closed."""

    timezone: str = "UTC"
    mon: str | None = None
    tue: str | None = None
    wed: str | None = None
    thu: str | None = None
    fri: str | None = None
    sat: str | None = None
    sun: str | None = None
    holidays: tuple[Annotated[str, AfterValidator(parse_day)], ...] = Field((), strict=False)
    closed: Said = "We are closed at the moment. Please call again during our opening hours."
    closed_instructions: Said | None = None
    closed_greeting: Said | None = None

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError):  # not found is a KeyError, which is no OSError
            raise _no_zone(value) from None
        except KeyError:
            raise _no_zone(value) from None
        return value

    @field_validator("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    @classmethod
    def _day(cls, value: str | None) -> str | None:
        parse(value or "", past_midnight=True)
        return value

    @field_validator("closed_greeting")
    @classmethod
    def _with_instructions(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("closed_instructions", "") is None:
            raise ValueError(
                "expected closed_instructions beside closed_greeting, got none; say there what the "
                "agent does outside these hours"
            )
        return value


def _no_zone(value: str) -> ValueError:
    return ValueError(f'expected a time zone such as "Europe/Berlin", got {value!r}')


class LimitsTable(_Table):
    """`[limits]`: when a call is ended."""

    minutes: float = Field(default=LIMITED.minutes, gt=0, le=24 * 60)
    usd: float = Field(default=LIMITED.usd, gt=0, le=10_000)
    silence_s: float = Field(default=LIMITED.silence_s, ge=0, le=3_600)
    usd_per_caller_day: float | None = Field(default=None, gt=0, le=100_000)
    usd_per_day: float | None = Field(default=None, gt=0, le=100_000)
    sms: int = Field(default=3, ge=1, le=20)


class SaysTable(_Table):
    """`[says]`: the sentences that offhook says itself."""

    apology: Said = Says().apology
    transfer: Said = Says().transfer
    no_answer: Said = Says().no_answer
    spent: Said = Says().spent
    briefing: Said = Says().briefing
    keys: Said = Says().keys
    caller_left: Said = Says().caller_left
    goodbye: Said = LIMITED.goodbye
    still_there: Said = LIMITED.still_there
    message_consent: Said = MESSAGE_CONSENT


class RecordingTable(_Table):
    """`[recording]`: whether calls are recorded."""

    on: bool = False
    notice: Said = NOTICE
    keep_days: int = Field(default=30, ge=1, le=3_650)


class PrivacyTable(_Table):
    """`[privacy]`: the personal items that are masked in what is kept of calls."""

    redact: Annotated[tuple[Kind, ...], Field(strict=False)] = ("card",)


class ParameterTable(_Table):
    """`[tools.parameters.NAME]`: one parameter of a tool that is an HTTP call."""

    type: Literal["string", "integer", "number", "boolean"] = "string"
    description: str = ""
    required: bool = True
    enum: tuple[str, ...] = Field((), strict=False)
    pattern: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"expected a regular expression, got {value!r}: {error}") from None
        return value


class ToolTable(_Table):
    """`[[tools]]`: something that the agent can do: a function, an HTTP call, or a tool of an MCP
    server.
    """

    name: str = ""
    description: str = ""
    timeout_s: float = Field(default=4.0, gt=0, le=30)
    says: Said = "One moment, please."
    max_per_call: int = Field(default=20, ge=1, le=1_000)
    python: str | None = None
    mcp: str | None = None
    idempotent: bool = False
    url: str | None = None
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    headers: dict[str, str] = {}
    body: dict[str, str | int | float | bool] = {}
    allow_private: bool = False
    parameters: dict[str, ParameterTable] = {}

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if value and not TOOL_NAME(value):
            raise ValueError(
                f'expected a name of letters, digits and _ such as "order_status", got {value!r}'
            )
        return value


class McpTable(_Table):
    """`[mcp.NAME]`: an MCP server, of which `[[tools]]` may name tools."""

    command: tuple[Said, ...] = Field((), strict=False)
    env: dict[str, str] = {}
    url: str | None = None
    headers: dict[str, str] = {}
    allow_private: bool = False


class TransferTable(_Table):
    """`[transfers.NAME]`: somebody to whom the agent may put callers through."""

    to: Annotated[str, AfterValidator(_dialable)]
    says: Said = "One moment, please. I will put you through."
    warm: bool = False
    notice_machines: bool = False

    @field_validator("notice_machines")
    @classmethod
    def _only_warm(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("warm", True):
            raise ValueError(
                "expected false without warm = true, got true; a machine is only noticed before "
                "somebody is told of the caller"
            )
        return value


class SecureEntryTable(_Table):
    """`[secure_entries.NAME]`: what callers type, and only one HTTP call gets."""

    tool: Said
    parameter: str = ""
    says: Said
    min_digits: int = Field(default=1, ge=1, le=MOST_DIGITS)
    max_digits: int = Field(default=MOST_DIGITS, ge=1, le=MOST_DIGITS)


class SummaryTable(_Table):
    """`[summary.NAME]`: something that the summary of each call tells besides."""

    type: FieldType = "string"
    description: Said
    enum: tuple[Said, ...] = Field((), strict=False)

    @field_validator("enum")
    @classmethod
    def _of_texts(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("type", "string") != "string":
            raise ValueError(
                f'expected enum only with type = "string", got it with "{info.data["type"]}"'
            )
        return value


class PersonaFile(_Table):
    """A whole file."""

    name: Said
    instructions: Said
    voice: str = "Puck"
    language: str = ""
    greeting: Said | None = None
    numbers: tuple[Annotated[str, AfterValidator(_number)], ...] = Field((), strict=False)
    default: bool | None = None
    blocked: tuple[Annotated[str, AfterValidator(_blocked)], ...] = Field((), strict=False)
    turns: TurnsTable = TurnsTable()
    barge_in: BargeInTable = BargeInTable()
    hours: HoursTable | None = None
    menu: MenuTable | None = None
    outbound: OutboundTable | None = None
    limits: LimitsTable = LimitsTable()
    says: SaysTable = SaysTable()
    recording: RecordingTable = RecordingTable()
    privacy: PrivacyTable = PrivacyTable()
    on_keys: Literal["tell", "ignore"] = "tell"
    builtin: tuple[BuiltIn, ...] = Field(("end_call", "note"), strict=False)
    tools: tuple[ToolTable, ...] = Field((), strict=False)
    mcp: dict[Annotated[str, AfterValidator(_small)], McpTable] = {}
    transfers: dict[Annotated[str, AfterValidator(_small)], TransferTable] = {}
    sms: dict[Annotated[str, AfterValidator(_small)], SmsTable] = {}
    secure_entries: dict[Annotated[str, AfterValidator(_small)], SecureEntryTable] = {}
    summary: dict[Annotated[str, AfterValidator(_field)], SummaryTable] = Field(
        default={}, max_length=MOST_FIELDS
    )

    @field_validator("voice")
    @classmethod
    def _voice(cls, value: str) -> str:
        """Refuse what looks like a slip. Another name may be a voice that is newer than this."""
        near = difflib.get_close_matches(value.capitalize(), VOICES, n=1, cutoff=0.7)
        if value not in VOICES and (near or not value.strip()):
            fix = f'; did you mean "{near[0]}"?' if near else ""
            raise ValueError(f'expected one of Gemini\'s voices such as "Kore", got {value!r}{fix}')
        return value

    @field_validator("language")
    @classmethod
    def _tag(cls, value: str) -> str:
        if value and not _LANGUAGE(value):
            raise ValueError(
                f'expected a language and a region such as "en-US" or "de-DE", got {value!r}'
            )
        return value
