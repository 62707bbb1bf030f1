"""Puts the schema of an MCP tool's arguments into the form that a conversation checks.

Kept are the keywords that `agent.conversation.arguments` knows; the server checks the others.
References are written out. A pattern is left out too: a regular expression of somebody else could
stop the event loop.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.conversation.declaration import canonical

MAX_SCHEMA_CHARS = 8_000
"""More would be read and billed again with each turn."""

MAX_DESCRIPTION_CHARS = 1_000
DEEPEST = 8
"""Levels of a schema. A schema that refers to itself has no end."""

_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})


class NotDeclarable(ValueError):  # noqa: N818 - what it is, not that it is an error
    """A schema cannot be used. The message says why."""


def parameters_of(schema: Mapping[str, Any]) -> str:
    """The parameters of a tool, as canonical JSON.

    Args:
        schema: The tool's input schema.

    Raises:
        NotDeclarable: Its arguments could not be checked.
    """
    kept = _kept(schema, schema, 0)
    if kept.get("type") != "object":
        raise NotDeclarable("its arguments are no object")
    kept.setdefault("properties", {})
    text = canonical(kept)
    if len(text) > MAX_SCHEMA_CHARS:
        raise NotDeclarable(f"its schema is longer than {MAX_SCHEMA_CHARS} characters")
    return text


def _kept(schema: Any, root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise NotDeclarable(f"its schema is deeper than {DEEPEST} levels, or refers to itself")
    if schema is True:
        return {}
    if not isinstance(schema, Mapping):
        raise NotDeclarable(f"expected a schema, got {schema!r:.40}")
    if "$ref" in schema:
        schema = {**_referred(schema["$ref"], root), **schema}
        del schema["$ref"]
        return _kept(schema, root, depth + 1)
    if "allOf" in schema:
        if len(schema["allOf"]) != 1:
            raise NotDeclarable("a parameter is declared with allOf")
        [only] = schema["allOf"]
        return _kept({**only, **{k: v for k, v in schema.items() if k != "allOf"}}, root, depth + 1)
    return _plain(schema, root, depth)


def _plain(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in schema.items():
        match key, value:
            case "type", str() | list():
                found["type"] = _type(value)
            case "description", str():
                found["description"] = value[:MAX_DESCRIPTION_CHARS]
            case "enum", list():
                found["enum"] = value
            case "const", _:
                found["enum"] = [value]
            case (("minimum" | "maximum"), int() | float()):
                found[key] = value
            case "items", _:
                found["items"] = _kept(value, root, depth + 1)
            case (("anyOf" | "oneOf"), list()):
                found["anyOf"] = [_kept(each, root, depth + 1) for each in value]
            case "properties", dict():
                found[key] = {name: _kept(each, root, depth + 1) for name, each in value.items()}
            case "required", list():
                found[key] = [name for name in value if name in schema.get("properties", {})]
    return found


def _type(value: str | Sequence[str]) -> str | list[str]:
    types = [value] if isinstance(value, str) else list(value)
    if not types or not set(types) <= _TYPES:
        raise NotDeclarable(f"expected a type of JSON, got {value!r:.40}")
    return value if isinstance(value, str) else types


def _referred(ref: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    if not isinstance(ref, str) or not ref.startswith("#"):
        raise NotDeclarable(f"its schema refers to another document, {ref!r:.60}")
    for part in ref.removeprefix("#").strip("/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if part else found
        if not isinstance(found, Mapping):
            raise NotDeclarable(f"its schema refers to {ref!r:.60}, which is not there")
    return dict(found)
