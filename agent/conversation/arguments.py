"""Checks the arguments of a tool call against its parameters: the part of JSON Schema that tools
are declared in. What the model sends is checked here, not trusted.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_ARGUMENTS_CHARS = 8_000
"""More is no call that anybody meant."""

_IS: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def refusal(parameters: str, arguments: str) -> str:
    """What is wrong with the arguments of a call; "" if nothing is.

    Args:
        parameters: The JSON Schema of the tool's parameters.
        arguments: What the model sent, as JSON.
    """
    if len(arguments) > MAX_ARGUMENTS_CHARS:
        return f"expected arguments of at most {MAX_ARGUMENTS_CHARS} characters"
    return _wrong(json.loads(parameters), json.loads(arguments), "arguments")


def _wrong(schema: Mapping[str, Any], value: object, where: str) -> str:
    if choices := schema.get("anyOf"):
        found = [_wrong(choice, value, where) for choice in choices]
        return found[0] if all(found) else ""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if value is None and schema.get("nullable"):
        return ""
    if kinds and not any(_IS[kind](value) for kind in kinds):
        return f"{where}: expected {' or '.join(kinds)}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where}: expected one of {', '.join(map(str, schema['enum']))}"
    match value:
        case dict():
            return _wrong_object(schema, value, where)
        case list():
            return _wrong_list(schema, value, where)
        case str():
            return _wrong_text(schema, value, where)
        case int() | float() if not isinstance(value, bool):
            return _wrong_number(schema, value, where)
    return ""


def _wrong_object(schema: Mapping[str, Any], value: Mapping[str, object], where: str) -> str:
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            return f"{where}: expected {name}, got nothing"
    for name, inner in value.items():
        if name not in known:
            if known or where == "arguments":
                return f"{where}: expected only {', '.join(known) or 'nothing'}, got another key"
            continue
        if wrong := _wrong(known[name], inner, name):
            return wrong
    return ""


def _wrong_list(schema: Mapping[str, Any], value: list[object], where: str) -> str:
    items = schema.get("items", {})
    return next((wrong for each in value if (wrong := _wrong(items, each, f"{where}[]"))), "")


def _wrong_text(schema: Mapping[str, Any], value: str, where: str) -> str:
    pattern = schema.get("pattern")
    if pattern is not None and re.fullmatch(pattern, value) is None:
        return f"{where}: expected a text that matches {pattern}"
    return ""


def _wrong_number(schema: Mapping[str, Any], value: float, where: str) -> str:
    if "minimum" in schema and value < schema["minimum"]:
        return f"{where}: expected at least {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"{where}: expected at most {schema['maximum']}"
    return ""
