"""The keys of `[outbound]` in a persona file: which calls the agent may place."""

import difflib
import re
from typing import Annotated, Literal

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from agent.persona.hours import parse
from agent.persona.outbound import RING_S, USUAL_HOURS

_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch

_OFTEN_MEANT = {"UK": "GB", "EN": "GB", "EL": "GR", "USA": "US"}
"""Codes that people write for a country, and its own."""


def _region(text: str) -> str:
    if text not in SUPPORTED_REGIONS:
        meant = _OFTEN_MEANT.get(text.upper()) or next(
            iter(difflib.get_close_matches(text.upper(), SUPPORTED_REGIONS, n=1, cutoff=0.9)), ""
        )
        fix = f'; did you mean "{meant}"?' if meant else ""
        raise ValueError(
            f'expected the ISO code of a country such as "US" or "DE", got {text!r}{fix}'
        )
    return text


class OutboundTable(BaseModel):
    """`[outbound]`: the calls that the agent may place. Without this table it places none."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    from_: str = Field(alias="from")
    regions: tuple[Annotated[str, AfterValidator(_region)], ...] = Field(strict=False)
    hours: str = USUAL_HOURS
    per_number_day: int = Field(default=1, ge=1, le=100)
    ring_s: int = Field(default=RING_S, ge=5, le=120)
    do_not_call: str | None = None
    greeting: str | None = None
    voicemail: str | None = None
    on_machine: Literal["talk", "hang_up", "voicemail"] = Field("talk", validate_default=True)

    @field_validator("from_")
    @classmethod
    def _number(cls, value: str) -> str:
        if not _E164(value):
            raise ValueError(
                f'expected one of your telephone numbers such as "+14155550100", got {value!r}'
            )
        return value

    @field_validator("regions")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError('expected at least one country such as ["US"], got none')
        return value

    @field_validator("hours")
    @classmethod
    def _intervals(cls, value: str) -> str:
        if not parse(value):
            raise ValueError(
                'expected hours such as "09:00-20:00", got ""; to place no calls, leave out the '
                "whole table"
            )
        return value

    @field_validator("do_not_call", "greeting", "voicemail")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError('expected a text that is not empty, got ""; or leave the key out')
        return value

    @field_validator("on_machine")
    @classmethod
    def _with_its_message(cls, value: str, info: ValidationInfo) -> str:
        has_message = info.data.get("voicemail") is not None
        if (value == "voicemail") is not has_message and "voicemail" in info.data:
            raise ValueError(
                'expected on_machine = "voicemail" and voicemail = "…", the message, or neither, '
                f"got {'only voicemail' if has_message else 'only on_machine'}"
            )
        return value
