"""Measures a call by its events and commands: how soon callers are answered, and what they hear.

An answer is timed from the end of the caller's speech, in three stages that follow each other:

    the caller ends ─model─▶ the model's first audio ─sending─▶ first media ─playing─▶ it is heard

The times are those of this worker: the way from the caller to here is not in them, and the way of a
mark back to here is. When a reply is heard follows from its first mark, which Twilio echoes when
the audio before it was played.

This is an observer: it decides nothing, so a live call, its replay and a simulated one have the
same figures. It needs no frame of the caller: what the ear hears is told by `MeasureSpeech`.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from agent.conversation.events import GenerationComplete, ReplyAudio, TurnComplete
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.call.commands import (
    NO_REPLY,
    Command,
    EndCall,
    MeasureReply,
    MeasureSpeech,
    SendClear,
    SendMark,
    SendMedia,
)
from telephony.call.events import Event, StreamEnded, StreamStarted
from telephony.call.figures import (
    Answered,
    Cut,
    Figures,
    Finding,
    Gap,
    Heard,
    HeldInVain,
    Late,
    Silence,
    Speaker,
    TalkedOver,
)
from telephony.twilio.messages import Mark, Stop

WORD_MS = 200
"""A caller who spoke for less time has asked nothing, so the agent's next speech is no answer."""

SILENCE_MS = 2_000
"""Shorter silences belong to a conversation."""

_MODEL_BYTES_PER_SAMPLE = 6
"""Of the model's audio (24 kHz, int16), for each sample of the phone's."""

SPANS = 16
"""So many of the agent's last spans of speech may overlap with an utterance of the caller's."""


@dataclass(slots=True)
class _Turn:
    """A reply whose first audio was not heard yet; `spoke_ms` is how long the question was."""

    came_ms: int
    ended_ms: int
    spoke_ms: int
    sent_ms: int | None = None
    at: int = 0
    answer: Answered | None = None


class Measures:
    """Measures one call on one worker. Call `step` with each step that has a kind it `wants`.

    Attributes:
        figures: What came of it so far.
        ended_ms: When the caller's last speech ended that was told of.
    """

    wants: frozenset[type[Event | Command]] = frozenset(
        {
            EndCall,
            Mark,
            MeasureReply,
            MeasureSpeech,
            SendClear,
            SendMark,
            SendMedia,
            Stop,
            StreamEnded,
            StreamStarted,
        }
    )

    def __init__(self) -> None:
        self.figures = Figures()
        self._found: list[Finding] = []
        self._late: Late = "worker"
        self._stream_sid = ""
        # The caller's speech:
        self.ended_ms = self._spoke_ms = 0
        # The agent's, on this stream:
        self._turns: dict[int, _Turn] = {}
        self._newest = NO_REPLY
        self._sent = self._marked = 0
        self._marks: dict[str, int] = {}
        self._spans: deque[list[int]] = deque(maxlen=SPANS)
        self._plays_until_ms = self._aside_until_ms = 0
        self._cleared_ms: int | None = None
        self._last: tuple[int, Speaker] = (0, "nobody")

    def step(self, event: Event, now_ms: int, commands: Sequence[Command]) -> Sequence[Finding]:
        """Take one step of the call, with its time in ms. Returns what it has shown."""
        self._found, self._late = [], _late(event, commands)
        match event:
            case StreamStarted():
                self._leave(now_ms)
                self._stream_sid = event.stream_sid
                self._last = (now_ms, "nobody")
            case Mark() if event.stream_sid == self._stream_sid:
                self._played(event.name, now_ms)
            case _:
                pass
        for command in commands:
            match command:
                case MeasureSpeech():
                    self._speech(command)
                case MeasureReply():
                    turn = _Turn(now_ms, self.ended_ms, self._spoke_ms)
                    self._turns[command.reply] = turn
                case SendMedia() if command.reply == NO_REPLY:
                    self._aside_until_ms = now_ms + len(command.ulaw) // PHONE_SAMPLES_PER_MS
                case SendMedia():
                    self._media(command, now_ms)
                case SendMark() if self._sent > self._marked:
                    self._marks[command.name] = self._marked = self._sent
                case SendClear():
                    self._clear(now_ms)
                case EndCall():
                    self._leave(now_ms)
                case _:
                    pass
        if isinstance(event, Stop | StreamEnded) and event.stream_sid == self._stream_sid:
            self._leave(now_ms)
        for finding in self._found:
            self.figures.add(finding)
        return self._found

    # The caller.

    def _speech(self, said: MeasureSpeech) -> None:
        for began_ms, until_ms in self._spans:
            both_ms = max(said.began_ms, began_ms)
            if (ms := min(said.ended_ms, until_ms) - both_ms) > 0:
                self._found.append(TalkedOver(ms, both_ms))
        self._spoke_ms += said.spoke_ms
        self.ended_ms = said.ended_ms
        self._quiet_until(said.began_ms)
        self._speaks_until(said.ended_ms, "caller")

    # The agent.

    def _media(self, command: SendMedia, now_ms: int) -> None:
        reply, turn = command.reply, self._turns.get(command.reply)
        if reply > self._newest:
            self._newest = reply
            self.figures.turns += 1
            self._cut()
        elif self._cleared_ms is not None:
            self._found.append(HeldInVain(now_ms - self._cleared_ms))
            self._cleared_ms = None
        elif 0 < self._plays_until_ms < now_ms:
            self._found.append(Gap(now_ms - self._plays_until_ms, self._late))
        if turn is not None and turn.sent_ms is None:
            self._begin(reply, turn, now_ms)
        self._quiet_until(now_ms)
        self._sent += len(command.ulaw)
        if self._plays_until_ms < now_ms:
            self._plays_until_ms = now_ms
            self._spans.append([now_ms, now_ms])
        self._plays(self._plays_until_ms + len(command.ulaw) // PHONE_SAMPLES_PER_MS)

    def _begin(self, reply: int, turn: _Turn, now_ms: int) -> None:
        turn.sent_ms, turn.at = now_ms, self._sent
        if turn.spoke_ms >= WORD_MS:
            model_ms = turn.came_ms - turn.ended_ms
            turn.answer = Answered(reply, model_ms, now_ms - turn.came_ms)
            self._found.append(turn.answer)
        # What was said since it came from the model is for the next one.
        self._spoke_ms -= turn.spoke_ms
        for number, other in list(self._turns.items()):
            if number > reply:
                other.spoke_ms -= turn.spoke_ms
            elif other.sent_ms is None:  # it never was
                del self._turns[number]

    def _played(self, name: str, now_ms: int) -> None:
        """A mark came back: all that was sent before it was heard by now."""
        if name not in self._marks:
            return
        at = self._marks[name]
        self._marks = {later: its for later, its in self._marks.items() if its > at}
        self._plays(now_ms + (self._sent - at) // PHONE_SAMPLES_PER_MS)
        for reply, turn in list(self._turns.items()):
            if turn.sent_ms is not None and turn.at < at:
                del self._turns[reply]
                heard_ms = now_ms - (at - turn.at) // PHONE_SAMPLES_PER_MS
                if turn.answer is not None:
                    playing_ms = max(0, heard_ms - turn.sent_ms)
                    self._found.append(Heard(turn.answer, playing_ms))

    def _clear(self, now_ms: int) -> None:
        if now_ms < self._aside_until_ms and self._plays_until_ms <= now_ms:
            self._aside_until_ms = 0  # it was the sound for a caller who waits
            return
        if self._cleared_ms is None:
            self._cleared_ms = now_ms
        self._silent(now_ms)

    def _silent(self, now_ms: int) -> None:
        """Twilio plays nothing from now on of what it was sent."""
        self._plays(min(self._plays_until_ms, now_ms))
        self._marks.clear()
        self._marked = self._sent
        self._turns = {n: turn for n, turn in self._turns.items() if turn.sent_ms is None}

    def _plays(self, until_ms: int) -> None:
        self._plays_until_ms = until_ms
        if self._spans:
            self._spans[-1][1] = until_ms

    def _cut(self) -> None:
        if self._cleared_ms is not None:
            self._found.append(Cut(self._cleared_ms))
            self._cleared_ms = None

    # Both.

    def _leave(self, now_ms: int) -> None:
        """Nobody is on the line any more."""
        if not self._stream_sid:
            return
        self._cut()
        self._quiet_until(now_ms)
        self._silent(now_ms)
        self._spans.clear()
        self._stream_sid, self._plays_until_ms, self._aside_until_ms = "", 0, 0

    def _quiet_until(self, now_ms: int) -> None:
        """Somebody is heard now, or nobody is on the line: it may have been silent before."""
        self._speaks_until(self._plays_until_ms, "agent")
        since_ms, after = self._last
        if now_ms - since_ms >= SILENCE_MS:
            self._found.append(Silence(now_ms - since_ms, after, since_ms))
            self._last = (now_ms, after)

    def _speaks_until(self, ms: int, who: Speaker) -> None:
        if ms > self._last[0]:
            self._last = (ms, who)


def _late(event: Event, commands: Sequence[Command]) -> Late:
    """What was waited for, if media was sent too late in this step.

    If the step brings the audio that it sends, the model was late. Otherwise it was here before.
    """
    match event:
        case ReplyAudio():
            came = len(event.pcm) // _MODEL_BYTES_PER_SAMPLE + FRAME_SAMPLES
            sent = sum(len(each.ulaw) for each in commands if isinstance(each, SendMedia))
            return "model" if sent <= came else "worker"
        case Mark():
            return "mark"
        case GenerationComplete() | TurnComplete():
            return "model"
        case _:
            return "worker"
