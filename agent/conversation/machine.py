"""One conversation with a voice model: its events in, commands out.

Class `Conversation` owns the turns, the transcript and the resumption. Whoever has the caller
(`telephony.call`) carries out its player and microphone commands, and tells it what was heard.

The walks, in short (the README draws them):
    a reply       ReplyAudio → PlayReply …, GenerationComplete → FinishReply, `played` → AppendLine
    a barge-in    Interrupted → AppendLine cut at what was heard, StopPlayback; what the model
                  still sends of that turn is dropped until it is closed, or for 1 s
    a lost socket SessionLost → HoldCallerAudio, OpenModel at once or after a pause, then
                  SessionReady → ResumeCallerAudio: what was said and not answered is sent again
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import assert_never

from agent.conversation import commands, events
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import ConversationCommand
from agent.conversation.deadlines import earliest
from agent.conversation.events import ModelEvent, SessionEvent, TurnEvent
from agent.conversation.link import Link
from agent.conversation.persona import GO_ON_CUE, Persona
from agent.conversation.renewal import Renewal
from agent.conversation.resumption import Attempt, Resumption
from agent.conversation.transcript import MODEL_BYTES_PER_MS, Line, Transcript
from agent.conversation.turns import TOLD_LATE_MS, Floor, Generation, Sign, Turns

GREETED_AFTER_MS = 300
"""The greeting counts as given once this much of it, or of any later reply, was heard."""


class Conversation:
    """The state machine. What a method returns is to be carried out in that order.

    Call `open` first, `answer` each time a listener is attached, and `close` last. Before `step`,
    `tick` and `close`, say with `heard` how far the replies were heard.
    """

    def __init__(
        self,
        *,
        persona: Persona,
        seed: int,
        wall_time_ms: int,
        checkpoint: Checkpoint | None = None,
        lines: Iterable[Line] = (),
    ) -> None:
        self._persona = persona
        self._wall_time_ms = wall_time_ms
        elapsed_ms, handle, known = 0, "", 0
        if checkpoint is not None:
            away_ms = max(0, wall_time_ms - checkpoint.wall_time_ms)
            elapsed_ms = checkpoint.elapsed_ms + away_ms
            handle, known = checkpoint.handle, checkpoint.handle_lines
        self._transcript = Transcript(lines, known, elapsed_ms)
        self._resumption = Resumption(Random(seed), handle)  # noqa: S311 - jitter, not a secret
        self._renewal = Renewal()
        self._link = Link()
        self._greeted = checkpoint is not None and checkpoint.greeted
        last = self.lines[-1:]
        self._owes_answer = any(x.role == "caller" or x.heard != x.text for x in last)
        self._attached = False
        self._cued = False
        self._closed = False

        self._turns = Turns()
        self._reply = 0
        self._early_text = ""
        self._asked_by_cue = self._lacks_question = False
        self._broken_off = False
        self._playing: dict[int, float] = {}
        self.caller_is_waiting = False
        """To be kept up by the owner: the caller has spoken since the last answered turn."""

    @property
    def generation(self) -> Generation:
        """What the model is doing."""
        return self._turns.generation

    @property
    def floor(self) -> Floor:
        """Who holds the floor."""
        return self._turns.floor(playing=bool(self._playing))

    @property
    def lines(self) -> tuple[Line, ...]:
        """The transcript so far: all final lines."""
        return tuple(self._transcript.lines)

    def deadline_ms(self) -> int | None:
        """When `tick` is to be called next, or None."""
        return earliest(*[each.deadline_ms() for each in (self._turns, self._link, self._renewal)])

    # What the owner tells.

    def open(self, now_ms: int) -> list[ConversationCommand]:
        """Dial the model."""
        return self._dial(self._resumption.first(), now_ms)

    def answer(self, epoch: int, now_ms: int) -> list[ConversationCommand]:
        """A listener is attached, under ownership `epoch`; the model greets once it can."""
        self._transcript.epoch = epoch
        self._attached = True
        return self._checkpoint(now_ms) + self._cue()

    def left(self, now_ms: int) -> list[ConversationCommand]:
        """The listener is gone, and may come back, to this worker or to another."""
        self._attached = False
        return self._checkpoint(now_ms)

    def heard(self, heard_ms: Mapping[int, float], now_ms: int) -> list[ConversationCommand]:
        """How much of each reply that is not finished has been heard."""
        for reply, before_ms in self._playing.items():
            self._playing[reply] = max(before_ms, heard_ms.get(reply, 0))
        if self._greeted or max(self._playing.values(), default=0) < GREETED_AFTER_MS:
            return []
        self._greeted = True
        return self._checkpoint(now_ms)

    def played(self, reply: int, heard_ms: float, now_ms: int) -> list[ConversationCommand]:
        """`reply` was heard to its end, which is at `heard_ms`."""
        if reply not in self._playing:
            return []
        out = self.heard({reply: heard_ms}, now_ms)
        out += self._finish(reply)
        return out + self._checkpoint(now_ms)

    def close(self, now_ms: int) -> list[ConversationCommand]:
        """The conversation is over here; what is open becomes final."""
        out = self._settle_text(now_ms) + self._cut_playing(now_ms)
        out += _appended(self._transcript.finish_caller())
        out += self._checkpoint(now_ms)
        out += self._hang_up(now_ms)
        self._closed = True
        return out

    def tick(self, now_ms: int) -> list[ConversationCommand]:
        """Time has passed."""
        if self._closed:
            return []
        self._turns.expire(now_ms)
        if (attempt := self._link.due(now_ms)) is not None:
            return self._dial(attempt, now_ms)
        return self._renew_when_due(now_ms)

    def step(self, event: ModelEvent, now_ms: int) -> list[ConversationCommand]:
        """Something came from the model."""
        if event.session != self._link.session or self._closed:
            return []
        self._turns.expire(now_ms)
        if isinstance(event, SessionEvent):
            return self._session_step(event, now_ms)
        if isinstance(event, TurnEvent):
            return self._turn_step(event, now_ms)
        return []

    # Sessions.

    def _session_step(self, event: SessionEvent, now_ms: int) -> list[ConversationCommand]:
        match event:
            case events.SessionReady():
                self._link.listens(now_ms)
                self._renewal.started(now_ms)
                return [*self._cue(), commands.ResumeCallerAudio(self._link.session)]
            case events.SessionRefused():
                self._link.ended()
                attempt = self._resumption.refused(now_ms, event.code, event.retry_after_ms)
                return self._try_again(attempt, now_ms)
            case events.SessionLost():
                self._link.ended()
                return self._try_again(
                    self._resumption.lost(now_ms, self._link.lived_ms(now_ms)), now_ms
                )
            case events.HandleUpdated():
                return self._take_handle(event, now_ms)
            case events.GoAway():
                self._renewal.told_to_go(now_ms, event.time_left_ms)
                return self._renew_when_due(now_ms)
            case _:
                assert_never(event)

    def _turn_step(self, event: TurnEvent, now_ms: int) -> list[ConversationCommand]:
        match event:
            case events.ReplyAudio():
                return self._play(event.pcm, now_ms)
            case events.AgentSaid():
                self._note_agent(event.text)
                return []
            case events.CallerSaid():
                return self._note_caller(event.text, now_ms)
            case events.CallerActivityStarted():
                # While it generates, the server interrupts by itself.
                talked_over = not self._turns.generating and self._reply_is_older(now_ms)
                return self._barge_in(now_ms) if talked_over else []
            case events.Interrupted():
                out = self._barge_in(now_ms)
                self._turns.move(Sign.INTERRUPTED, now_ms)
                return out
            case events.GenerationComplete():
                out = self._complete_reply(now_ms)
                self._turns.move(Sign.GENERATION_DONE, now_ms)
                return out
            case events.TurnComplete():
                out = self._complete_reply(now_ms)
                self._turns.move(Sign.TURN_DONE, now_ms)
                return out
            case _:
                assert_never(event)

    def _dial(self, attempt: Attempt, now_ms: int) -> list[ConversationCommand]:
        if not self._link.dial(attempt, now_ms):
            return []
        self._transcript.session_opened(fresh=not attempt.handle)
        history = self._transcript.unknown()
        return [commands.OpenModel(self._link.session, self._persona, attempt.handle, history)]

    def _cue(self) -> list[ConversationCommand]:
        """Make the model speak, once a session, where the caller waits for it to."""
        if not self._link.ready or not self._attached or self._cued:
            return []
        self._cued = True
        if not self._greeted:
            if self._playing and not self._broken_off:
                return []  # the greeting is here, and will be heard
            cue = self._persona.greeting_cue
        elif self._owes_answer:
            cue = GO_ON_CUE
        else:
            return []
        self._asked_by_cue = True
        return [commands.SayToModel(self._link.session, cue)]

    def _hang_up(self, now_ms: int) -> list[ConversationCommand]:
        """Close the session, whatever its state; events of it are stale from here on."""
        out: list[ConversationCommand] = []
        if (left := self._link.leave()) is not None:
            out.append(commands.CloseModel(left))
        out.append(commands.HoldCallerAudio())
        if self._transcript.is_open(self._reply):
            self._transcript.complete_reply(self._reply)
            self._broken_off = True
            out.append(commands.FinishReply(self._reply))
        self._renewal.stopped()
        self._cued = False
        self._turns.move(Sign.LOST, now_ms)
        return out

    def _try_again(self, attempt: Attempt | None, now_ms: int) -> list[ConversationCommand]:
        out = self._settle_text(now_ms) + self._hang_up(now_ms)
        out += _appended(self._transcript.finish_caller())
        self._transcript.expect_repetition()
        if attempt is None:
            return [*out, commands.GiveUp("model_unavailable")]
        return out + self._dial(attempt, now_ms)

    def _take_handle(self, event: events.HandleUpdated, now_ms: int) -> list[ConversationCommand]:
        self._renewal.resumable(event.resumable)
        if not (event.resumable and event.handle):
            return []
        self._resumption.handed_out(event.handle)
        self._transcript.handed_out()
        return self._checkpoint(now_ms) + self._renew_when_due(now_ms)

    def _renew_when_due(self, now_ms: int) -> list[ConversationCommand]:
        pause = self.generation is Generation.IDLE and not self.caller_is_waiting
        if not self._renewal.due(now_ms, pause=pause):
            return []
        return self._try_again(self._resumption.lost(now_ms, self._link.lived_ms(now_ms)), now_ms)

    # Turns.

    def _play(self, pcm: bytes, now_ms: int) -> list[ConversationCommand]:
        if self._turns.dropping:
            return []
        out = self._begin_reply(now_ms)
        self._turns.move(Sign.AUDIO, now_ms)
        self._transcript.generated(self._reply, len(pcm) / MODEL_BYTES_PER_MS)
        return [*out, commands.PlayReply(self._reply, pcm)]

    def _note_agent(self, text: str) -> None:
        if self._turns.dropping:
            return
        late = self.generation is Generation.COMPLETE and self._reply in self._playing
        if late or self._transcript.is_open(self._reply):
            self._transcript.agent_said(self._reply, text)
        else:
            # Of a reply whose audio follows, most often in the same message.
            self._early_text += text

    def _note_caller(self, text: str, now_ms: int) -> list[ConversationCommand]:
        if not text.strip():
            return []
        began_ms = self._transcript.began_ms(self._reply)
        late = self._lacks_question and (self._turns.open or not self._reply_is_older(now_ms))
        if began_ms is not None and late:
            self._transcript.caller_said(text, began_ms)  # the words that are being answered
            return []
        # An open turn the server interrupts by itself; the reply of a closed one it believes heard.
        out = [] if self._turns.open else self._barge_in(now_ms)
        self._transcript.caller_said(text, now_ms)
        return out

    def _reply_is_older(self, now_ms: int) -> bool:
        """Whether the reply began before what the model tells now of the caller."""
        began_ms = self._transcript.began_ms(self._reply)
        return began_ms is not None and now_ms - began_ms > TOLD_LATE_MS

    def _begin_reply(self, now_ms: int) -> list[ConversationCommand]:
        """Number a new reply, unless one is open."""
        if self._transcript.is_open(self._reply):
            return []
        out: list[ConversationCommand] = []
        if self._broken_off:
            # What was broken off is said anew by this reply.
            out += self._cut_playing(now_ms)
        question = self._transcript.finish_caller()
        self._lacks_question = not question and not self._asked_by_cue
        self._asked_by_cue = False
        out += _appended(question)
        self._reply += 1
        self._playing[self._reply] = 0.0
        self._transcript.begin_reply(self._reply, now_ms)
        self._transcript.agent_said(self._reply, self._early_text)
        self._early_text = ""
        self._renewal.resumable(False)
        return out

    def _complete_reply(self, now_ms: int) -> list[ConversationCommand]:
        """The open reply, if there is one, was received whole."""
        out = self._settle_text(now_ms)
        if not self._transcript.is_open(self._reply):
            return out
        self._transcript.complete_reply(self._reply)
        self._resumption.settled()
        return [*out, commands.FinishReply(self._reply), *self._answered()]

    def _settle_text(self, now_ms: int) -> list[ConversationCommand]:
        """Text that no audio followed: late words of the last reply, or a reply of words alone."""
        if not self._early_text.strip():
            self._early_text = ""
            return []
        if self._broken_off or self._transcript.began_ms(self._reply) is None:
            return self._begin_reply(now_ms)
        self._transcript.agent_said(self._reply, self._early_text)
        self._early_text = ""
        return []

    def _answered(self) -> list[ConversationCommand]:
        began_ms = self._transcript.began_ms(self._reply)
        if began_ms is None:
            return []
        self._owes_answer = False
        self._transcript.answered_up_to(began_ms)
        return [commands.ReleaseCallerAudio(began_ms)]

    def _barge_in(self, now_ms: int) -> list[ConversationCommand]:
        """The caller talks over what is being generated or heard.

        Not over a reply that was broken off: what the model hears now is what was sent again.
        """
        if self._broken_off:
            return []
        out = self._settle_text(now_ms)
        if not self._playing:
            return out
        return out + self._answered() + self._cut_playing(now_ms)

    def _cut_playing(self, now_ms: int) -> list[ConversationCommand]:
        """No reply will be heard any further."""
        if not self._playing:
            return []
        out: list[ConversationCommand] = [commands.StopPlayback(self._reply)]
        for reply in sorted(self._playing):
            out += self._finish(reply)
        return out + self._checkpoint(now_ms)

    def _finish(self, reply: int) -> list[ConversationCommand]:
        heard_ms = self._playing.pop(reply)
        if reply == self._reply:
            self._broken_off = False
        return _appended(self._transcript.finish_reply(reply, heard_ms))

    def _checkpoint(self, now_ms: int) -> list[ConversationCommand]:
        if not self._transcript.epoch:
            return []  # nobody has taken the call yet: there is nothing to keep
        checkpoint = Checkpoint(
            epoch=self._transcript.epoch,
            elapsed_ms=self._transcript.elapsed_ms(now_ms),
            wall_time_ms=self._wall_time_ms + now_ms,
            greeted=self._greeted,
            handle=self._resumption.handle,
            handle_lines=self._transcript.known_lines,
        )
        return [commands.SaveCheckpoint(checkpoint)]


def _appended(lines: Iterable[Line]) -> list[ConversationCommand]:
    return [commands.AppendLine(line) for line in lines]
