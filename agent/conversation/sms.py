"""Text messages by template: the owner writes the words, the model fills in fields, and no more.

A field is refused if it is none of the template's, is too long, or is not of its kind, such as a
text with a link in it. The words of the owner may have links; a field may stand in one only if its
kind has no dots and slashes.

Source: 3GPP TS 23.038, the default alphabet and its extension table, for the length of a message.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from agent.conversation.declaration import SEND_SMS, Tool, canonical

Kind = Literal["text", "integer", "code", "date", "time"]
"""What a field may be: any text without links, or something that can be no link."""

MOST_CHARS = 300
"""The longest that a field may be."""

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""The categories of characters that nobody sees, or that end a line or turn its direction."""

_LINK = re.compile(
    r"://"
    r"|www\."
    r"|(?:mailto|tel|sms|smsto|mms|geo|market|intent|javascript|data):"
    r"|[^@]@[^@]"
    r"|[^.](?:\.[^\W\d_]{2}|\.xn--|。[a-z0-9]{2})"
    r"|\d{1,3}(?:\.\d{1,3}){3}"
)
"""What a telephone may make a link of, in a word of text that is normalised (NFKC) and folded."""
_WORD = re.compile(r"\S+")


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
    """The words with their fields filled in. What a field holds is never read as a field."""
    return "".join(part for part, _ in _parts(template, values))


def slots(text: str) -> list[str]:
    """The fields that a text names, as ``{name}``."""
    return _SLOT.findall(text)


def without_slots(text: str) -> str:
    """A text without the fields that it names."""
    return _SLOT.sub("", text)


def linked(template: Template, values: Mapping[str, str]) -> str:
    """The name of a field of any text that would be a part of a link; "" if there is none."""
    free = {each.name for each in template.fields if each.kind == "text" and not each.enum}
    whole, spans = "", list[tuple[int, int, str]]()
    for part, name in _parts(template, values):
        begins = len(whole)
        whole += _plain(part)
        if name in free:
            spans.append((begins, len(whole), name))
    for word_begins, word_ends in _links(whole):
        for begins, ends, name in spans:
            if word_begins < ends and begins < word_ends:
                return name
    return ""


def _links(plain: str) -> Iterator[tuple[int, int]]:
    """Where words begin and end that have a link in them."""
    return (word.span() for word in _WORD.finditer(plain) if _LINK.search(word[0]))


def _parts(template: Template, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The parts of a message, each with the name of its field; "" for the owner's words."""
    for n, part in enumerate(_SLOT.split(template.text)):
        if n % 2:
            yield values.get(part, "").strip(), part
        else:
            yield part, ""


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


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
    "text": lambda value: not any(_links(_plain(value))),
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


# How long a message is.

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Characters that take the place of two."""

_GSM_7, _UCS_2 = (160, 153), (70, 67)
"""How many units a message holds: alone, and as one of several segments."""


def segments(text: str) -> int:
    """How many segments a message takes. A character is never cut in two."""
    if all(each in _BASIC or each in _EXTENDED for each in text):
        return _packed([2 if each in _EXTENDED else 1 for each in text], *_GSM_7)
    return _packed([2 if ord(each) > 0xFFFF else 1 for each in text], *_UCS_2)


def _packed(units: Sequence[int], alone: int, each: int) -> int:
    if sum(units) <= alone:
        return 1
    count, room = 1, each
    for unit in units:
        if unit > room:
            count, room = count + 1, each
        room -= unit
    return count
