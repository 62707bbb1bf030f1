"""One conversation with a voice model: its events come in, commands go out.

Class `Conversation` owns the turns, the transcript and the resumption. The call that has the caller
(`telephony.call`) tells it what was heard, and carries out its commands for player and microphone.

The walks, in short (docs/architecture.md draws them):
    a reply        ReplyAudio → PlayReply …, GenerationComplete → FinishReply, Heard → AppendLine
    a barge-in     Interrupted → AppendLine cut at what was heard, StopPlayback; later audio of that
                   turn is dropped until the turn is closed, or for 1 s
    a lost socket  SessionLost → HoldCallerAudio, OpenModel at once or after a pause, then
                   SessionReady → ResumeCallerAudio: unanswered caller audio is sent again
    a silent model no answer → SayToModel, a nudge; still none → as for a lost socket
"""

from collections.abc import Iterable
from typing import assert_never

from agent.conversation import commands, events, listener_commands, listener_events
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import ConversationCommand, appended
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.events import ConversationEvent, ModelEvent, SessionEvent, TurnEvent
from agent.conversation.link import HUNG
from agent.conversation.meter import FREE, Meter, Tariffs
from agent.conversation.parts import assemble
from agent.conversation.persona import Persona
from agent.conversation.remedies import Remedy
from agent.conversation.reply import Reply
from agent.conversation.speech import CallerSpeech
from agent.conversation.tool_events import ActsStored, ToolCallEvent, ToolFinished
from agent.conversation.transcript import UNWRITTEN, Line
from agent.conversation.turns import Floor, Generation


class Conversation:
    """The state machine. Its first event is `ConversationOpened`, its last `ConversationClosed`."""

    def __init__(
        self,
        *,
        persona: Persona,
        seed: int,
        wall_time_ms: int,
        checkpoint: Checkpoint | None = None,
        lines: Iterable[Line] = (),
        has_fallback: bool = False,
        think_ms: int = 0,
        tariffs: Tariffs = FREE,
    ) -> None:
        parts = assemble(
            persona=persona,
            seed=seed,
            wall_time_ms=wall_time_ms,
            checkpoint=checkpoint,
            lines=lines,
            has_fallback=has_fallback,
            think_ms=think_ms,
            tariffs=tariffs,
        )
        self._transcript, self._debt, self._meter = parts.transcript, parts.debt, parts.meter
        self._sessions, self._liveness = parts.sessions, parts.liveness
        self._sieve, self._changeover = parts.sieve, parts.changeover
        self._replies, self._parting, self._tools = parts.replies, parts.parting, parts.tools
        self._keys, self._playing = parts.keys, parts.playing
        self._closed = False

    @property
    def generation(self) -> Generation:
        """What the model is doing."""
        return self._replies.generation

    @property
    def floor(self) -> Floor:
        """Who holds the floor."""
        return self._replies.floor

    @property
    def meter(self) -> Meter:
        """What it costs, to look at."""
        return self._meter

    @property
    def debt(self) -> Debt:
        """What the caller is owed, to look at."""
        return self._debt

    @property
    def deaf_since_ms(self) -> int | None:
        """Since when no session listens, fleeting ones aside; None while one does."""
        return self._sessions.deaf_since_ms

    @property
    def lines(self) -> tuple[Line, ...]:
        """The transcript so far: all final lines."""
        return tuple(self._transcript.lines)

    @property
    def open_replies(self) -> tuple[Reply, ...]:
        """The replies that still come or are heard, to look at."""
        return tuple(self._transcript.replies)

    @property
    def caller_words(self) -> list[str]:
        """What the caller has said so far, each time that they spoke; also what is no line yet."""
        said = [line.text for line in self._transcript.lines if line.role == "caller"]
        return [*said, self._transcript.open_words[0]]

    @property
    def _listens_since_ms(self) -> int | None:
        waits = self._tools.holds or self._playing.hold
        return None if waits else self._sessions.listens_since_ms

    def deadline_ms(self) -> int | None:
        """When `TimePassed` is due, or None."""
        live_ms = self._liveness.deadline_ms(self._listens_since_ms)
        parts = (self._replies, self._sessions, self._parting, self._tools, self._keys)
        settled_ms = self._transcript.deadline_ms()
        return earliest(*(part.deadline_ms() for part in parts), live_ms, settled_ms)

    def step(self, event: ConversationEvent, now_ms: int) -> list[ConversationCommand]:
        """Take one event. Returns what is to be done, in that order.

        Args:
            event: What happened. Of the model's, those of an old session are ignored.
            now_ms: Time since the conversation was opened here, never less than at the step before.
        """
        if self._closed:
            return []
        out = self._step(event, now_ms)
        if not isinstance(event, listener_events.ConversationClosed):
            out += appended(self._transcript.settle(now_ms))
            out += self._tools.look(now_ms) + self._keys.look(now_ms) + self._parting.look(now_ms)
        return out

    def _step(self, event: ConversationEvent, now_ms: int) -> list[ConversationCommand]:
        match event:
            case listener_events.CallerSpoke():
                self._liveness.caller_spoke(now_ms, event.ms)
                owes_more = self._debt.caller_spoke(now_ms, event.ms)
                return self._sessions.checkpoint(now_ms) if owes_more else []
            case CallerSpeech():
                return self._replies.hears(event, now_ms)
            case listener_events.KeyPressed():
                if (taken := self._tools.press(event.key, now_ms)) is not None:
                    return taken
                self._keys.press(event.key, now_ms)
                return []
            case listener_events.SecretKeyPressed():
                return self._tools.press_in_secret(event.kind, now_ms)
            case listener_events.Heard():
                return self._heard(event, now_ms)
            case listener_events.ConversationOpened():
                return self._sessions.open(now_ms)
            case listener_events.ListenerCame():
                left = self._sessions.listener_came(event.epoch) + self._tools.came(now_ms)
                left += self._sessions.checkpoint(now_ms)
                return left + (self._cue(now_ms) or self._tools.ready(now_ms, knows=False))
            case listener_events.ListenerLeft():
                self._sessions.listener_left()
                return self._playing.go_on(now_ms) + self._sessions.checkpoint(now_ms)
            case listener_events.BudgetSpent():
                self._parting.is_due(now_ms)
                return []
            case listener_events.TimePassed():
                return self._tick(now_ms)
            case ToolFinished() | ActsStored():
                return self._tools.step(event, now_ms)
            case listener_events.ConversationClosed():
                return self._close(now_ms, goes_on=event.goes_on)
            case _:
                return self._model_step(event, now_ms)

    # The listener.

    def _heard(self, heard: listener_events.Heard, now_ms: int) -> list[ConversationCommand]:
        if not self._playing.heard(heard.reply, heard.ms, heard.sent_ms, now_ms):
            return []
        greeted = self._debt.heard(self._playing.longest_heard_ms)
        out = self._sessions.checkpoint(now_ms) if greeted else []
        if heard.ended:
            out += self._playing.ended(heard.reply, now_ms) + self._sessions.checkpoint(now_ms)
        return out

    def _close(self, now_ms: int, *, goes_on: bool) -> list[ConversationCommand]:
        """What is open becomes final.

        Where it `goes_on` elsewhere, what the caller said and nobody has written down yet is a line
        too, so that whoever goes on knows that an answer is owed.
        """
        if goes_on and self._debt.sure and not self._transcript.caller_is_written:
            self._transcript.caller_said(UNWRITTEN, now_ms)
        out = self._replies.settle_text(now_ms) + self._replies.cut(now_ms)
        out += appended(self._transcript.finish_caller())
        out += self._sessions.checkpoint(now_ms)
        out += self._tools.close() + self._changeover.hang_up(now_ms)
        self._closed = True
        return out

    def _tick(self, now_ms: int) -> list[ConversationCommand]:
        out = self._replies.expire(now_ms)
        if (dialled := self._sessions.redial(now_ms)) is not None:
            return out + dialled
        if (then := self._sessions.hung(now_ms)) is not None:
            return out + self._changeover.go_on(then, now_ms, HUNG)
        return out + (self._changeover.renew_when_due(now_ms) or self._rouse_when_due(now_ms))

    # The model.

    def _model_step(self, event: ModelEvent, now_ms: int) -> list[ConversationCommand]:
        if event.session != self._sessions.session:
            return []
        out = self._replies.expire(now_ms)
        if isinstance(event, SessionEvent):
            return out + self._session_step(event, now_ms)
        if isinstance(event, TurnEvent):
            return out + self._turn_step(event, now_ms)
        if isinstance(event, ToolCallEvent):
            out += self._tools.step(event, now_ms)
            return out + self._collect_early(now_ms)
        return out + (self._sessions.checkpoint(now_ms) if self._meter.add(event) else [])

    def _collect_early(self, now_ms: int) -> list[ConversationCommand]:
        """What was typed just before the agent wanted it counts, too. If nobody is to see it, the
        model is not told of it: it is asked for again.
        """
        if self._tools.hides:
            self._keys.taken()
        early = self._keys.taken() if self._tools.collects else ""
        return [each for key in early for each in self._tools.press(key, now_ms) or ()]

    def _session_step(self, event: SessionEvent, now_ms: int) -> list[ConversationCommand]:
        match event:
            case events.SessionReady():
                self._sessions.listens(now_ms)
                if self._sessions.resumed:
                    self._sieve.resumed(now_ms)
                cue = self._cue(now_ms) or self._tools.ready(now_ms, knows=self._debt.caller_waits)
                return [*cue, listener_commands.ResumeCallerAudio(event.session)]
            case events.SessionRefused():
                return self._changeover.go_on(self._sessions.refused(event, now_ms), now_ms)
            case events.SessionLost():
                half = self._changeover.keep_half(now_ms)
                return half + self._changeover.go_on(self._sessions.lost(event, now_ms), now_ms)
            case events.HandleUpdated():
                if not self._sessions.took_handle(event):
                    return []
                self._liveness.resumable()
                return self._sessions.checkpoint(now_ms) + self._changeover.renew_when_due(now_ms)
            case events.GoAway():
                self._sessions.told_to_go(event, now_ms)
                return self._changeover.renew_when_due(now_ms)
            case _:
                assert_never(event)

    def _turn_step(self, event: TurnEvent, now_ms: int) -> list[ConversationCommand]:
        out: list[ConversationCommand] = []
        for new in self._sieve.sift(event, now_ms):
            out += self._replies.step(new, now_ms)
        if isinstance(event, events.CallerSaid) and event.text.strip():
            out += self._tools.heard_words(now_ms)
        return out

    def _cue(self, now_ms: int) -> list[ConversationCommand]:
        cue = self._sessions.cue(greeting_comes=self._replies.comes)
        if cue:
            self._liveness.asked(now_ms, rest=self._debt.rest)
            cue += self._tools.ready(now_ms, knows=True)
        return cue

    def _rouse_when_due(self, now_ms: int) -> list[ConversationCommand]:
        """Do something about a model that owes speech and says nothing."""
        if (due := self._liveness.due(now_ms, self._listens_since_ms)) is None:
            return []
        trouble, remedy = due
        if remedy is Remedy.END_AUDIO:
            return [commands.EndCallerAudio(self._sessions.session)]
        if remedy is Remedy.NUDGE:
            self._liveness.nudged(now_ms)
            self._sieve.nudged()
            return self._sessions.nudge(trouble)
        half = self._changeover.keep_half(now_ms)
        then = self._sessions.given_up(now_ms, fresh=remedy is Remedy.FRESH)
        return half + self._changeover.go_on(then, now_ms, trouble)
