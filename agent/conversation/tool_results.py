"""Tells the model what came of its tool calls, and notes which results the caller has heard of.

A result goes to the call's id where the present session has called, else it is told by a text.
"""

from agent.conversation import commands
from agent.conversation.built_in_tools import SEND_DIGITS
from agent.conversation.commands import ConversationCommand
from agent.conversation.debt import Debt
from agent.conversation.declaration import Scheduling
from agent.conversation.liveness import Liveness
from agent.conversation.persona import tell_results
from agent.conversation.sessions import Sessions
from agent.conversation.tool_call import ToolCall
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Transcript


class Results:
    """One conversation's. What a method returns is to be carried out in that order."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        transcript: Transcript,
        sessions: Sessions,
        liveness: Liveness,
        debt: Debt,
    ) -> None:
        self._ledger, self._transcript, self._sessions = ledger, transcript, sessions
        self._liveness, self._debt = liveness, debt

    def ready(self, now_ms: int, *, knows: bool) -> list[ConversationCommand]:
        """Somebody listens to the session: it is given what it was not given yet.

        Args:
            now_ms: The time.
            knows: Whether it knows the results of calls that it has not made, and will speak.
        """
        if not self._sessions.listening:
            return []
        out: list[ConversationCommand] = []
        for call in self._not_given:
            if any(session == self._sessions.session for session, _ in call.waiting):
                out += self.deliver(call, now_ms)
        for call in self._not_given:
            if call.tool.name == SEND_DIGITS:  # the session knows it from its beginning
                call.told, call.sent_to = True, self._sessions.session
                out += self._sessions.checkpoint(now_ms)
        if not (rest := self._not_given):
            return out
        return out + (self._sent(rest, now_ms) if knows else self.tell(rest, now_ms))

    @property
    def _not_given(self) -> list[ToolCall]:
        """The results that the caller has not heard of, and the present session was not given."""
        return [x for x in self._ledger.untold if x.sent_to != self._sessions.session]

    def deliver(
        self, call: ToolCall, now_ms: int, scheduling: Scheduling | None = None
    ) -> list[ConversationCommand]:
        """Tell the model, by the call's id where the session made it, else by a text.

        Args:
            call: The call, which is over.
            now_ms: The time.
            scheduling: When it is to speak of it; None for when the tool says.
        """
        out = self._send(call, call.waiting, call.result, now_ms, scheduling)
        if out:
            call.answered, call.waiting = call.waiting, []
            if call.tool.scheduling == "SILENT":
                call.told = True
            return out + self._sent([call], now_ms)
        if call.told or not self._sessions.listening:
            return self._sessions.checkpoint(now_ms)
        return self.tell([call], now_ms)

    def meanwhile(
        self, call: ToolCall, waiting: list[tuple[int, str]], now_ms: int
    ) -> list[ConversationCommand]:
        """Tell those who wait how a call stands that has not come to its end in time."""
        return self._send(call, waiting, call.meanwhile, now_ms) if call.late else []

    def lasts(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        """Tell the model, as `deliver`, that an act still runs."""
        if (out := self.meanwhile(call, call.waiting, now_ms)) or not self._sessions.listening:
            return out
        return [self._text([call], now_ms)]

    def _send(
        self,
        call: ToolCall,
        waiting: list[tuple[int, str]],
        result: str,
        now_ms: int,
        scheduling: Scheduling | None = None,
    ) -> list[ConversationCommand]:
        """Answer the present session, if it is one of those who wait."""
        if not self._sessions.listening:
            return []
        scheduling = scheduling or call.tool.scheduling
        out: list[ConversationCommand] = [
            commands.SendToolResult(session, id_, call.tool.name, result, scheduling, call.open)
            for session, id_ in waiting
            if session == self._sessions.session
        ]
        if out and scheduling != "SILENT":
            self.expect_answer(now_ms)
        return out

    def tell(self, calls: list[ToolCall], now_ms: int) -> list[ConversationCommand]:
        """Tell what came of these calls by a text."""
        return [self._text(calls, now_ms), *self._sent(calls, now_ms)]

    def _text(self, calls: list[ToolCall], now_ms: int) -> ConversationCommand:
        self.expect_answer(now_ms)
        text = tell_results("; ".join(call.as_text() for call in calls))
        return commands.SayToModel(self._sessions.session, text)

    def expect_answer(self, now_ms: int) -> None:
        """The model was given what it has to say something about."""
        self._debt.ask()
        self._liveness.told_result(now_ms)

    def note_told(self) -> bool:
        """Note of which results the caller has heard: a reply that was begun after they came."""
        said_ms = self._transcript.last_said_ms
        changed = False
        for call in self._ledger.untold:
            if call.sent_ms is not None and said_ms is not None and said_ms >= call.sent_ms:
                call.told = changed = True
        return changed

    def _sent(self, calls: list[ToolCall], now_ms: int) -> list[ConversationCommand]:
        for call in calls:
            call.sent_ms = self._transcript.elapsed_ms(now_ms)
            call.sent_to = self._sessions.session
        return self._sessions.checkpoint(now_ms)
