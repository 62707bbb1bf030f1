"""What a summary holds, and what a persona adds to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

type FieldType = Literal["string", "integer", "number", "boolean", "list"]
"""A text, a whole number, a number, true or false, or a list of texts."""

_PYTHON: dict[FieldType, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "list": list[str],
}


@dataclass(frozen=True, slots=True)
class SummaryField:
    """Something that a persona wants to know of each call.

    Args:
        name: Its name in the summary.
        type: What kind of value it has; it is null where the call does not tell.
        description: What it is, for the model.
        enum: For a text: the words that it may be; empty for any.
    """

    name: str
    type: FieldType
    description: str
    enum: tuple[str, ...] = ()


class Summary(BaseModel):
    """What every summary holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str = Field(
        min_length=1,
        description="What the call was about and how it ended, in two to five plain sentences.",
    )
    outcome: Literal["resolved", "follow_up", "unresolved", "abandoned"] = Field(
        description="resolved: the caller got what they wanted. follow_up: somebody has promised, "
        "or needs, to do something after the call. unresolved: the caller did not get it. "
        "abandoned: the call ended before it was clear what the caller wanted.",
    )
    follow_ups: list[str] = Field(
        description="What somebody has to do after the call, one sentence each; empty if nothing.",
    )
    sentiment: Literal["positive", "neutral", "negative"] = Field(
        description="How the caller felt at the end of the call.",
    )


RESERVED = frozenset(Summary.model_fields)
"""The names that a persona cannot give to a field of its own."""


def model_of(fields: Sequence[SummaryField]) -> type[Summary]:
    """The model of a summary with the fields that a persona adds."""
    if not fields:
        return Summary
    # By alias, because pydantic's models have attributes of their own, such as copy and json
    more: dict[str, Any] = {f"field_{n}": _annotation(field) for n, field in enumerate(fields)}
    return create_model("ExtendedSummary", __base__=Summary, **more)


def json_schema(model: type[Summary]) -> dict[str, Any]:
    """The JSON schema of a summary, as the API takes it."""
    schema = model.model_json_schema()
    return {
        "type": "object",
        "properties": schema["properties"],
        "required": list(schema["properties"]),
    }


def _annotation(field: SummaryField) -> Any:
    kind = Literal[field.enum] if field.enum else _PYTHON[field.type]
    return Annotated[kind | None, Field(alias=field.name, description=field.description)]
