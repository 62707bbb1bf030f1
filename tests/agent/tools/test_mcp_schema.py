"""Schemas of MCP tools are put into the form that a conversation checks, or refused."""

import json
from typing import Any

import pytest

from agent.conversation.arguments import refusal
from agent.tools.mcp_schema import NotDeclarable, parameters_of

PLACE = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}


def declared(properties: dict[str, Any], **more: Any) -> Any:
    schema = {"type": "object", "properties": properties, **more}
    return json.loads(parameters_of(schema))["properties"]


def test_what_is_checked_is_kept_and_the_rest_is_not() -> None:
    given = {
        "order": {"type": "string", "title": "Order", "pattern": "(a+)+$", "description": "It."},
        "count": {"type": ["integer", "null"], "minimum": 1, "exclusiveMaximum": 9, "default": 1},
        "kind": {"const": "express"},
        "any": True,
    }
    assert declared(given) == {
        "order": {"type": "string", "description": "It."},
        "count": {"type": ["integer", "null"], "minimum": 1},
        "kind": {"enum": ["express"]},
        "any": {},
    }


def test_references_are_written_out_and_checked() -> None:
    place = {"$ref": "#/$defs/Place", "description": "Where to."}
    properties = {"to": place, "by": {"allOf": [place]}, "or": {"oneOf": [{"type": "null"}, place]}}
    text = parameters_of({"type": "object", "properties": properties, "$defs": {"Place": PLACE}})
    assert "$" not in text
    assert json.loads(text)["properties"]["to"] == {**PLACE, "description": "Where to."}
    for name in properties:
        assert refusal(text, json.dumps({name: {"town": "Rome"}})) == ""
        assert refusal(text, json.dumps({name: {}})) != ""


def test_a_tool_without_arguments_has_none() -> None:
    assert parameters_of({"type": "object"}) == '{"properties":{},"type":"object"}'


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string"}, "its arguments are no object"),
        ({"type": "object", "properties": {"a": {"type": "any"}}}, "expected a type of JSON"),
        ({"type": "object", "properties": {"a": {"$ref": "other.json"}}}, "another document"),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}, "which is not there"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "refers to itself"),
        ({"type": "object", "properties": {"a": {"allOf": [{}, {}]}}}, "declared with allOf"),
        ({"type": "object", "properties": {"a": {"allOf": []}}}, "declared with allOf"),
        ({"type": "object", "properties": {"a": 1}}, "expected a schema, got 1"),
        ({"type": "object", "properties": {"a" * 9_000: {}}}, "longer than 8000 characters"),
    ],
)
def test_a_schema_that_cannot_be_checked_is_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(NotDeclarable, match=why):
        parameters_of(schema)
