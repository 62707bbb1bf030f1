"""How a conversation uses tools: a call of the model is checked, run once, and its result told.

refused    something speaks against it (`objections`): an error, and nothing runs
overdue    it runs for long, or nobody has heard anything since it began (`overdue`)
lost       the session that called is gone: the next one is told of the result by a text
"""

import json

from agent.conversation import commands, message
from agent.conversation.built_in_tools import (
    END_CALL,
    NOTE,
    SEND_DIGITS,
    STOP_RECORDING,
    TAKE_MESSAGE,
    TRANSFER,
)
from agent.conversation.collect import Collect
from agent.conversation.commands import ConversationCommand
from agent.conversation.consent import Consent
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.declaration import Status, Tool, envelope
from agent.conversation.hang_up import HangUp
from agent.conversation.liveness import Liveness
from agent.conversation.objections import Objection, Objections
from agent.conversation.overdue import Overdue
from agent.conversation.parting import Parting
from agent.conversation.persona import Persona
from agent.conversation.replies import Replies
from agent.conversation.secret_digits import KeyKind
from agent.conversation.secure_entries import SecureEntries
from agent.conversation.send_digits import SendDigits
from agent.conversation.sessions import Sessions
from agent.conversation.tool_call import State, ToolCall
from agent.conversation.tool_events import (
    ActsStored,
    ToolCalled,
    ToolCallsCancelled,
    ToolEvent,
    ToolFinished,
)
from agent.conversation.tool_results import Results
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Transcript
from agent.conversation.transfer import Transfer


class ToolUse:
    """One conversation's. Call `look` after every step of it."""

    def __init__(
        self,
        persona: Persona,
        ledger: Ledger,
        *,
        transcript: Transcript,
        sessions: Sessions,
        replies: Replies,
        liveness: Liveness,
        debt: Debt,
        parting: Parting,
        consent: Consent,
    ) -> None:
        self._tools = {tool.name: tool for tool in persona.tools}
        self._objections = Objections(persona, ledger)
        self._transcript, self._consent = transcript, persona.message_consent
        self._ledger = ledger
        self._results = Results(
            ledger, transcript=transcript, sessions=sessions, liveness=liveness, debt=debt
        )
        self._sessions, self._replies = sessions, replies
        self._liveness, self._debt = liveness, debt
        self._parting, self._recorded = parting, consent
        self._collect = Collect(
            ledger, self._results, replies=replies, sessions=sessions, debt=debt
        )
        self._secure = SecureEntries(ledger, self._results, replies=replies, sessions=sessions)
        self._send = SendDigits(
            ledger, parting=parting, replies=replies, sessions=sessions, transcript=transcript
        )
        self._hang_up = HangUp(parting, replies, sessions, debt)
        self._transfer = Transfer(
            persona,
            ledger,
            self._results,
            parting=parting,
            replies=replies,
            sessions=sessions,
            debt=debt,
        )
        self._overdue = Overdue(
            ledger,
            self._results,
            sessions=sessions,
            replies=replies,
            debt=debt,
            silence_ms=persona.turn_taking.silence_ms,
        )
        self._took_up = False

    @property
    def holds(self) -> bool:
        """Whether the model waits for a tool, and is not to be asked for an answer."""
        return any(not call.late for call in self._ledger.running)

    @property
    def collects(self) -> bool:
        """Whether the caller is to type something."""
        return self._collect.call is not None

    @property
    def hides(self) -> bool:
        """Whether the caller is to type something that nobody sees."""
        return self._secure.call is not None

    def deadline_ms(self) -> int | None:
        """When `look` is due, or None."""
        of_caller = self._collect.due_ms, self._secure.due_ms
        of_line = self._transfer.due_ms, self._send.due_ms
        return earliest(*of_line, *of_caller, self._overdue.due_ms)

    def step(self, event: ToolEvent, now_ms: int) -> list[ConversationCommand]:
        """A call, or what came of one."""
        match event:
            case ToolCalled():
                return self._called(event, now_ms)
            case ToolCallsCancelled():
                return self._cancelled(event, now_ms)
            case ToolFinished():
                return self._finished(event, now_ms)
            case ActsStored():
                return self._stored(event, now_ms)

    def press(self, key: str, now_ms: int) -> list[ConversationCommand] | None:
        """The caller presses a key. None if no tool wants it."""
        self._parting.caller_acts(now_ms)
        return self._collect.press(key, now_ms)

    def press_in_secret(self, kind: KeyKind, now_ms: int) -> list[ConversationCommand]:
        """The caller presses a key that nobody sees."""
        self._parting.caller_acts(now_ms)
        return self._secure.press(kind, now_ms)

    def heard_words(self, now_ms: int) -> list[ConversationCommand]:
        """The model has heard words of the caller."""
        return self._collect.heard_words(now_ms)

    def came(self, now_ms: int) -> list[ConversationCommand]:
        """Somebody listens: what another worker was looking up is looked up again."""
        out = self._secure.begins(now_ms)
        if self._took_up:
            return out
        self._took_up = True
        for call in self._ledger.running:
            call.called_ms = now_ms
            out += [] if call.entering else self._run(call, now_ms)
        return out

    def ready(self, now_ms: int, *, knows: bool) -> list[ConversationCommand]:
        """Somebody listens to the session; as `Results.ready`."""
        return self._results.ready(now_ms, knows=knows)

    def look(self, now_ms: int) -> list[ConversationCommand]:
        """Say something, or go on, if that is due."""
        out = self._hang_up.stay_if_interrupted()
        if not self._ledger.newest:
            return out
        self._overdue.listen(now_ms)
        if self._results.note_told():
            out += self._sessions.checkpoint(now_ms)
        out += self._transfer.look(now_ms) + self._collect.look(now_ms) + self._secure.look(now_ms)
        out += self._send.look(now_ms) + self._overdue.look(now_ms)
        self._debt.works = any(not call.of_caller for call in self._ledger.running)
        return out

    def close(self) -> list[ConversationCommand]:
        """The conversation is over here: nobody wants to know what is looked up."""
        running = self._ledger.running
        return [commands.CancelTool(each.number) for each in running if each.tool.idempotent]

    # The model calls.

    def _called(self, called: ToolCalled, now_ms: int) -> list[ConversationCommand]:
        self._liveness.calls()
        if (wrong := self._objections.to_call(called)) is not None:
            return self._refuse(called, wrong, now_ms)
        tool = self._tools[called.name]
        if tool.name == END_CALL:
            if not self._hang_up.wanted(called, now_ms):
                return []
            self._results.expect_answer(now_ms)
            return [self._hang_up.asks_for_goodbye(called)]
        if tool.name == NOTE:
            return self._note(called, now_ms)
        if tool.name == STOP_RECORDING:
            self._results.expect_answer(now_ms)
            return self._recorded.refused(called) + self._sessions.checkpoint(now_ms)
        same = self._ledger.same(tool.name, called.arguments, now_ms)
        if same is not None:
            same.waiting.append((called.session, called.id))
            if same.open:
                return self._results.meanwhile(same, [same.waiting[-1]], now_ms)
            return self._results.deliver(same, now_ms)
        if (wrong := self._objections.to_run(tool, called.arguments)) is not None:
            return self._refuse(called, wrong, now_ms)
        return self._begin(tool, called, now_ms)

    def _begin(self, tool: Tool, called: ToolCalled, now_ms: int) -> list[ConversationCommand]:
        call = self._ledger.begin(tool, called.arguments, now_ms)
        call.waiting.append((called.session, called.id))
        if tool.name == TAKE_MESSAGE:
            at_ms = self._transcript.elapsed_ms(now_ms)
            call.ends(State.DONE, message.result(called.arguments, at_ms, self._consent), now_ms)
            return self._results.deliver(call, now_ms)
        self._debt.works = True
        checkpoint = self._sessions.checkpoint(now_ms)
        if tool.name == TRANSFER:
            return self._transfer.wanted(call, now_ms) + checkpoint
        if call.entering:
            return self._secure.begins(now_ms) + checkpoint
        if tool.name == SEND_DIGITS:
            self._send.wanted()
        if call.state is State.INTENDED:
            return checkpoint
        return [*self._run(call, now_ms), *checkpoint]

    def _note(self, called: ToolCalled, now_ms: int) -> list[ConversationCommand]:
        if not self._ledger.note(json.loads(called.arguments)["text"]):
            full = Objection("There is no room for more notes.")
            return self._refuse(called, full, now_ms)
        result = envelope(Status.OK, hint="It is written down. Go on as if nothing had happened.")
        sent = commands.SendToolResult(called.session, called.id, NOTE, result, "SILENT")
        return [sent, *self._sessions.checkpoint(now_ms)]

    def _refuse(
        self, called: ToolCalled, wrong: Objection, now_ms: int
    ) -> list[ConversationCommand]:
        result = envelope(Status.ERROR, retryable=wrong.retryable, hint=wrong.hint)
        self._results.expect_answer(now_ms)
        return [commands.SendToolResult(called.session, called.id, called.name, result)]

    def _cancelled(self, cancelled: ToolCallsCancelled, now_ms: int) -> list[ConversationCommand]:
        gone = {(cancelled.session, each) for each in cancelled.ids}
        self._hang_up.cancelled(gone)
        out: list[ConversationCommand] = []
        if (crossed := self._ledger.crossed(gone)) and self._sessions.listening:
            out += self._results.tell(crossed, now_ms)
        for call in self._ledger.running:
            if not gone & set(call.waiting):
                continue
            call.waiting = [each for each in call.waiting if each not in gone]
            if call.waiting or call.typed:  # what was typed is told in any case
                continue
            of_line = call.tool.name in {TRANSFER, SEND_DIGITS}
            undone = call.state is State.INTENDED or of_line or call.of_caller
            if undone or call.tool.idempotent:
                if call.entering:
                    out += self._secure.taken_back(call, now_ms)
                if not undone:
                    out.append(commands.CancelTool(call.number))
                call.ends(State.CANCELLED, envelope(Status.CANCELLED), now_ms)
                call.told = True
        return out + self._sessions.checkpoint(now_ms)

    # It runs.

    def _stored(self, stored: ActsStored, now_ms: int) -> list[ConversationCommand]:
        out: list[ConversationCommand] = []
        for call in self._ledger.running:
            if call.entering:
                continue
            if call.state is State.INTENDED and call.number <= stored.up_to:
                call.state = State.RUNNING
                out += self._run(call, now_ms)
        return out

    def _run(self, call: ToolCall, now_ms: int) -> list[ConversationCommand]:
        if call.tool.name == TRANSFER:
            self._transfer.stored(now_ms)
            return []
        if call.tool.name == SEND_DIGITS:
            self._send.stored(now_ms)
            return []
        if call.of_caller:
            self._collect.begins(now_ms)
            return []
        return [commands.RunTool(call.number, call.tool.name, call.arguments)]

    def _finished(self, finished: ToolFinished, now_ms: int) -> list[ConversationCommand]:
        call = self._ledger.find(finished.call)
        if call is None or call.state is not State.RUNNING:
            return []
        status = Status(finished.status)
        result = envelope(status, finished.data, retryable=finished.retryable, hint=finished.hint)
        states = {Status.OK: State.DONE, Status.UNKNOWN: State.UNKNOWN}
        call.ends(states.get(status, State.FAILED), result, now_ms)
        soon = call.tool.secure and self._secure.cut_short
        return self._results.deliver(call, now_ms, "INTERRUPT" if soon else None)
