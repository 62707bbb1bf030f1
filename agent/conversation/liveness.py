"""Notices when the model does not answer, by missing speech: a socket that is open proves nothing.

A server's pongs can be up to 30 s late. So only speech counts. Four things are a problem: no answer
within the time that this model takes (`pace`), a turn that is closed without an answer, a turn that
is never closed, and audio without sound.

    no reply, empty turn, rejected, no sound   a nudge by text, then resume, then a fresh session
    open turn                                  resume, then a fresh session: nothing is owed
    unheard                                    end of the audio, a nudge, then resume, once: the
                                               caller's audio is sent again

`unheard` means that we heard the caller but the model did not. Its turn may be open, and wait for
more; the end of the caller's audio closes it. What was short may have been a cough, so the model is
not asked about it.
"""

from math import ceil

from agent.conversation.deadlines import earliest
from agent.conversation.debt import QUESTION_MS
from agent.conversation.pace import LEAST_PATIENCE_MS, Pace
from agent.conversation.playing import Playing
from agent.conversation.remedies import REMEDIES, Remedy, Trouble
from agent.conversation.turn_taking import DEFAULT_TURNS, TurnTaking

NUDGE_LIMIT_MS = 2_500
"""How long it may then take to answer a nudge; or to answer after all what it was asked before."""

REST_LIMIT_MS = 2_500
"""The least that is allowed for the rest of a reply: it has been thought already, and only some
seconds of its beginning may be left to be heard."""

STALL_LIMIT_MS = 2_500
"""How long a turn may stay open after all of it that came could have been heard."""

THINKING_LIMIT_MS = 30_000
"""How long the model may say that it still works on what it was asked, and nothing else."""

SPOKEN_ON_MS = 5_500
"""How much longer is waited, and for the silence that ends a turn, for a caller who is still heard
after the model told of the end: it may be somebody else who is heard."""

SPEECH_MS = 200
"""Less sound than this is no speech."""

MORE_INPUT_REASON = "NEED_MORE_INPUT"
"""Why a turn was closed, where the model waits for the caller to go on: it owes nothing."""

REJECTED_REASONS = frozenset({"RESPONSE_REJECTED"})
"""Why a turn was closed, where the caller is owed another answer (`turnCompleteReason`)."""


class Liveness:
    """What the model owes, since when, and what was done about it.

    Args:
        playing: What is heard, and until when.
        pace: How long the model takes.
        turns: Which silence ends what the caller says, and whether the model itself detects that;
            only such a model is told of an end of audio.
    """

    def __init__(
        self, playing: Playing, pace: Pace | None = None, turns: TurnTaking = DEFAULT_TURNS
    ) -> None:
        self._playing, self._pace, self._turns = playing, pace or Pace(), turns
        self._owed_ms: int | None = None
        self._since_ms: int | None = None
        self._least_ms = LEAST_PATIENCE_MS
        self._nudged = self._by_text = False
        self._spoke_ms: int | None = None
        self._speech_ms = 0.0
        self._audio_ended_ms: int | None = None
        self._open = False
        self._result_ms = 0
        self._thinks_until_ms: int | None = None
        self._called = False
        self._told: Trouble | None = None
        self._tried: set[Remedy] = set()

    # The session.

    def stopped(self) -> None:
        """There is no session."""
        self._owed_ms = self._since_ms = self._told = None
        self._thinks_until_ms = None
        self._open = False

    # The caller.

    def caller_spoke(self, now_ms: int, speech_ms: float) -> None:
        """So much speech came."""
        self._spoke_ms = now_ms
        self._speech_ms += speech_ms
        self._audio_ended_ms = None

    def caller_finished(self, now_ms: int) -> None:
        """The server told that the caller has finished."""
        self._owed_ms = self._since_ms = now_ms
        self._least_ms = LEAST_PATIENCE_MS
        self._nudged = self._by_text = False

    def asked(self, now_ms: int, *, rest: bool = False) -> None:
        """A text was sent that wants an answer, or the `rest` of a reply that is being heard."""
        self._owed_ms = self._since_ms = now_ms
        self._least_ms = REST_LIMIT_MS if rest else LEAST_PATIENCE_MS
        self._nudged, self._by_text = False, True

    def told_result(self, now_ms: int) -> None:
        """The result of a tool was sent: from now on the model can answer."""
        self.caller_finished(now_ms)
        self._result_ms = now_ms
        self._told = None

    def nudged(self, now_ms: int) -> None:
        """A text was sent that asks for an answer that is owed already."""
        self._owed_ms = now_ms
        self._nudged = self._by_text = True

    # The model.

    def stirs(self, now_ms: int) -> None:
        """It says something again that was said before; what is owed is still to come."""
        if self._owed_ms is not None:
            self._owed_ms = now_ms

    def speaks(self, now_ms: int, *, audible: bool = True) -> None:
        """Audio came of a reply that is `audible` by now. Silence is no answer."""
        self._open = True
        if not audible:
            return
        if self._since_ms is not None:
            self._pace.took(now_ms - self._since_ms)
        self._owed_ms = self._since_ms = self._spoke_ms = self._thinks_until_ms = None
        self._speech_ms = 0.0

    def thinks(self, now_ms: int) -> None:
        """It says that it still works on what it was asked."""
        if self._thinks_until_ms is None:
            self._thinks_until_ms = now_ms + THINKING_LIMIT_MS
        self._owed_ms, self._since_ms = now_ms, None
        self._nudged = self._open = False

    def replied(self, *, audible: bool) -> None:
        """A reply is complete."""
        if audible:
            self._tried.clear()
        else:
            self._told = Trouble.NO_SOUND

    def calls(self) -> None:
        """It calls a tool: the turn is no empty one, whether or not it speaks in it."""
        self._called = True

    def closed(self, reason: str, *, spoke: bool) -> None:
        """The model's turn is closed, and whether there was a reply in it."""
        called, self._called = self._called, False
        if spoke and self._thinks_until_ms is not None:
            self._owed_ms = None
        self._open, self._thinks_until_ms = False, None
        if reason == MORE_INPUT_REASON:
            self._owed_ms = self._since_ms = self._spoke_ms = None
            self._speech_ms = 0.0
        elif reason in REJECTED_REASONS:
            self._told = Trouble.REJECTED
        elif not (spoke or called) and (self._owed_ms is not None or self._speech_ms >= SPEECH_MS):
            self._told = Trouble.EMPTY_TURN

    def resumable(self) -> None:
        """There is a handle: no turn is open, whether or not its end was told."""
        self._open = False

    def interrupted(self, now_ms: int, *, owed: bool = False) -> None:
        """What was thought or said is taken back; what closes the turn is not waited for.

        Args:
            now_ms: The time.
            owed: Whether it was heard by nobody, and nobody talked over it: it is still to come.
        """
        self._open = False
        self._owed_ms = now_ms if owed else None
        self._since_ms = self._thinks_until_ms = None

    # What follows.

    def due(self, now_ms: int, listens_ms: int | None) -> tuple[Trouble, Remedy] | None:
        """What is wrong by now and what is to be done, each once; None if nothing is.

        Args:
            now_ms: The time.
            listens_ms: Since when the session listens to somebody; None if it does not.
        """
        if listens_ms is None:
            return None
        if self._told is not None and self._caller_goes_on(now_ms):
            # No text of ours is to make the model talk over the caller.
            self._told, self._owed_ms = None, now_ms
        elif self._told is not None and now_ms < self._quiet_ms:
            return None
        trouble = self._trouble(now_ms, listens_ms)
        if trouble is None:
            return None
        if trouble is Trouble.UNHEARD and self._turns.detects and self._audio_ended_ms is None:
            self._audio_ended_ms = now_ms
            return trouble, Remedy.END_AUDIO
        cough = trouble is Trouble.UNHEARD and self._speech_ms < QUESTION_MS
        self._told = self._owed_ms = self._spoke_ms = None
        self._speech_ms = 0.0
        self._open = False
        tried = self._tried | {Remedy.NUDGE} if cough else self._tried
        left = [remedy for remedy in REMEDIES[trouble] if remedy not in tried]
        if not left and trouble is Trouble.UNHEARD:
            return None
        remedy = left[0] if left else Remedy.FRESH
        self._tried.add(remedy)
        return trouble, remedy

    def deadline_ms(self, listens_ms: int | None) -> int | None:
        """When to ask next, or None; `listens_ms` as in `due`."""
        if listens_ms is None:
            return None
        if self._told is not None:
            return max(listens_ms, self._quiet_ms)
        return earliest(*self._limits_ms(listens_ms).values())

    @property
    def _patience_ms(self) -> int:
        """Twice as long after a session was given up in vain: the model may be slow."""
        if self._least_ms == REST_LIMIT_MS:
            return self._pace.patience_ms(self._least_ms) * self._gap_factor
        return self._pace.patience_ms(self._least_ms) * min(2, self._gap_factor)

    @property
    def _gap_factor(self) -> int:
        """How many times as long a gap in a reply may be, or before its rest, after a session was
        given up for one: the model may have such gaps, and begin anew each time.
        """
        return 1 + 2 * len(self._tried & {Remedy.RESUME, Remedy.FRESH})

    def _caller_goes_on(self, now_ms: int) -> bool:
        """Whether the line has spoken since the model told of the end, or speaks, if it did not."""
        if self._spoke_ms is None:
            return False
        speaks = now_ms - self._spoke_ms < self._turns.silence_ms
        return speaks if self._since_ms is None else self._spoke_ms > self._since_ms

    @property
    def _quiet_ms(self) -> int:
        """When the line has been quiet for long enough: noise makes the end of a word seem late."""
        if self._spoke_ms is None or self._since_ms is None:
            return 0
        return self._spoke_ms + self._turns.silence_ms

    def _trouble(self, now_ms: int, listens_ms: int) -> Trouble | None:
        if self._told is not None:
            return self._told
        for trouble, by_ms in self._limits_ms(listens_ms).items():
            if by_ms is not None and now_ms >= by_ms:
                return trouble
        return None

    def _limits_ms(self, listens_ms: int) -> dict[Trouble, int | None]:
        """When each trouble is one that time alone tells of."""
        heard_by_ms = max(ceil(self._playing.ends_ms), self._result_ms)
        patience_ms = self._patience_ms
        thinks_ms = self._thinks_until_ms or 0
        ear_ms = max(patience_ms, LEAST_PATIENCE_MS) + self._turns.silence_ms
        quiet_ms = None if self._spoke_ms is None else self._spoke_ms + ear_ms
        no_reply_ms = unheard_ms = None
        if self._owed_ms is not None:
            # A caller who speaks on after all takes back what is being thought. One who spoke while
            # the agent is heard may want no answer; a text of ours always wants one.
            heard_ms = 0 if self._by_text else heard_by_ms
            limit_ms = NUDGE_LIMIT_MS if self._nudged else patience_ms
            due_ms = self._owed_ms + limit_ms
            most_ms = due_ms + SPOKEN_ON_MS + self._turns.silence_ms
            spoken_on_ms = min(quiet_ms or 0, most_ms)
            no_reply_ms = max(due_ms, spoken_on_ms, heard_ms, thinks_ms)
        elif quiet_ms is not None and self._speech_ms >= SPEECH_MS:
            unheard_ms = max(quiet_ms, listens_ms + patience_ms, heard_by_ms, thinks_ms)
            if self._audio_ended_ms is not None:  # what is told now has time to show
                unheard_ms = max(unheard_ms, self._audio_ended_ms + self._turns.told_ms)
            elif self._turns.detects and self._spoke_ms is not None:
                said_ms = max(self._spoke_ms, listens_ms, heard_by_ms, thinks_ms)
                unheard_ms = said_ms + self._turns.told_ms
        return {
            Trouble.NO_REPLY: no_reply_ms,
            Trouble.UNHEARD: unheard_ms,
            Trouble.OPEN_TURN: heard_by_ms + STALL_LIMIT_MS * self._gap_factor
            if self._open
            else None,
        }
