"""The tools that are ours, not a user's: their names, and what a model is told of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.conversation.declaration import Tool, canonical
from agent.conversation.later import LATER

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

TAKE_MESSAGE = "take_message"
"""The tool of an agent that takes messages."""

SEND_SMS = "send_sms"
"""The tool of an agent that has text messages to send."""

OURS = frozenset(
    {
        *(END_CALL, NOTE, TRANSFER, COLLECT_DIGITS),
        *(SEND_DIGITS, SEND_SMS, TAKE_MESSAGE, STOP_RECORDING),
    }
)
"""The names that no other tool may have."""

MOST_DIGITS = 40
"""The longest number that anybody types."""

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
