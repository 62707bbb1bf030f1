"""What a tool is to a conversation: its declaration, what it may be used for, and its results.

A result is one JSON object, never empty, because a model repeats a call whose result is empty:

    {"data": …, "hint": "…", "retryable": false, "status": "ok"}
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from agent.conversation.later import LATER
from agent.conversation.secret_digits import SecureEntry

NO_PARAMETERS = '{"properties":{},"type":"object"}'

MAX_RESULT_CHARS = 8_000
"""The longest `data` of a result: the whole context is read and billed again with each turn."""

END_CALL, NOTE = "end_call", "note"
"""The tools that every agent may have."""

TRANSFER = "transfer"
"""The tool of an agent that has somebody to put callers through to."""

COLLECT_DIGITS = "collect_digits"
"""The tool of an agent that may ask a caller to type something."""

SEND_DIGITS = "send_digits"
"""The tool of an agent that may press keys."""
STOP_RECORDING = "stop_recording"
"""The tool of an agent whose calls are recorded."""

MOST_DIGITS = 40
"""The longest number that anybody types."""

TAKE_MESSAGE = "take_message"
"""The tool of an agent that takes messages."""

SEND_SMS = "send_sms"
"""The tool of an agent that has text messages to send."""

MS_PER_S = 1_000

type Scheduling = Literal["WHEN_IDLE", "INTERRUPT", "SILENT"]


class Status(StrEnum):
    """How a tool call went."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, as the model is told of it and as a conversation allows it.

    Args:
        name: Its name.
        description: What it does, for the model.
        parameters: The JSON Schema of its arguments, an object, as text.
        idempotent: Whether it may run twice: it only looks something up.
        timeout_ms: How long it may take before the model is told that it takes longer.
        says: What the agent says to a caller who waits for it.
        max_per_call: How often it may run in a conversation.
        scheduling: When the model speaks of its result; SILENT for not at all.
        blocking: Whether the model says nothing before it has the result.
        secure: What the caller types in secret before it runs, in this order.
    """

    name: str
    description: str
    parameters: str = NO_PARAMETERS
    idempotent: bool = False
    timeout_ms: int = 4_000
    says: str = "One moment, please."
    max_per_call: int = 20
    scheduling: Literal["WHEN_IDLE", "INTERRUPT", "SILENT"] = "WHEN_IDLE"
    blocking: bool = False
    secure: tuple[SecureEntry, ...] = field(default=(), metadata=LATER)


ENDS_CALL = Tool(
    name=END_CALL,
    description=(
        "Ends the call. Use it when the caller has said goodbye, or wants nothing more; say "
        "goodbye in the same turn, before it."
    ),
    idempotent=True,
    scheduling="WHEN_IDLE",
)

TAKES_NOTE = Tool(
    name=NOTE,
    description=(
        "Writes a note into the record of this call, for those who read it later. The caller does "
        "not hear of it."
    ),
    parameters=(
        '{"properties":{"text":{"description":"The note, in whole sentences.","type":"string"}},'
        '"required":["text"],"type":"object"}'
    ),
    idempotent=True,
    max_per_call=50,
    scheduling="SILENT",
)

STOPS_RECORDING = Tool(
    name=STOP_RECORDING,
    description=(
        "Stops the recording of this call for good, and deletes it. The caller was told that the "
        "call is recorded. Use it at once when the caller does not want that."
    ),
    idempotent=True,
)

OURS = frozenset(
    {
        *(END_CALL, NOTE, TRANSFER, COLLECT_DIGITS),
        *(SEND_DIGITS, SEND_SMS, TAKE_MESSAGE, STOP_RECORDING),
    }
)
"""The names that no other tool may have."""


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody to whom callers may be put through.

    Args:
        name: How the model calls them.
        says: What the agent says before, if the model says nothing.
        warm: Whether they are told of the caller first.
    """

    name: str
    says: str
    warm: bool = field(default=False, metadata=LATER)


SUMMARY = (
    "What the person who is called is told before they take the call: who the caller is and what "
    "they want, in two or three short sentences."
)


def puts_through(targets: Iterable[Target], language: str = "") -> Tool:
    """The tool by which the agent puts a caller through to one of these, and to nobody else.

    Args:
        targets: Who they are.
        language: The language in which those of them are told of the caller who are told, such as
            ``"de-DE"``; "" for English.
    """
    known = tuple(targets)
    to = {"description": "To whom.", "enum": [each.name for each in known], "type": "string"}
    properties, required = {"to": to}, ["to"]
    if any(target.warm for target in known):
        told = f"{SUMMARY} Write it in the language {language or 'en-US'}."
        properties["summary"] = {"description": told, "type": "string"}
        required.append("summary")
    return Tool(
        name=TRANSFER,
        description=(
            "Puts the caller through to somebody else. Use it when the caller wants that, and tell "
            "them so in the same turn, before it. If nobody is reached, the caller comes back to "
            "you."
        ),
        parameters=canonical({"properties": properties, "required": required, "type": "object"}),
        max_per_call=10,
    )


def canonical(value: object) -> str:
    """JSON with its keys sorted, so that equal arguments are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _many_digits(description: str) -> dict[str, object]:
    return {"description": description, "maximum": MOST_DIGITS, "minimum": 1, "type": "integer"}


COLLECTS = Tool(
    name=COLLECT_DIGITS,
    description=(
        "Collects digits that the caller types with the keys of the telephone, such as a number or "
        "a date. Ask the caller for them in the same turn, before it, and name the key that ends "
        "them. The result has the digits. A caller may say them instead: then what you hear counts."
    ),
    parameters=canonical(
        {
            "properties": {
                "ends_with": {
                    "description": "The key that ends them; # without this.",
                    "enum": ["#", "*"],
                    "type": "string",
                },
                "max_digits": _many_digits("How many digits end them."),
                "min_digits": _many_digits("How many digits there must be."),
                "what": {"description": "What they are, in a few words.", "type": "string"},
            },
            "required": ["what"],
            "type": "object",
        }
    ),
    idempotent=True,
)

TAKES_MESSAGE = Tool(
    name=TAKE_MESSAGE,
    description=(
        "Takes a message for somebody who is not there. Offer it first. Call it with action begin "
        "before the caller says the message, and with action end once they have finished. Never "
        "say that a message is passed on before that."
    ),
    parameters=canonical(
        {
            "properties": {
                "action": {
                    "description": "cancel if nothing is to be passed on.",
                    "enum": ["begin", "end", "cancel"],
                    "type": "string",
                },
                "call_back": {
                    "description": "With end: the number to call back, digits alone.",
                    "pattern": r"(\+?[0-9]{3,20})?",
                    "type": "string",
                },
                "name": {
                    "description": "With end: who it is from.",
                    "pattern": r"[^\x00-\x1f]{0,100}",
                    "type": "string",
                },
            },
            "required": ["action"],
            "type": "object",
        }
    ),
    idempotent=True,
)

SENDS = Tool(
    name=SEND_DIGITS,
    description=(
        "Presses keys of the telephone, such as to choose from a menu that is read out to you. Say "
        "nothing in the same turn. Then wait, and listen to what comes. w is a pause of half a "
        "second, W one of a second."
    ),
    parameters=canonical(
        {
            "properties": {
                "digits": {
                    "description": "The keys, in order, 32 at most.",
                    "pattern": "[0-9A-D#*wW]{1,32}",
                    "type": "string",
                }
            },
            "required": ["digits"],
            "type": "object",
        }
    ),
    scheduling="SILENT",
)

BUILT_IN_TOOLS = {
    tool.name: tool for tool in (ENDS_CALL, TAKES_NOTE, COLLECTS, SENDS, TAKES_MESSAGE)
}


def quoted(text: str) -> str:
    """JSON that may stand in one of our own texts for a model, which are in square brackets: no
    string in it holds one, so that no data can end such a text and go on as another.
    """
    return _STRING.sub(lambda found: found[0].translate(_ESCAPED), text)


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ESCAPED = str.maketrans({"[": "\\u005b", "]": "\\u005d"})


def envelope(status: Status, data: str = "null", *, retryable: bool = False, hint: str = "") -> str:
    """A result for the model.

    Args:
        status: How it went.
        data: What came of it, as JSON; other text becomes a string.
        retryable: Whether the model may try again.
        hint: What the model should do, or "".
    """
    try:
        value = json.loads(data)
    except ValueError:
        value = data
    return canonical({"status": status, "data": value, "retryable": retryable, "hint": hint})
