"""The agent takes a message, by the tool `take_message`: it says when the message begins and ends.

    begin    the caller is asked whether they agree, in the owner's words; then they speak
    end      the caller has finished; the number to call back is read to them, and may be corrected
             by another end
    cancel   they do not agree, or want nothing passed on

What the caller said between the two is the message. Nothing is sent while the call lasts: when each
of them was is a part of the ledger, so that a message outlives its worker, and whoever tells of the
call tells of it once. A message whose caller hung up in the middle ends with the call.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.conversation.built_in_tools import TAKE_MESSAGE
from agent.conversation.declaration import Status, canonical, envelope
from agent.conversation.persona import say_exactly
from agent.conversation.tool_call import State, ToolCall
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Line

TAKING = (
    "A message can be taken. Once the caller has agreed, let them speak. When they have finished, "
    "call take_message again, with action end, and with the number to call back if they gave one; "
    "if they do not agree, with action cancel."
)
TAKEN = "The message is passed on. Tell the caller so"
READ_BACK = (
    f"{TAKEN}, and read this number back to them, digit by digit: {{}}. If it is wrong, ask for it "
    "and call take_message again, with action end and the right number."
)
NO_NUMBER = (
    f"{TAKEN}, and that they are called back at the number that they call from. If they would "
    "rather be called at another, call take_message again, with action end and that number."
)
CANCELLED = "Nothing is passed on. Go on with the caller."
NOT_BEGUN = "No message was begun. Call it with action begin first"


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was taken.

    Args:
        number: The number of the tool call that said so last.
        from_ms: When it began, in ms since the conversation did.
        until_ms: When it ended; None if the conversation ended before.
        call_back: The number to call back, as the caller said it; "" if they gave none.
        name: Who it is from; "" if the model did not say.
    """

    number: int
    from_ms: int
    until_ms: int | None = None
    call_back: str = ""
    name: str = ""

    def lines(self, lines: Iterable[Line]) -> list[Line]:
        """What the caller said, among the lines of the conversation."""
        until_ms = self.until_ms
        return [
            line
            for line in lines
            if line.role == "caller"
            and line.at_ms >= self.from_ms
            and (until_ms is None or line.at_ms < until_ms)
        ]


def messages_of(calls: Iterable[ToolCall]) -> list[Message]:
    """The messages of a conversation, by what its ledger has."""
    taken: list[Message] = []
    for call in calls:
        if call.tool.name != TAKE_MESSAGE or call.state is not State.DONE:
            continue
        asked, at_ms = json.loads(call.arguments), json.loads(call.result)["data"]["at_ms"]
        match asked["action"]:
            case "begin":
                if taken and taken[-1].until_ms is None:
                    taken[-1] = _ended(taken[-1], taken[-1].number, at_ms, {})
                taken.append(Message(call.number, at_ms))
            case "end" if taken:
                taken[-1] = _ended(taken[-1], call.number, at_ms, asked)
            case "cancel" if taken:
                taken.pop()
    return taken


def _ended(message: Message, number: int, at_ms: int, asked: dict[str, Any]) -> Message:
    """The message with its end; one that had ended already has another number to call back."""
    until_ms = at_ms if message.until_ms is None else message.until_ms
    call_back = asked.get("call_back") or message.call_back
    name = asked.get("name") or message.name
    return Message(number, message.from_ms, until_ms, call_back, name)


def refusal(arguments: str, ledger: Ledger) -> str:
    """Why a call of the tool can not be carried out now; "" if it can."""
    begins = json.loads(arguments)["action"] == "begin"
    return "" if begins or messages_of(ledger) else NOT_BEGUN


def result(arguments: str, at_ms: int, consent: str) -> str:
    """What comes of a call of the tool, for the model.

    Args:
        arguments: The arguments, as JSON; they fit the tool's parameters.
        at_ms: The time, in ms since the conversation began.
        consent: What the caller is asked before a message is taken.
    """
    asked = json.loads(arguments)
    match asked["action"]:
        case "begin":
            hint = say_exactly(TAKING, consent)
        case "end":
            digits: Sequence[str] = asked.get("call_back", "")
            hint = READ_BACK.format(" ".join(digits)) if digits else NO_NUMBER
        case _:
            hint = CANCELLED
    return envelope(Status.OK, canonical({"at_ms": at_ms}), hint=hint)
