"""What speaks against a tool call of the model: then it is refused, and nothing runs.

always    there is no such tool, or the arguments are others than it declares
for now   the line or the caller is taken up already, or it was used as often as it may be
"""

from dataclasses import dataclass

from agent.conversation import message, sms
from agent.conversation.arguments import refusal
from agent.conversation.built_in_tools import (
    COLLECT_DIGITS,
    SEND_DIGITS,
    SEND_SMS,
    TAKE_MESSAGE,
    TRANSFER,
)
from agent.conversation.collect import contradiction
from agent.conversation.declaration import Tool
from agent.conversation.persona import Persona
from agent.conversation.tool_call import State
from agent.conversation.tool_events import ToolCalled
from agent.conversation.tools import Ledger


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a call is refused, as a hint for the model, and whether it may try again."""

    hint: str
    retryable: bool = False


class Objections:
    """Those against the calls of one conversation."""

    def __init__(self, persona: Persona, ledger: Ledger) -> None:
        self._tools = {tool.name: tool for tool in persona.tools}
        self._sms, self._ledger = persona.sms, ledger

    def to_call(self, called: ToolCalled) -> Objection | None:
        """What is wrong with a call, whenever it comes; None if nothing is."""
        tool = self._tools.get(called.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return Objection(f"There is no such tool; there are: {known}.")
        wrong = refusal(tool.parameters, called.arguments)
        if not wrong and tool.name == SEND_SMS:
            wrong = sms.refusal(self._sms, called.arguments)
        if wrong:
            hint = f"{wrong}. Correct the arguments, or ask the caller for what is missing."
            return Objection(hint, retryable=True)
        return None

    def to_run(self, tool: Tool, arguments: str) -> Objection | None:
        """Why a call with nothing wrong in it cannot run now; None if it can."""
        if tool.name in {TRANSFER, SEND_DIGITS} and self._ledger.transfer is not None:
            return Objection("The caller is put through to somebody already.")
        if tool.name in {TRANSFER, SEND_DIGITS} and self._ledger.sends is not None:
            return Objection("Keys are pressed already. Wait for it.")
        typed = tool.name == COLLECT_DIGITS or tool.secure
        if typed and (wrong := self._not_typed(tool, arguments)):
            return Objection(wrong, retryable=True)
        if tool.name == TAKE_MESSAGE and (wrong := message.refusal(arguments, self._ledger)):
            return Objection(wrong, retryable=True)
        if self._ledger.counts.get(tool.name, 0) >= tool.max_per_call:
            hint = "This was used as often as it may be in one call. Do not call it again."
            return Objection(hint)
        return None

    def _not_typed(self, tool: Tool, arguments: str) -> str:
        """Why the caller cannot type now what this call wants; "" if they can."""
        for each in self._ledger.running:
            unsent = each.tool.secure and each.state is State.INTENDED
            if unsent or each.tool.name == COLLECT_DIGITS:
                return "The caller is typing something already. Wait for it."
        return contradiction(arguments) if tool.name == COLLECT_DIGITS else ""
