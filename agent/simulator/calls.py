"""The tool calls of one session, on the server's side: what the model called and waits for.

    called ─ BLOCKING ──────▶ the model says nothing until the result comes; speech cancels the call
           ─ NON_BLOCKING ──▶ the model goes on; of the result it speaks WHEN_IDLE, at once with
                              INTERRUPT, or not at all with SILENT

Source: Gemini Live API, tool use (v1beta, November 2026), and reports from its users.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

from agent.conversation.persona import RESULTS_ARE
from agent.simulator import server_messages as say
from agent.simulator.client_messages import ToolResult
from agent.simulator.memory import Entry
from agent.simulator.script import Call, Turn
from agent.simulator.server_messages import Send
from agent.simulator.service import Service


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call without a result; `turn` is what is to be answered with it, if anything is."""

    id: str
    call: Call
    turn: Turn | None
    blocking: bool
    repeats: int = 0


@dataclass(slots=True)
class Calls:
    """The calls of one session.

    Attributes:
        results: What came and was not spoken of, oldest first: the answers, and whether each is to
            interrupt.
    """

    service: Service
    tools: Mapping[str, bool]
    """The declared tools, and whether each is BLOCKING."""
    send: Send
    results: list[tuple[Turn, bool]] = field(default_factory=list)
    _open: list[OpenCall] = field(default_factory=list)

    @property
    def any_open(self) -> bool:
        """Whether there is a call without a result: no handle is given meanwhile."""
        return bool(self._open)

    @property
    def blocks(self) -> bool:
        """Whether the model must say nothing."""
        return any(call.blocking for call in self._open)

    def knows(self, call: Call) -> bool:
        """Whether the client has declared what the script calls."""
        return call.tool in self.tools

    def begin(self, call: Call, turn: Turn | None, repeats: int = 0) -> None:
        """Call a tool, for a turn or just so."""
        call_id = f"function-call-{UUID(int=self.service.random.getrandbits(128), version=4).hex}"
        blocking = self.tools[call.tool]
        self._open.append(OpenCall(call_id, call, turn, blocking, repeats))
        self.send(say.tool_call(call_id, call.tool, call.arguments))

    def cancel(self, *, all_of_them: bool) -> None:
        """The user speaks: the server takes back what it waits for, or everything."""
        gone = [call for call in self._open if call.blocking or all_of_them]
        self._open = [call for call in self._open if call not in gone]
        if gone:
            self.send(say.tool_calls_cancelled(call.id for call in gone))

    def result(self, result: ToolResult) -> str:
        """Take a result. Returns what it is: "unknown", "interim", "silent", "again" or "answer".

        An answer is in `results` then.
        """
        call = next((one for one in self._open if one.id == result.id), None)
        if call is None:
            return "unknown"
        if result.goes_on:
            return "interim"
        self._open.remove(call)
        if not result.response and call.repeats < self.service.behaviour.repeats_empty:
            self.begin(call.call, call.turn, call.repeats + 1)
            return "again"
        if result.scheduling == "SILENT" and not call.blocking:
            return "silent"
        if call.turn is None:
            return "silent" if call.blocking else "told"
        answer = told(call.turn, result.response, self.service.script.fallback)
        self.results.append((answer, result.scheduling == "INTERRUPT"))
        return "answer"


def told(turn: Turn, response: Mapping[str, object], failed: str) -> Turn:
    """What is said once a result is there: the turn's words, with the result's data in them."""
    data = response.get("data")
    if response.get("status") != "ok":
        return Turn(turn.failed or failed)
    words = turn.say
    for name, value in (data if isinstance(data, dict) else {"data": data}).items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        words = words.replace(f"{{{name}}}", shown)
    return replace(turn, say=words, call=None, meanwhile=None, faults=())


def told_in(text: str, turns: Sequence[Turn], failed: str) -> Turn | None:
    """What is said to a text that tells of a result; None if it tells of none."""
    if not text.startswith(RESULTS_ARE):
        return None
    for turn in turns:
        if turn.call is not None and (at := text.rfind(f"{turn.call.tool}(")) >= 0:
            _, _, result = text[at:].partition(" gave ")
            with suppress(ValueError):  # a caller's words that only look like such a text
                response, _ = json.JSONDecoder().raw_decode(result)
                return told(turn, response, failed)
    return None


def known(entries: Sequence[Entry], turn: Turn, failed: str) -> Turn | None:
    """What is said without a call, because the history holds its result; None if it does not."""
    for entry in reversed(entries):
        if entry.role == "user" and (answer := told_in(entry.text, [turn], failed)) is not None:
            return answer
    return None
