"""What a tool is to a conversation: its declaration, what it may be used for, and its results.

A result is one JSON object, never empty, because a model repeats a call whose result is empty:

    {"data": …, "hint": "…", "retryable": false, "status": "ok"}
"""

import json
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from agent.conversation.later import LATER
from agent.conversation.secret_digits import SecureEntry

NO_PARAMETERS = '{"properties":{},"type":"object"}'

MAX_RESULT_CHARS = 8_000
"""The longest `data` of a result: the whole context is read and billed again with each turn."""

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


def canonical(value: object) -> str:
    """JSON with its keys sorted, so that equal arguments are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
