"""The model's sessions, one after the other, and the messages that the next one needs.

A session is dialled, resumed from the last handle or given the transcript, asked to speak if the
caller waits for that, and left before the server ends it. The next session may belong to another
worker, which finds what it needs in the checkpoint.
"""

from dataclasses import replace

from agent.conversation import commands, events, listener_commands
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import ConversationCommand, GiveUp
from agent.conversation.consent import Consent
from agent.conversation.deadlines import earliest
from agent.conversation.debt import Debt
from agent.conversation.link import OPENING_LIMIT_MS, Link
from agent.conversation.meter import Meter
from agent.conversation.persona import (
    CUT_OFF_CUE,
    GO_ON_CUE,
    GREETING_LEFT_CUE,
    NUDGE_CUE,
    REST_CUE,
    Persona,
    answer_with_results,
    know_results,
    say_exactly,
)
from agent.conversation.renewal import Renewal
from agent.conversation.resumption import Attempt, Resumption
from agent.conversation.tools import Ledger
from agent.conversation.transcript import UNWRITTEN, Transcript


class Sessions:
    """The one session there may be, how it is followed by another, and what it was told.

    Args:
        persona: Who answers.
        transcript: What was said.
        resumption: How to reach the model.
        wall_time_ms: Unix time, in ms, at `now_ms` 0.
        debt: What the caller is owed.
        meter: What the conversation costs.
        ledger: What the model has had done.
        consent: Whether it is recorded.

    Attributes:
        attached: Whether somebody listens.
        resumed: Whether the session goes on from a handle.
        spoke: Whether the model was heard in it.
    """

    def __init__(
        self,
        persona: Persona,
        transcript: Transcript,
        resumption: Resumption,
        debt: Debt,
        meter: Meter,
        ledger: Ledger,
        consent: Consent,
        *,
        wall_time_ms: int,
    ) -> None:
        self.attached = False
        self._opening = persona.greeting_cue
        if any(line.epoch == 0 for line in transcript.lines):
            self._opening = CUT_OFF_CUE
        self._debt, self._meter, self._ledger = debt, meter, ledger
        self._consent = consent
        self._persona = persona
        self._transcript, self._resumption = transcript, resumption
        self._wall_time_ms = wall_time_ms
        self._renewal, self._link = Renewal(), Link()
        self._cued = False
        self.resumed = self.spoke = False

    @property
    def session(self) -> int:
        """The number of the one whose events count."""
        return self._link.session

    @property
    def listening(self) -> bool:
        """Whether the session is ready, and somebody listens to it."""
        return self.attached and self._link.ready

    @property
    def deaf_since_ms(self) -> int | None:
        """Since when no session listens, fleeting ones aside; None while one does."""
        return self._link.deaf_since_ms

    @property
    def listens_since_ms(self) -> int | None:
        """Since when the session listens to somebody; None while it, or the listener, is away."""
        return self._link.listens_since_ms if self.attached else None

    def deadline_ms(self) -> int | None:
        """When `redial`, `hung` or `renewal_is_due` is to be asked next, or None."""
        return earliest(self._link.deadline_ms(), self._hung_ms, self._renewal.deadline_ms())

    # The listener.

    def listener_came(self, epoch: int) -> list[ConversationCommand]:
        """Somebody listens; what is written is written under this ownership."""
        self._transcript.owned(epoch)
        self.attached = True
        return [commands.AppendLine(line) for line in self._transcript.take_up()]

    def listener_left(self) -> None:
        """Nobody listens."""
        self.attached = False

    # Dialling and leaving.

    def open(self, now_ms: int) -> list[ConversationCommand]:
        """Dial the first one."""
        return self.dial(self._resumption.first(), now_ms)

    def dial(self, attempt: Attempt, now_ms: int) -> list[ConversationCommand]:
        """Open a session, now or when the wait of the attempt is over."""
        if not self._link.dial(attempt, now_ms):
            return []
        self._meter.dials(fallback=attempt.fallback)
        self.resumed, self.spoke = bool(attempt.handle), False
        self._transcript.session_opened(fresh=not attempt.handle)
        history = self._transcript.unknown()
        return [
            commands.OpenModel(
                self._link.session,
                self._persona,
                attempt.handle,
                history,
                attempt.fallback,
                self._wall_time_ms + now_ms if self._persona.timezone else 0,
                know_results(self._ledger.untold_text()),
            )
        ]

    def redial(self, now_ms: int) -> list[ConversationCommand] | None:
        """Dial if a wait is over; None if none is."""
        attempt = self._link.due(now_ms)
        return None if attempt is None else self.dial(attempt, now_ms)

    def hung(self, now_ms: int) -> Attempt | GiveUp | None:
        """As `lost`, if a dial was not answered for too long; else None."""
        since_ms = self._link.opening_since_ms
        if since_ms is None or self._hung_ms is None or now_ms < self._hung_ms:
            return None
        return self._resumption.hung(since_ms, now_ms)

    @property
    def _hung_ms(self) -> int | None:
        """When a dial that is not answered is given up."""
        since_ms = self._link.opening_since_ms
        if since_ms is None:
            return None
        return earliest(since_ms + OPENING_LIMIT_MS, self._resumption.give_up_ms)

    def listens(self, now_ms: int) -> None:
        """The session is ready."""
        self._link.listens(now_ms)
        self._renewal.started(now_ms)

    def lost(self, event: events.SessionLost, now_ms: int) -> Attempt | GiveUp:
        """The session is gone. Returns how to get the next, or that there is none."""
        self._link.ended(now_ms)
        lived_ms = self._link.lived_ms(now_ms)
        return self._resumption.lost(
            event, now_ms, lived_ms, resumed=self.resumed, spoke=self.spoke
        )

    def renewed(self) -> Attempt:
        """The session works, and is left because it would end soon."""
        return self._resumption.renewed()

    def given_up(self, now_ms: int, *, fresh: bool) -> Attempt | GiveUp:
        """The session lives and is dumb; as `lost`. With `fresh`, so is what its handle gives."""
        if fresh:
            self._resumption.forget_handle()
        return self._resumption.left(now_ms, self._link.lived_ms(now_ms), spoke=self.spoke)

    def refused(self, event: events.SessionRefused, now_ms: int) -> Attempt | GiveUp:
        """The session could not be opened; as `lost`."""
        self._link.ended(now_ms)
        return self._resumption.refused(event, now_ms)

    def leave(self, now_ms: int, trouble: str = "") -> list[ConversationCommand]:
        """Close the session, whatever its state; events of it are stale from here on."""
        left = self._link.leave(now_ms)
        closed = [] if left is None else [commands.CloseModel(left, trouble)]
        self._renewal.stopped()
        self._debt.session_left()
        self._cued = False
        return [*closed, listener_commands.HoldCallerAudio()]

    # What it is told.

    def cue(self, *, greeting_comes: bool) -> list[ConversationCommand]:
        """Make the model speak, once a session, where the caller waits for it to."""
        if not self._link.ready or not self.attached or self._cued:
            return []
        self._cued = True
        if self._debt.rest:
            cue = REST_CUE
        elif not self._debt.greeted:
            if greeting_comes:
                return []
            cue = self._opening
        elif self._debt.open_question:
            cue = answer_with_results(self._ledger.untold_text()) or GO_ON_CUE
        elif self._debt.greeting_left:
            cue = GREETING_LEFT_CUE
        else:
            return []
        self._debt.ask()
        return [commands.SayToModel(self._link.session, cue)]

    def say(self, situation: str, words: str) -> list[ConversationCommand]:
        """Have the agent say these words."""
        if not self._link.ready:
            return []
        self._debt.ask()
        return [commands.SayToModel(self._link.session, say_exactly(situation, words))]

    def nudge(self, trouble: str) -> list[ConversationCommand]:
        """Make the model say what it owes."""
        self._debt.ask()
        cue = NUDGE_CUE if self._debt.greeted else self._opening
        cue = REST_CUE if self._debt.rest else cue
        return [commands.SayToModel(self._link.session, cue, trouble)]

    # What it tells.

    def took_handle(self, event: events.HandleUpdated) -> bool:
        """Note whether the session can be resumed from here. Returns whether there is a handle."""
        self._renewal.resumable(event.resumable)
        if not (event.resumable and event.handle):
            return False
        self._resumption.handed_out(event.handle)
        self._transcript.handed_out()
        return True

    def told_to_go(self, event: events.GoAway, now_ms: int) -> None:
        """The server will end the session."""
        self._renewal.told_to_go(now_ms, event.time_left_ms, self._link.lived_ms(now_ms))

    def renewal_is_due(self, now_ms: int, *, pause: bool) -> bool:
        """Whether to leave the session and resume it; as `Renewal.due`."""
        return self._renewal.due(now_ms, pause=pause)

    def reply_began(self) -> None:
        """The session says what its last handle does not hold."""
        self._renewal.resumable(False)

    def reply_sounds(self) -> None:
        """The model is heard in the session."""
        self.spoke = True

    def reply_completed(self) -> None:
        """The session works."""
        self._resumption.settled()

    # What outlives it.

    def checkpoint(self, now_ms: int) -> list[ConversationCommand]:
        """Keep what another worker needs."""
        if not self._transcript.epoch:
            return []  # nobody has taken the call yet: there is nothing to keep
        checkpoint = Checkpoint(
            epoch=self._transcript.epoch,
            elapsed_ms=self._transcript.elapsed_ms(now_ms),
            wall_time_ms=self._wall_time_ms + now_ms,
            greeted=self._debt.greeted,
            wordless=self._debt.greeting_over and self._transcript.wordless,
            handle=self._resumption.handle,
            handle_lines=self._transcript.known_lines,
            fallback=self._resumption.fallback,
        )
        checkpoint = self._meter.kept_in(self._ledger.kept_in(checkpoint))
        checkpoint = self._consent.kept_in(checkpoint)
        if self._debt.owes_answer or self._debt.rest:
            checkpoint = self._with_debt(checkpoint)
        return [commands.SaveCheckpoint(checkpoint, self._meter.cost(now_ms))]

    def _with_debt(self, checkpoint: Checkpoint) -> Checkpoint:
        """The same, and what the caller is owed."""
        words, began_ms = self._transcript.open_words
        if not words and self._debt.sure and not self._transcript.question_is_written:
            words = UNWRITTEN
        return replace(
            checkpoint,
            owes_answer=self._debt.owes_answer,
            owes_rest=self._debt.rest,
            owed_ms=checkpoint.elapsed_ms if began_ms is None else began_ms,
            owed_words=words,
            owed_line=len(self._transcript.lines) + 1,
        )
