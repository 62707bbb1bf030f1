"""One phone call: `step(event, now_ms)` returns commands, `deadline_ms()` says when to call again.

Nothing is decided here that one of its parts can decide: whether there is a stream, and how long
a call waits for one (`Presence`); what comes from the caller, and what they hear (`Caller`); when a
worker that stops lets the call go (`HandOver`). What is said is the conversation's: it is handed
the model's events and told what was heard, and its commands are carried out.
"""

from collections.abc import Iterable
from typing import assert_never

from agent.conversation import listener_commands as asked
from agent.conversation import listener_events as told
from agent.conversation.commands import (
    AppendLine,
    ConversationCommand,
    EndConversation,
    GiveUp,
    SaveCheckpoint,
    StoreCommand,
)
from agent.conversation.deadlines import earliest
from agent.conversation.events import ConversationEvent
from agent.conversation.machine import Conversation
from agent.conversation.turns import Floor, Generation
from telephony.call.caller import Caller
from telephony.call.commands import CloseStream, Command, EndCall, SendMark
from telephony.call.ending import GOES_ON, TERMINAL_STATUSES, EndedReason, over_after
from telephony.call.events import (
    CallEvent,
    CallOpened,
    CallStatus,
    DrainRequested,
    EndRequested,
    Event,
    LineLives,
    LinesStored,
    OwnershipLost,
    SecretKey,
    StoreAway,
    StoreBack,
    StreamEnded,
    StreamEvent,
    StreamStarted,
    Tick,
)
from telephony.call.hand_over import HandOver
from telephony.call.presence import CLOSED, IDLE, STOP, Phase, Presence
from telephony.call.screening import spares
from telephony.twilio.messages import Dtmf, Malformed, Mark, Media, Stop


class Call:
    """The machine of one call. Its first event is `CallOpened`; after `EndCall` it is silent."""

    def __init__(self, opened: CallOpened) -> None:
        self._presence = Presence()
        self._conversation = Conversation(
            persona=opened.persona,
            seed=opened.seed,
            wall_time_ms=opened.wall_time_ms,
            checkpoint=opened.checkpoint,
            lines=opened.lines,
            has_fallback=opened.has_fallback,
            think_ms=opened.think_ms,
            tariffs=opened.tariffs,
        )
        self._caller = Caller(opened.persona)
        self._player = self._caller.player
        self._hand_over = HandOver()
        self._out: list[Command] = []
        self._to_store: list[StoreCommand] = []
        self._ended: EndCall | None = None

    @property
    def phase(self) -> Phase:
        """Where the call stands."""
        return self._presence.phase

    @property
    def conversation(self) -> Conversation:
        """The conversation, to look at."""
        return self._conversation

    def sent_ms(self, now_ms: int) -> dict[int, float]:
        """Of each reply that is not over: how much of it was sent, up to where it goes on."""
        return {reply: sent_ms for reply, _, sent_ms in self._player.progress_ms(now_ms)}

    def step(self, event: Event, now_ms: int) -> list[Command]:
        """Take one event; returns what is to be done, in order: what somebody hears comes before
        what is stored, so that the store's task, woken first, does not delay it.

        Args:
            event: What happened. Events of an old stream or session are ignored.
            now_ms: Time since `CallOpened`, never less than at the step before.
        """
        if self._presence.phase is Phase.OVER:
            return []
        self._out, self._to_store = [], []
        match event:
            case Media() | Mark() | Dtmf() | SecretKey() | LineLives() | Stop() | Malformed():
                self._phone(event, now_ms)
            case (
                CallOpened()
                | StreamStarted()
                | StreamEnded()
                | LinesStored()
                | StoreAway()
                | StoreBack()
                | OwnershipLost()
                | DrainRequested()
                | EndRequested()
                | CallStatus()
                | Tick()
            ):
                self._life(event, now_ms)
            case _:
                self._tell_heard(now_ms)
                self._converse(event, now_ms)
        presence = self._presence  # what comes before any of these may have ended the call
        if presence.phase is Phase.STREAMING:
            self._tell_speech(now_ms)
        if presence.phase is Phase.STREAMING and not self._player.empty:
            self._play(now_ms)
        if presence.phase is Phase.STREAMING:
            self._keep_company(now_ms)
        if self._hand_over.wanted:
            self._hand_over_when_due(now_ms)
        if self._ended is not None:
            return [*self._out, *self._to_store, self._ended]
        return [*self._out, *self._to_store] if self._to_store else self._out

    def deadline_ms(self) -> int | None:
        """When the next `Tick` is due, or None."""
        if self.phase is Phase.OVER:
            return None
        first_ms = earliest(self._presence.deadline_ms(), self._conversation.deadline_ms())
        if self._hand_over.wanted:
            first_ms = earliest(first_ms, self._hand_over.deadline_ms())
        if self._presence.phase is not Phase.STREAMING:
            return first_ms
        return earliest(first_ms, self._caller.deadline_ms())

    # Events.

    def _phone(self, event: StreamEvent, now_ms: int) -> None:
        presence = self._presence
        if isinstance(event, Malformed) or event.stream_sid != presence.stream_sid:
            return
        if isinstance(event, Stop) and presence.phase is Phase.PARKED:
            self._park(STOP, now_ms)
        if presence.phase is not Phase.STREAMING:
            return
        presence.sign_of_life(now_ms)
        match event:
            case Media():
                self._out += self._caller.says(event, now_ms)
                if self._caller.spoke_ms:
                    self._converse(told.CallerSpoke(self._caller.spoke_ms), now_ms)
            case Mark():
                if self._player.mark_returned(event.name, now_ms):
                    self._tell_heard(now_ms)
            case Stop():
                self._park(STOP, now_ms)
            case Dtmf():
                self._caller.presses_key(now_ms)
                self._converse(told.KeyPressed(event.digit), now_ms)
            case SecretKey():
                self._converse(told.SecretKeyPressed(event.kind), now_ms)
            case LineLives():
                pass
            case _:
                assert_never(event)

    def _life(self, event: CallEvent, now_ms: int) -> None:
        match event:
            case CallOpened():
                self._converse(told.ConversationOpened(), now_ms)
            case StreamStarted():
                self._start(event, now_ms)
            case StreamEnded():
                if self.phase is Phase.STREAMING and event.stream_sid == self._presence.stream_sid:
                    self._park(event.how, now_ms)
            case OwnershipLost():
                self._end(EndedReason.TAKEN_OVER, now_ms)
            case EndRequested():
                if not spares(event.reason, self._conversation.caller_words):
                    self._end(event.reason, now_ms)
            case CallStatus():
                if event.status in TERMINAL_STATUSES:
                    self._end(over_after(self._presence.ended_by), now_ms)
                elif event.status == GOES_ON:
                    self._presence.goes_on(now_ms)
            case DrainRequested():
                self._hand_over.requested(now_ms, event.budget_ms)
            case Tick():
                self._tick(now_ms)
            case StoreAway() | StoreBack():
                self._hand_over.store(away=isinstance(event, StoreAway))
            case LinesStored():
                pass
            case _:
                assert_never(event)

    def _tick(self, now_ms: int) -> None:
        match self._presence.expired(now_ms):
            case None:
                pass
            case "idle":
                self._park(IDLE, now_ms)
            case reason:
                self._end(reason, now_ms)
        if self.phase is Phase.STREAMING:
            if (mark := self._presence.ask(now_ms)) is not None:
                self._out.append(SendMark(self._presence.stream_sid, mark))
            self._out += self._caller.says_nothing(now_ms)
        if self.phase is not Phase.OVER:
            self._player.expire(now_ms)
            self._tell_heard(now_ms)
            self._converse(told.TimePassed(), now_ms)

    # The stream.

    def _start(self, event: StreamStarted, now_ms: int) -> None:
        if self.phase is Phase.STREAMING:
            self._park("replaced", now_ms)
        self._presence.started(event.stream_sid, now_ms)
        self._caller.started(event.stream_sid, now_ms)
        self._converse(told.ListenerCame(event.epoch), now_ms)

    def _park(self, how: str, now_ms: int) -> None:
        """The stream is gone; the conversation waits for the next one."""
        self._tell_heard(now_ms)
        self._out += self._caller.spoken()
        self._player.parked(now_ms)
        if how not in CLOSED:
            self._out.append(CloseStream(self._presence.stream_sid))
        self._presence.ended(how, now_ms)
        self._converse(told.ListenerLeft(), now_ms)

    def _end(self, reason: EndedReason, now_ms: int) -> None:
        if self.phase is Phase.STREAMING:
            self._park("over", now_ms)
        self._converse(told.ConversationClosed(goes_on=not reason.final), now_ms)
        caller, meter = self._caller, self._conversation.meter
        lost_ms, dropped_ms, cost = caller.lost_ms, caller.dropped_ms, meter.cost(now_ms)
        self._ended = EndCall(reason, reason.final, lost_ms, dropped_ms, cost, meter.tokens)
        self._presence.over()

    # What the conversation is told, and what it asks.

    def _converse(self, event: ConversationEvent, now_ms: int) -> None:
        self._carry_out(self._conversation.step(event, now_ms), now_ms)

    def _carry_out(self, wishes: Iterable[ConversationCommand], now_ms: int) -> None:
        for command in wishes:
            match command:
                case asked.PlayReply():  # the most frequent one
                    self._out += self._caller.hears(command)
                case GiveUp() | EndConversation():
                    self._end(EndedReason(command.reason), now_ms)
                case AppendLine() | SaveCheckpoint():
                    self._to_store.append(command)
                case _ if isinstance(command, asked.ListenerCommand):
                    self._out += self._caller.carry_out(command, now_ms)
                case _:
                    self._out.append(command)

    # Playing.

    def _tell_heard(self, now_ms: int) -> None:
        if not self._player.empty:
            for reply, ms, sent_ms in list(self._player.progress_ms(now_ms)):
                self._converse(told.Heard(reply, ms, sent_ms), now_ms)

    def _play(self, now_ms: int) -> None:
        for reply, heard_ms in self._player.ended():
            self._converse(told.Heard(reply, heard_ms, ended=True), now_ms)
        if self.phase is Phase.STREAMING:
            self._out += self._player.due(now_ms)

    def _tell_speech(self, now_ms: int) -> None:
        if (speech := self._caller.news(now_ms)) is not None:
            self._tell_heard(now_ms)
            self._converse(speech, now_ms)

    def _keep_company(self, now_ms: int) -> None:
        """Let a caller hear something who waits."""
        debt, deaf_ms = self._conversation.debt, self._conversation.deaf_since_ms
        self._out += self._caller.keep_company(debt, deaf_ms, now_ms)

    def _hand_over_when_due(self, now_ms: int) -> None:
        pause = self.phase is not Phase.STREAMING or (
            self._conversation.floor is Floor.CALLER
            and self._conversation.generation is Generation.IDLE
            and not self._conversation.debt.busy
            and not self._caller.may_speak(now_ms)
        )
        if self.phase is not Phase.OVER and self._hand_over.due(now_ms, pause=pause):
            self._end(EndedReason.HANDED_OVER, now_ms)
