"""The agent collects digits that the caller types, by the tool `collect_digits`.

the length, or the key that ends them   the result comes at once
4 s without a key                       the result has what was typed by then
nothing typed for 15 s                  the result says so
words of the caller                     the result has what was typed, and says that the caller has
                                        spoken: the model hears digits that are said, and answers

The first key cuts the agent short. Who types has understood what is wanted, and types more slowly
while somebody talks; and what is cut is a question that is being answered.

What was typed is a part of the ledger, so that another worker goes on with it. A caller who is gone
for a moment has 15 s to go on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.conversation.built_in_tools import COLLECT_DIGITS, MOST_DIGITS
from agent.conversation.commands import ConversationCommand
from agent.conversation.debt import Debt
from agent.conversation.declaration import Scheduling, Status, canonical, envelope
from agent.conversation.replies import Replies
from agent.conversation.sessions import Sessions
from agent.conversation.tool_call import State, ToolCall
from agent.conversation.tool_results import Results
from agent.conversation.tools import Ledger
from agent.conversation.turns import Floor

BETWEEN_MS = 4_000
"""How long the next key may take."""

FIRST_MS = 15_000
"""How long the first key may take once the agent is not heard any more."""

SPEAKS_MS = 500
"""Who was heard so lately may still speak."""

SHORT = "The caller typed fewer digits than were wanted. Say so, and ask again."
NOTHING = "The caller typed nothing. Ask whether they would rather say it."
SPOKE = (
    "The caller has spoken. Digits that they said count, too: they come after those that were "
    "typed. Answer what they said; if digits are missing, ask for them."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be typed: how many digits, and which key ends them."""

    least: int
    most: int
    ends_with: str

    @classmethod
    def of(cls, arguments: str) -> "Wanted":
        """As the model has asked for it."""
        given: Mapping[str, Any] = json.loads(arguments)
        return cls(
            given.get("min_digits", 1),
            given.get("max_digits", MOST_DIGITS),
            given.get("ends_with", "#"),
        )


def contradiction(arguments: str) -> str:
    """What is wrong with arguments that are right by themselves; "" if nothing is."""
    wanted = Wanted.of(arguments)
    if wanted.least <= wanted.most:
        return ""
    return f"max_digits: expected at least min_digits, {wanted.least}, got {wanted.most}"


class Collect:
    """One conversation's. Call `look` after every step of it."""

    def __init__(
        self,
        ledger: Ledger,
        results: Results,
        *,
        replies: Replies,
        sessions: Sessions,
        debt: Debt,
    ) -> None:
        self._ledger, self._results = ledger, results
        self._replies, self._sessions, self._debt = replies, sessions, debt
        self._until_ms = self._began_ms = 0
        self._cut = self._held = False

    @property
    def call(self) -> ToolCall | None:
        """The call for which digits are collected, if there is one."""
        return next((x for x in self._ledger.running if x.tool.name == COLLECT_DIGITS), None)

    @property
    def due_ms(self) -> int | None:
        """When `look` is due, or None."""
        waits = self._sessions.attached and self._replies.floor is Floor.CALLER
        return self._until_ms if waits and self.call is not None else None

    def begins(self, now_ms: int) -> None:
        """Digits are wanted from now on, or still are."""
        self._until_ms, self._began_ms, self._cut = now_ms + FIRST_MS, now_ms, False

    def press(self, key: str, now_ms: int) -> list[ConversationCommand] | None:
        """A key was pressed. None if no digits are wanted."""
        if (call := self.call) is None:
            return None
        out = self._replies.typed_over(now_ms)
        self._cut |= bool(out)
        self._held = False
        wanted = Wanted.of(call.arguments)
        self._until_ms = now_ms + BETWEEN_MS
        if key == wanted.ends_with:
            return out + self._done(call, now_ms)
        if key.isdecimal():
            call.typed += key
        if len(call.typed) >= wanted.most:
            return out + self._done(call, now_ms)
        return out + self._sessions.checkpoint(now_ms)

    def heard_words(self, now_ms: int) -> list[ConversationCommand]:
        """The model has heard words of the caller."""
        call = self.call
        if call is None or not call.waiting or not self._debt.spoke_since(self._began_ms):
            return []
        data = canonical({"complete": self._complete(call), "digits": call.typed})
        # The model answers what it hears: the result is not to make it speak once more.
        return self._ends(call, envelope(Status.OK, data, hint=SPOKE), now_ms, "SILENT")

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Take what was typed, if it is late."""
        if (call := self.call) is None:
            return []
        held = not self._sessions.attached or self._replies.floor is Floor.AGENT
        was_held, self._held = self._held, held
        if held or was_held:
            self._until_ms = now_ms + FIRST_MS
        elif self._debt.spoke_since(now_ms - SPEAKS_MS):  # its words come when it is over
            self._until_ms = max(self._until_ms, now_ms + BETWEEN_MS)
        return self._done(call, now_ms) if now_ms >= self._until_ms else []

    def _complete(self, call: ToolCall) -> bool:
        return len(call.typed) >= Wanted.of(call.arguments).least

    def _done(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        if not call.typed:
            late = envelope(Status.TIMEOUT, retryable=True, hint=NOTHING)
            return self._ends(call, late, now_ms, "WHEN_IDLE")
        complete = self._complete(call)
        data = canonical({"complete": complete, "digits": call.typed})
        result = envelope(Status.OK, data, hint="" if complete else SHORT)
        # A model that was cut short believes that it is heard until all that it said is over.
        return self._ends(call, result, now_ms, "INTERRUPT" if self._cut else "WHEN_IDLE")

    def _ends(
        self, call: ToolCall, result: str, now_ms: int, scheduling: Scheduling
    ) -> list[ConversationCommand]:
        call.ends(State.DONE, result, now_ms)
        return self._results.deliver(call, now_ms, scheduling)
