"""Text messages by template: the owner writes the words, the model fills in fields, and no more.

A field is refused if it is none of the template's, is too long, or is not of its kind, such as a
text with a link in it. The words of the owner may have links; a field may stand in one only if its
kind has no dots and slashes, and behind its host: no field says where a link leads.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Literal
from urllib.parse import quote

from agent.conversation.built_in_tools import SEND_SMS
from agent.conversation.declaration import Tool, canonical
from agent.conversation.links import addresses, links, plain
from agent.conversation.segments import segments

Kind = Literal["text", "integer", "code", "date", "time"]
"""What a field may be: any text without links, or something that can be no link."""

MOST_CHARS = 300
"""The longest that a field may be."""

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""The categories of characters that nobody sees, or that end a line or turn its direction."""


@dataclass(frozen=True, slots=True)
class SmsField:
    """A field of a template.

    Args:
        name: Its name.
        kind: What it may be: `text`, `integer`, `code` (letters, digits and -), `date` (such as
            ``2026-11-30``) or `time` (such as ``19:30``).
        description: What it is, for the model.
        max_chars: The longest that it may be.
        enum: The texts that it may be; empty for any.
    """

    name: str
    kind: Kind = "text"
    description: str = ""
    max_chars: int = 60
    enum: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """A text message that the agent may send.

    Args:
        name: How the model calls it.
        text: Its words; ``{name}`` stands for a field.
        description: When it is sent, for the model.
        fields: Its fields.
        max_segments: How many segments it may take.
    """

    name: str
    text: str
    description: str = ""
    fields: tuple[SmsField, ...] = ()
    max_segments: int = 2


def sends(templates: Iterable[Template], most: int) -> Tool:
    """The tool by which the agent sends one of these, and nothing else.

    Args:
        templates: What may be sent.
        most: How many messages may be sent in a conversation.
    """
    known = list(templates)
    choice = {
        "description": "Which message.",
        "enum": [template.name for template in known],
        "type": "string",
    }
    properties: dict[str, object] = {"template": choice}
    names = {each.name: each.description for template in known for each in template.fields}
    if names:
        fields = {
            name: {"type": "string"} | ({"description": text} if text else {})
            for name, text in names.items()
        }
        about = "The fields of this message, each of them and no other."
        properties["fields"] = {"description": about, "properties": fields, "type": "object"}
    return Tool(
        name=SEND_SMS,
        description=(
            "Sends a text message (SMS). Only these messages can be sent, with their fields filled "
            "in, and only to a number that is set already: never ask for one. Ask the caller "
            f"before you send one. The messages: {'; '.join(map(_described, known))}."
        ),
        parameters=canonical(
            {"properties": properties, "required": ["template"], "type": "object"}
        ),
        max_per_call=most,
    )


def _described(template: Template) -> str:
    when = f" ({template.description})" if template.description else ""
    fields = ", ".join(f"{each.name}: {_expected(each)}" for each in template.fields)
    return f"{template.name}{when}: {canonical(template.text)}" + (f" with {fields}" * bool(fields))


def refusal(templates: Iterable[Template], arguments: str) -> str:
    """What is wrong with a call of the tool; "" if nothing is.

    Args:
        templates: What may be sent.
        arguments: The arguments, as JSON; they fit the tool's parameters.
    """
    try:
        written(templates, json.loads(arguments))
    except ValueError as found:
        return str(found)
    return ""


def written(templates: Iterable[Template], arguments: Mapping[str, object]) -> tuple[Template, str]:
    """The template that a call asks for, and its words with the fields filled in.

    Raises:
        ValueError: It may not be sent. The message says what was expected, and repeats nothing of
            what the model has sent.
    """
    template = next((each for each in templates if each.name == arguments["template"]), None)
    if template is None:
        raise ValueError("template: expected one of those that can be sent")
    values = arguments.get("fields", {})
    if not isinstance(values, Mapping):
        raise ValueError("fields: expected an object")  # noqa: TRY004 - a wrong value, from outside
    if found := wrong(template, values):
        raise ValueError(found)
    return template, filled(template, values)


def wrong(template: Template, values: Mapping[str, object]) -> str:
    """What is wrong with the fields of a message; "" if nothing is."""
    known = {each.name: each for each in template.fields}
    if values.keys() != known.keys():
        return f"fields: expected exactly {', '.join(known) or 'none'} for {template.name}"
    for name, each in known.items():
        value = values[name]
        if not isinstance(value, str) or not fits(each, value):
            return f"{name}: expected {_expected(each)}"
    texts = {name: str(value) for name, value in values.items()}
    if name := linked(template, texts):
        return f"{name}: expected no part of a link"
    if (found := segments(filled(template, texts))) > template.max_segments:
        return (
            f"fields: expected shorter ones, for at most {template.max_segments} segments, got "
            f"{found}"
        )
    return ""


def filled(template: Template, values: Mapping[str, str]) -> str:
    """The words with their fields filled in. What a field holds is never read as a field, and in a
    link it is escaped, so that it ends neither the link nor the part that it stands in.
    """
    whole, spans = _spans(template, values)
    linked = {
        n
        for n, (begins, ends, _) in enumerate(spans)
        if any(first < ends and begins < last for first, last in links(whole))
    }
    fields = count()
    return "".join(
        quote(part, safe=":-") if name and next(fields) in linked else part
        for part, name in _parts(template, values)
    )


def slots(text: str) -> list[str]:
    """The fields that a text names, as ``{name}``."""
    return _SLOT.findall(text)


def without_slots(text: str) -> str:
    """A text without the fields that it names."""
    return _SLOT.sub("", text)


def linked(template: Template, values: Mapping[str, str]) -> str:
    """The name of a field of any text that would be a part of a link; "" if there is none."""
    free = {each.name for each in template.fields if each.kind == "text" and not each.enum}
    whole, spans = _spans(template, values)
    return _within(links(whole), [span for span in spans if span[2] in free])


def leading(template: Template) -> str:
    """The name of a field that would say where a link leads, and whose values are not all the
    owner's; "" if there is none.
    """
    free = {each.name for each in template.fields if not each.enum}
    values = {each.name: (each.enum or (_LONGER[each.kind],))[0] for each in template.fields}
    whole, spans = _spans(template, values)
    return _within(addresses(whole), [span for span in spans if span[2] in free])


_LONGER: Mapping[Kind, str] = {
    "text": "aa",
    "integer": "11",
    "code": "aa",
    "date": "2026-11-30",
    "time": "19:30",
}
"""A value of each kind that makes a link of a word, if one does."""


def _spans(template: Template, values: Mapping[str, str]) -> tuple[str, list[tuple[int, int, str]]]:
    """The plain text of a message, and where its fields begin and end."""
    whole, spans = "", list[tuple[int, int, str]]()
    for part, name in _parts(template, values):
        begins = len(whole)
        whole += plain(part)
        if name:
            spans.append((begins, len(whole), name))
    return whole, spans


def _within(parts: Iterable[tuple[int, int]], fields: Sequence[tuple[int, int, str]]) -> str:
    """The first of these fields that is in one of these parts of a text."""
    for part_begins, part_ends in parts:
        for begins, ends, name in fields:
            if part_begins < ends and begins < part_ends:
                return name
    return ""


def _parts(template: Template, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The parts of a message, each with the name of its field; "" for the owner's words."""
    for n, part in enumerate(_SLOT.split(template.text)):
        if n % 2:
            yield values.get(part, "").strip(), part
        else:
            yield part, ""


def fits(field: SmsField, value: str) -> bool:
    """Whether a field may hold a value, by itself."""
    if not value.strip() or len(value) > field.max_chars:
        return False
    if any(unicodedata.category(each) in _HIDDEN for each in value):
        return False
    if field.enum:
        return value in field.enum
    return _KINDS[field.kind](value)


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


_KINDS: Mapping[Kind, Callable[[str], bool]] = {
    "text": lambda value: not any(links(plain(value))),
    "integer": lambda value: re.fullmatch(r"-?[0-9]+", value) is not None,
    "code": lambda value: re.fullmatch(r"[A-Za-z0-9-]+", value) is not None,
    "date": _is_day,
    "time": lambda value: re.fullmatch(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", value) is not None,
}


def _expected(field: SmsField) -> str:
    if field.enum:
        return f"one of {', '.join(field.enum)}"
    most = f", of at most {field.max_chars} characters"
    match field.kind:
        case "text":
            return f"a text without links and line breaks{most}"
        case "integer":
            return f"a whole number{most}"
        case "code":
            return f"letters, digits and - alone{most}"
        case "date":
            return "a date such as 2026-11-30"
        case "time":
            return "a time such as 19:30"
