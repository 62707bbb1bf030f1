"""Says what is wrong with a persona file: the line, the key, what was expected, what came."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from tomllib import TOMLDecodeError
from types import UnionType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from agent.persona.places import Key, line_of

_POSITION = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")

_EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": 'a list such as ["+14155550100"]',
    "finite_number": "a finite number",
}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in one file.

    Args:
        file: The file's name, as the user gave it.
        line: The line, from 1.
        key: The key, such as ``turns.silence_ms``.
        what: What was expected, what came, and the fix.
    """

    file: str
    line: int
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.what}"


class PersonaError(Exception):
    """Persona files cannot be used."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes))
        super().__init__("\n".join(map(str, self.mistakes)))


def of_syntax(file: str, text: str, error: TOMLDecodeError) -> Mistake:
    """The mistake in a file that is not TOML."""
    found = _POSITION.search(str(error))
    what = str(error).removesuffix(found[0]) if found else str(error)
    lines = text.splitlines()
    line = int(found[1]) if found and found[1] else max(1, len(lines))
    there = lines[line - 1] if line <= len(lines) else ""
    key, sign, _ = there.partition("=")
    named = key.strip() if sign and not key.lstrip().startswith("#") else there.strip()
    what = what[:1].lower() + what[1:]
    return Mistake(
        file, line, named or "syntax", f"expected valid TOML, got {there.strip()!r}: {what}"
    )


def of_values(
    file: str, schema: type[BaseModel], error: ValidationError, places: Mapping[Key, int]
) -> list[Mistake]:
    """The mistakes in a file that is TOML, but not one of ours."""
    found = []
    for problem in error.errors(include_url=False):
        key = tuple(part for part in problem["loc"] if not _is_tag(part))
        what = _what(schema, key, dict(problem))
        found.append(Mistake(file, line_of(key, dict(places)), dotted(key), what))
    return found


def dotted(key: Key) -> str:
    """A key as people write it, such as ``tools[0].url``."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _is_tag(part: object) -> bool:
    return isinstance(part, str) and "[" in part  # pydantic's own name of a validator


def _what(schema: type[BaseModel], key: Key, problem: dict[str, Any]) -> str:
    kind, came, more = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "missing":
        return f"expected this key, got nothing; add a line such as {key[-1]} = …"
    if kind == "extra_forbidden":
        known = _keys_beside(schema, key)
        near = difflib.get_close_matches(str(key[-1]), known, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]}?" if near else f"leave it out, or use {_listed(known)}"
        return f"expected a known key, got {str(key[-1])!r}; {fix}"
    if kind == "value_error":
        return str(more["error"])
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in re.findall(r"'[^']*'", more["expected"])]
        near = difflib.get_close_matches(str(came), choices, n=1)
        fix = f'; did you mean "{near[0]}"?' if near else ""
        return f"expected {_listed([f'"{choice}"' for choice in choices])}, got {_shown(came)}{fix}"
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return f"expected a table, got {_shown(came)}; write [{dotted(key)}] and its keys below it"
    if kind.startswith(("greater_than", "less_than")):
        bound = {"greater_than": "more than", "greater_than_equal": "at least"} | {
            "less_than": "less than",
            "less_than_equal": "at most",
        }
        return f"expected {bound[kind]} {next(iter(more.values())):g}, got {_shown(came)}"
    if kind == "too_short":
        return f"expected at least {more['min_length']} of them, got {len(came)}"
    if kind == "too_long":
        return f"expected at most {more['max_length']} of them, got more"
    expected = _EXPECTED.get(kind, str(problem["msg"]))
    return f"expected {expected}, got {_shown(came)}"


def _keys_beside(schema: type[BaseModel], key: Key) -> list[str]:
    """The known keys of the table that holds `key`."""
    table = schema
    for part in key[:-1]:
        if isinstance(part, str) and part in table.model_fields:
            table = _table(table.model_fields[part].annotation) or table
    return [field.alias or name for name, field in table.model_fields.items()]


def _table(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    kinds = get_args(annotation) if not isinstance(annotation, UnionType) else annotation.__args__
    return next((found for kind in kinds if (found := _table(kind)) is not None), None)


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _shown(came: Any) -> str:
    match came:
        case bool():
            return "true" if came else "false"
        case dict():
            return "a table"
        case list():
            return "a list"
        case str():
            return f'"{came}"' if len(came) < 60 else f'"{came[:60]}…"'
        case _:
            return str(came)
