"""The ledger of tool calls: each call, its state and its result. It is a part of the checkpoint.

What another worker had begun, and what is known of it, is settled where its ledger is read.
"""

import json
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Self

from agent.conversation.built_in_tools import SEND_DIGITS, SEND_SMS, TAKE_MESSAGE, TRANSFER
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.declaration import Status, Tool, envelope
from agent.conversation.hints import (
    BACK,
    BACK_UNKNOWN,
    CAME_OF_IT,
    KEYS_LOST,
    KEYS_SENT,
    KEYS_UNKNOWN,
    NOT_KEPT,
    UNKNOWN_HINT,
)
from agent.conversation.next_step import REACHED, NextStep, Stage
from agent.conversation.tool_call import ENTERING, MASKED, State, ToolCall

KEPT = 12
"""How many calls are kept, of which the newest may be asked for again."""

ALL_KEPT = frozenset({SEND_SMS, TAKE_MESSAGE})
"""The tools whose calls are all kept."""

MAX_NOTES_CHARS = 16_000
"""The longest that all notes of a call may be together."""


class Ledger:
    """All calls of one conversation, the newest `KEPT` of them by heart."""

    def __init__(self) -> None:
        self.newest = 0
        self.counts: dict[str, int] = {}
        self.notes = ""
        """What the agent wrote down, each note on a line."""
        self.after_keys = False
        """Whether the line was away for keys alone: they are the answer to what was said before."""
        self._calls: list[ToolCall] = []

    def __iter__(self) -> Iterator[ToolCall]:
        return iter(self._calls)

    @property
    def running(self) -> list[ToolCall]:
        """Those whose results are still to come."""
        return [call for call in self._calls if call.open]

    @property
    def untold(self) -> list[ToolCall]:
        """Those whose results the caller has not heard of."""
        return [call for call in self._calls if not call.open and not call.told]

    @property
    def transfer(self) -> ToolCall | None:
        """The transfer that was asked for and has not happened yet, if there is one."""
        return next((call for call in self.running if call.tool.name == TRANSFER), None)

    @property
    def sends(self) -> ToolCall | None:
        """The keys that are to be pressed and were not yet, if there are any."""
        return next((call for call in self.running if call.tool.name == SEND_DIGITS), None)

    def target_of(self, call: ToolCall) -> str:
        """The name of whom a transfer is to."""
        return str(json.loads(call.arguments)["to"])

    def summary_of(self, number: int) -> str:
        """What the target of a transfer is told of the caller; "" if the model wrote nothing."""
        call = self.find(number)
        return "" if call is None else str(json.loads(call.arguments).get("summary", ""))

    def untold_text(self) -> str:
        """Those of `untold`, for a session that did not call them; "" if there are none."""
        return "; ".join(call.as_text() for call in self.untold)

    def crossed(self, gone: AbstractSet[tuple[int, str]]) -> list[ToolCall]:
        """Those that the model took back while their results were on the way to it: it has not
        got them. Of a look-up it wants to hear nothing; what was done, it has to hear.
        """
        found = [call for call in self.untold if gone & set(call.answered)]
        for call in found:
            call.told, call.answered = call.tool.idempotent, []
            call.sent_ms, call.sent_to = None, 0
        return [call for call in found if not call.told]

    def find(self, number: int) -> ToolCall | None:
        """The call of this number, if it is still kept."""
        return next((call for call in self._calls if call.number == number), None)

    def same(self, name: str, arguments: str, now_ms: int) -> ToolCall | None:
        """An equal call that need not, or must not, run again. Of an act whose arguments were
        masked when they were stored, see `alike`; a look-up may run again.

        Of messages only the last call counts: to begin one after another is to begin another.
        """
        for call in reversed(self._calls):
            if call.tool.name == name and call.may_have_had(arguments) and call.stands(now_ms):
                return call
            if call.tool.name == name == TAKE_MESSAGE:
                return None
        return None

    def begin(self, tool: Tool, arguments: str, now_ms: int) -> ToolCall:
        """Note a new call."""
        self.newest += 1
        self.counts[tool.name] = self.counts.get(tool.name, 0) + 1
        state = State.RUNNING if tool.idempotent else State.INTENDED
        call = ToolCall(self.newest, tool, arguments, now_ms, state, entering=bool(tool.secure))
        over = [x for x in self._calls if x.told and x.tool.name not in ALL_KEPT]
        for each in over[: max(0, len(self._calls) + 1 - KEPT)]:
            self._calls.remove(each)
        self._calls.append(call)
        return call

    def renumber(self, call: ToolCall) -> None:
        """Give a call a new number, so that the store tells when it has the call as it is now."""
        self.newest += 1
        call.number = self.newest

    def note(self, text: str) -> bool:
        """Write a note down. Returns whether there is room for it."""
        line = " ".join(text.split())
        if len(self.notes) + len(line) > MAX_NOTES_CHARS:
            return False
        self.notes += f"{line}\n"
        return True

    # What outlives a worker.

    def kept_in(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with the ledger in it, and what is to happen with the line next."""
        step = ""
        if (call := self.transfer) is not None:
            step = NextStep(call.number, "transfer", self.target_of(call), "agent").to_json()
        elif (call := self.sends) is not None:
            keys = str(json.loads(call.arguments)["digits"])
            step = NextStep(call.number, "digits", keys, "agent").to_json()
        return replace(
            checkpoint,
            tools=self.to_text(),
            acts=self.newest,
            notes=self.notes,
            next_step=step,
        )

    def to_text(self) -> str:
        """The ledger as JSON; "" if there was no call."""
        if not self.newest:
            return ""
        calls = [
            [c.number, c.tool.name, c.arguments, c.state, _kept(c), c.sent_ms, c.told]
            for c in self._calls
        ]
        kept = {"newest": self.newest, "counts": self.counts, "calls": calls}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(
        cls,
        text: str,
        tools: Iterable[Tool],
        notes: str = "",
        next_step: str = "",
        *,
        over: bool = False,
    ) -> Self:
        """The ledger that another worker left. What it had begun and was no mere look-up, it may
        have done: nobody knows, but of a transfer, which `next_step` tells of. The call is `over`,
        or its caller is here again.
        """
        ledger = cls()
        ledger.notes = notes
        if not text:
            return ledger
        kept = json.loads(text)
        by_name = {tool.name: tool for tool in tools}
        step = NextStep.from_json(next_step)
        ledger.newest, ledger.counts = kept["newest"], kept["counts"]
        for number, name, arguments, state, result, sent_ms, told in kept["calls"]:
            tool = by_name.get(name, Tool(name, ""))
            call = ToolCall(number, tool, arguments, 0, State(state), result)
            call.sent_ms, call.told = sent_ms, told
            if call.open and tool.secure and result == ENTERING:
                call.entering, call.result = True, ""
            elif call.of_caller:
                call.typed, call.result = result, ""
            elif call.open and name in {TRANSFER, SEND_DIGITS}:
                known = step if step is not None and step.n == number else None
                back = _came_back if name == TRANSFER else _pressed
                (_ended if over else back)(call, known)
                ledger.after_keys |= name == SEND_DIGITS and not call.open
            elif call.open and tool.idempotent and result == MASKED:
                gave = envelope(Status.ERROR, retryable=True, hint=NOT_KEPT)
                call.ends(State.FAILED, gave, 0)
            elif call.open and not tool.idempotent:
                call.ends(State.UNKNOWN, envelope(Status.UNKNOWN, hint=UNKNOWN_HINT), 0)
            ledger._calls.append(call)
        return ledger


def _kept(call: ToolCall) -> str:
    """What is stored as the result of a call."""
    return ENTERING if call.entering else call.result or call.typed


def _came_back(call: ToolCall, step: NextStep | None) -> None:
    """Note what came of a transfer whose caller is here again; one that was not begun goes on."""
    match step:
        case NextStep(stage=Stage.INTENDED):
            call.state = State.RUNNING
        case NextStep(stage=Stage.DONE, outcome=outcome):
            hint = f"{CAME_OF_IT.get(outcome, CAME_OF_IT['failed'])} {BACK}"
            status = Status.OK if outcome in REACHED else Status.ERROR
            call.ends(State.FAILED, envelope(status, outcome, retryable=True, hint=hint), 0)
        case _:
            call.ends(State.FAILED, envelope(Status.UNKNOWN, hint=BACK_UNKNOWN), 0)


def _pressed(call: ToolCall, step: NextStep | None) -> None:
    """Note whether keys were pressed, now that the line is here again."""
    match step:
        case NextStep(stage=Stage.INTENDED):
            call.state = State.RUNNING
        case NextStep(stage=Stage.DONE, outcome="failed"):
            call.ends(State.FAILED, envelope(Status.ERROR, retryable=True, hint=KEYS_LOST), 0)
        case NextStep(stage=Stage.DONE):
            call.ends(State.DONE, envelope(Status.OK, hint=KEYS_SENT), 0)
        case _:
            call.ends(State.UNKNOWN, envelope(Status.UNKNOWN, hint=KEYS_UNKNOWN), 0)


def _ended(call: ToolCall, step: NextStep | None) -> None:
    """Note what came of a transfer whose call is over."""
    match step:
        case NextStep(stage=Stage.INTENDED | Stage.WITHDRAWN):
            call.ends(State.CANCELLED, envelope(Status.CANCELLED), 0)
        case NextStep(stage=Stage.DONE, outcome=outcome) if outcome in REACHED:
            call.ends(State.DONE, envelope(Status.OK, outcome), 0)
        case NextStep(stage=Stage.DONE, outcome=outcome):
            call.ends(State.FAILED, envelope(Status.ERROR, outcome), 0)
        case _:
            call.ends(State.UNKNOWN, envelope(Status.UNKNOWN), 0)
