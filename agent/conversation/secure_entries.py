"""A caller types what nobody is to see, before a tool of the owner's runs: `Tool.secure`.

The agent says what is to be typed. From the call of the tool until a second after the last key,
nobody hears the caller: no sound and no key of theirs leaves the worker that holds the line, and
this module learns only that a key was a digit, the end (#) or the cancellation (*). The digits stay
with that worker until the tool runs.

the length, # or 4 s without a key   the tool runs, once that is stored
too few digits                       asked again, three times in all
nothing typed for 15 s               asked again, twice in all; then the tool does not run
# right behind the last digit         belongs to the entry that its length has ended
*                                    the tool does not run; the model is told that the caller wants
                                     something else
the line or the worker is lost       what was typed is forgotten, and asked for again
the caller talks                     nobody hears it
"""

from agent.conversation.commands import ConversationCommand
from agent.conversation.deadlines import earliest
from agent.conversation.declaration import Scheduling, Status, envelope
from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.conversation.replies import Replies
from agent.conversation.secret_digits import KeyKind, SecureEntry
from agent.conversation.sessions import Sessions
from agent.conversation.tool_call import State, ToolCall
from agent.conversation.tool_results import Results
from agent.conversation.tools import Ledger
from agent.conversation.turns import Floor

BETWEEN_MS = 4_000
"""How long the next key may take."""

FIRST_MS = 15_000
"""How long the first key may take once the agent has asked."""

TAIL_MS = 1_000
"""For so long after the last key nobody hears the caller: another key may come, or its sound."""

MOST_TRIES = 3
MOST_SILENT = 2

ASKED = "The caller types something that you do not hear."
CANCELLED = "The caller has pressed the star key: they do not want to type it. Ask what they want."
NOTHING = "The caller typed nothing, so nothing was done. Ask what they want to do."
TOO_FEW = "The caller typed too few digits, so nothing was done. Ask what they want to do."


class SecureEntries:
    """One conversation's. Call `look` after every step of it.

    Attributes:
        cut_short: Whether a key has cut the agent short. A model that was cut short believes that
            it is heard until all that it said is over.
    """

    def __init__(
        self, ledger: Ledger, results: Results, *, replies: Replies, sessions: Sessions
    ) -> None:
        self._ledger, self._results = ledger, results
        self._replies, self._sessions = replies, sessions
        self._entry = self._typed = self._tries = self._silent = 0
        self._prompted = False
        self.cut_short = False
        self._until_ms = 0
        self._full_ms: int | None = None
        """When the last digit of the entry before came, if its length ended it."""
        self._hidden_until_ms: int | None = None
        """Until when a caller is hidden who has typed all of it."""

    @property
    def call(self) -> ToolCall | None:
        """The call for which the caller types, if there is one."""
        return next((call for call in self._ledger.running if call.entering), None)

    @property
    def due_ms(self) -> int | None:
        """When `look` is due, or None."""
        if self.call is None or not self._sessions.attached:
            return self._hidden_until_ms
        if self._replies.floor is Floor.AGENT or not self._prompted:
            return self._hidden_until_ms
        return earliest(self._until_ms, self._hidden_until_ms)

    def begins(self, now_ms: int) -> list[ConversationCommand]:
        """A call waits for what the caller is to type, or does so on a new line."""
        if (call := self.call) is None:
            return []
        self._entry = self._tries = self._silent = 0
        self._full_ms, self.cut_short = None, False
        return self._asks(call, now_ms)

    def press(self, kind: KeyKind, now_ms: int) -> list[ConversationCommand]:
        """A key was pressed that nobody sees."""
        if self._hidden_until_ms is not None:
            self._hidden_until_ms = now_ms + TAIL_MS
        if (call := self.call) is None:
            return []
        if kind == "end" and self._full_ms is not None and now_ms - self._full_ms < TAIL_MS:
            self._full_ms = None
            return []  # it belongs to the entry before, which needed none
        self._full_ms = None
        out = self._replies.typed_over(now_ms)
        self._prompted, self.cut_short = True, self.cut_short or bool(out)
        entry = self._wanted(call)
        self._until_ms = now_ms + BETWEEN_MS
        match kind:
            case "cancel":
                return out + self._left_undone(call, Status.CANCELLED, CANCELLED, now_ms)
            case "end":
                return out + self._typed_all(call, now_ms)
            case "digit":
                self._typed += 1
                return out + (self._typed_all(call, now_ms) if self._typed >= entry.most else [])
            case "other":
                return out

    def taken_back(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        """The model does not want the call any more, which ends elsewhere."""
        call.entering = False
        return self._hides_for_a_moment(now_ms, forget=True)

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Ask the caller, go on, or let them be heard again, if that is due."""
        out: list[ConversationCommand] = []
        if self._hidden_until_ms is not None and now_ms >= self._hidden_until_ms:
            self._hidden_until_ms = None
            out.append(ShowCaller())
        if (call := self.call) is None:
            return out
        if not self._sessions.attached or self._replies.floor is Floor.AGENT:
            self._until_ms = now_ms + FIRST_MS
            return out
        if not self._prompted:
            return out + self._prompts(call, now_ms)
        if now_ms < self._until_ms:
            return out
        if self._typed:
            return out + self._typed_all(call, now_ms)
        self._silent += 1
        if self._silent >= MOST_SILENT:
            return out + self._left_undone(call, Status.TIMEOUT, NOTHING, now_ms)
        return out + self._asks(call, now_ms)

    def _wanted(self, call: ToolCall) -> SecureEntry:
        return call.tool.secure[self._entry]

    def _asks(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        """What was typed of this entry counts no more; the caller is asked for it."""
        self._typed, self._prompted, self._hidden_until_ms = 0, False, None
        hides: list[ConversationCommand] = [
            HideCaller(call.tool.name, self._wanted(call).parameter)
        ]
        return hides + self._prompts(call, now_ms)

    def _prompts(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        """Have the agent ask for it, if it can be heard now."""
        self._until_ms = now_ms + FIRST_MS
        if not self._sessions.attached or self._replies.floor is Floor.AGENT:
            return []
        said = self._sessions.say(ASKED, self._wanted(call).says)
        self._prompted = bool(said)
        return said

    def _typed_all(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        if self._typed < self._wanted(call).least:
            self._tries += 1
            if self._tries >= MOST_TRIES:
                return self._left_undone(call, Status.ERROR, TOO_FEW, now_ms)
            return self._asks(call, now_ms)
        if self._entry + 1 < len(call.tool.secure):
            self._full_ms = now_ms if self._typed >= self._wanted(call).most else None
            self._entry += 1
            self._tries = self._silent = 0
            return self._asks(call, now_ms)
        call.entering, call.called_ms = False, now_ms
        self._ledger.renumber(call)  # it runs once this is stored
        hidden = self._hides_for_a_moment(now_ms, forget=False)
        return hidden + self._sessions.checkpoint(now_ms)

    def _left_undone(
        self, call: ToolCall, status: Status, hint: str, now_ms: int
    ) -> list[ConversationCommand]:
        call.entering = False
        call.ends(State.CANCELLED, envelope(status, hint=hint), now_ms)
        hidden = self._hides_for_a_moment(now_ms, forget=True)
        soon: Scheduling = "INTERRUPT" if self.cut_short else "WHEN_IDLE"
        return hidden + self._results.deliver(call, now_ms, soon)

    def _hides_for_a_moment(self, now_ms: int, *, forget: bool) -> list[ConversationCommand]:
        self._hidden_until_ms = now_ms + TAIL_MS
        return [HideCaller(), *([ForgetKeys()] if forget else [])]
