"""The keys of `[sms.NAME]` in a persona file: the text messages that the agent may send."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from agent.conversation.segments import segments
from agent.conversation.sms import (
    MOST_CHARS,
    Kind,
    SmsField,
    Template,
    filled,
    fits,
    leading,
    linked,
    slots,
    without_slots,
)
from agent.persona.places import Key

MOST_SEGMENTS = 10
"""Twilio takes 1,600 characters, which are ten segments and a little."""

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}").fullmatch
_SHORT = {"text": "a", "integer": "1", "code": "a", "date": "2026-11-30", "time": "19:30"}
"""A short value of each kind."""

_DATED: frozenset[Kind] = frozenset({"date", "time"})
_STRAY = re.compile(r"\{[^{}]{0,20}\}?|\}")
"""What is in braces, or a brace alone, once all fields are away."""


@dataclass(frozen=True, slots=True)
class Route:
    """From where to whom a text message goes.

    Args:
        ours: The number that sends it, in E.164.
        to: Whom it goes to, in E.164; "" for the other party of the call.
        regions: The ISO codes of the countries that may be texted; empty for that of `ours`.
    """

    ours: str
    to: str = ""
    regions: frozenset[str] = frozenset()


def _name(name: str) -> str:
    if not _NAME(name):
        raise ValueError(
            f'expected a name of small letters, digits and "_" such as table_booked, got {name!r}'
        )
    return name


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError('expected a text that is not empty, got ""')
    return text


Said = Annotated[str, AfterValidator(_said)]
"""A text that is not empty."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SmsFieldTable(_Table):
    """`[sms.NAME.fields.FIELD]`: something that the model fills in."""

    type: Kind = "text"
    description: Said | None = None
    max_chars: int = Field(default=60, ge=1, le=MOST_CHARS)
    enum: tuple[Said, ...] = Field((), strict=False)


class SmsTable(_Table):
    """`[sms.NAME]`: a text message, whose words are the owner's."""

    text: Said
    description: Said | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str = "caller"
    regions: tuple[str, ...] = Field((), strict=False)
    max_segments: int = Field(default=2, ge=1, le=MOST_SEGMENTS)
    fields: dict[Annotated[str, AfterValidator(_name)], SmsFieldTable] = {}

    @field_validator("from_")
    @classmethod
    def _ours(cls, value: str | None) -> str | None:
        if value is not None and not _E164(value):
            raise ValueError(
                f'expected one of your telephone numbers such as "+14155550100", got {value!r}'
            )
        return value

    @field_validator("to")
    @classmethod
    def _whom(cls, value: str) -> str:
        if value != "caller" and not _E164(value):
            raise ValueError(
                f'expected "caller", or a telephone number such as "+14155550101", got {value!r}'
            )
        return value

    @field_validator("regions")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for region in value:
            if region not in SUPPORTED_REGIONS:
                raise ValueError(
                    f'expected the ISO code of a country such as "US" or "DE", got {region!r}'
                )
        return value


def templates_of(given: Mapping[str, SmsTable]) -> tuple[Template, ...]:
    """The messages, as the model knows them: without numbers."""
    return tuple(_template(name, table) for name, table in given.items())


def routes_of(given: Mapping[str, SmsTable], numbers: tuple[str, ...]) -> dict[str, Route]:
    """From where to whom each message goes; `numbers` are those that the agent answers."""
    return {
        name: Route(
            table.from_ or numbers[0],
            "" if table.to == "caller" else table.to,
            frozenset(table.regions),
        )
        for name, table in given.items()
    }


def mistakes_of(
    given: Mapping[str, SmsTable], numbers: tuple[str, ...]
) -> Iterator[tuple[Key, str]]:
    """What is wrong with messages whose keys are right by themselves."""
    for name, table in given.items():
        where: Key = ("sms", name)
        if table.from_ is None and not numbers:
            what = "expected a number that sends it, got none"
            yield (*where, "from"), f'{what}; add from = "+1…", or numbers to the agent'
        used = slots(table.text)
        for slot in used:
            if slot not in table.fields:
                what = f"expected a field that is declared, got {{{slot}}}"
                yield (*where, "text"), f"{what}; add [sms.{name}.fields.{slot}]"
        for field in table.fields:
            if field not in used:
                what = f"expected a field that the text names, got {field}"
                yield (*where, "fields", field), f"{what}; write {{{field}}} into text"
        if brace := _STRAY.search(without_slots(table.text)):
            what = f"expected braces only around a field such as {{when}}, got {brace[0]}"
            yield (*where, "text"), f"{what}; its name has small letters, digits and _ alone"
        for field, each in table.fields.items():
            yield from _of_field((*where, "fields", field), field, each)
        if set(used) == set(table.fields):
            yield from _of_words(where, _template(name, table))


def _of_field(where: Key, name: str, table: SmsFieldTable) -> Iterator[tuple[Key, str]]:
    """What can never be said in a field, so that its message would never be sent."""
    field = SmsField(name, table.type, max_chars=table.max_chars, enum=table.enum)
    if table.type in _DATED and table.max_chars < len(_SHORT[table.type]):
        what = f"expected at least {len(_SHORT[table.type])}, got {table.max_chars}"
        yield (*where, "max_chars"), f"{what}; leave it out"
    elif wrong := next((value for value in table.enum if not fits(field, value)), None):
        what = f"expected texts of one line and at most {table.max_chars} characters, got {wrong!r}"
        yield (*where, "enum"), f"{what}; shorten it, or raise max_chars"


def _of_words(where: Key, template: Template) -> Iterator[tuple[Key, str]]:
    values = {each.name: (each.enum or (_SHORT[each.kind],))[0] for each in template.fields}
    if field := linked(template, values):
        what = f'expected no field of type "text" in a link, got {{{field}}}'
        yield (*where, "text"), f'{what}; give the field type = "code", or put spaces around it'
    if field := leading(template):
        what = f"expected no field in the part of a link that says where it leads, got {{{field}}}"
        yield (*where, "text"), f"{what}; write the whole host yourself, or give the field an enum"
    if (found := segments(filled(template, values))) > template.max_segments:
        what = f"expected at most {template.max_segments} segments, got {found}"
        yield (*where, "text"), f"{what}; shorten it, or raise max_segments"


def _template(name: str, table: SmsTable) -> Template:
    fields = tuple(
        SmsField(field, each.type, each.description or "", each.max_chars, each.enum)
        for field, each in table.fields.items()
    )
    return Template(name, table.text, table.description or "", fields, table.max_segments)
