"""What a summary holds, and what a persona adds to it."""

import json

import pytest
from pydantic import ValidationError

from agent.summary.schema import Summary, SummaryField, json_schema, model_of

PLAIN = {
    "summary": "Somebody called.",
    "outcome": "resolved",
    "follow_ups": [],
    "sentiment": "neutral",
}

FIELDS = [
    SummaryField("copy", "string", "A name that the library's models have too."),
    SummaryField("reason", "string", "Why.", ("order", "other")),
    SummaryField("orders", "list", "Which."),
    SummaryField("count", "integer", "How many."),
]


def test_every_field_is_required_and_a_persona_s_own_may_be_null() -> None:
    model = model_of(FIELDS)
    schema = json_schema(model)
    assert schema["required"] == list(schema["properties"]) == [*PLAIN, *(f.name for f in FIELDS)]
    own = {field.name: None for field in FIELDS}
    found = model.model_validate_json(json.dumps(PLAIN | own))
    assert found.model_dump(by_alias=True) == PLAIN | own
    with pytest.raises(ValidationError, match="copy"):
        model.model_validate(PLAIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "none of these"},
        {"orders": "one"},
        {"count": "many"},
        {"outcome": "fine"},
        {"summary": ""},
        {"more": 1},
    ],
)
def test_what_does_not_keep_to_the_schema_is_refused(wrong: dict[str, object]) -> None:
    own = {"copy": "x", "reason": "order", "orders": ["1"], "count": 1}
    model_of(FIELDS).model_validate(PLAIN | own)
    with pytest.raises(ValidationError):
        model_of(FIELDS).model_validate(PLAIN | own | wrong)


def test_a_persona_that_adds_nothing_gets_the_plain_summary() -> None:
    assert model_of([]) is Summary
