"""What Twilio and Gemini know of a call whose commands they follow, and what they object to."""

from dataclasses import dataclass, field

from agent.conversation.commands import (
    AppendLine,
    CloseModel,
    EndCallerAudio,
    MarkSpeech,
    OpenModel,
    SaveCheckpoint,
    SayToModel,
    SendCallerAudio,
)
from agent.conversation.events import (
    SessionLost,
    SessionReady,
    SessionRefused,
)
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.transcript import Line
from telephony.audio.formats import PHONE_SAMPLES_PER_MS
from telephony.call.commands import (
    NO_REPLY,
    CloseStream,
    Command,
    EndCall,
    SendClear,
    SendMark,
    SendMedia,
)
from telephony.call.events import (
    Event,
    StreamStarted,
)
from telephony.call.playout import LOST_MARK_MS
from telephony.twilio.messages import Mark


@dataclass
class World:
    """Follows the commands as Twilio and Gemini would, and objects to what they could not do."""

    stream: str | None = None
    streams: int = 0
    open_streams: set[str] = field(default_factory=set)
    session: int | None = None
    ready: bool = False
    sounds: bool = False
    """The last audio sent is the sound for who waits."""
    opened: set[int] = field(default_factory=set)
    marks: list[str] = field(default_factory=list)
    now_ms: int = 0
    places: dict[str, int] = field(default_factory=dict)
    """How many samples were sent on this stream before each mark that is out."""
    samples: int = 0
    ends_ms: int = 0
    """When all of them will have been played, as the marks that came back have shown."""
    every_mark: set[str] = field(default_factory=set)
    sent: dict[int, int] = field(default_factory=dict)
    forbidden_up_to: int = 0
    lines: list[Line] = field(default_factory=list)
    cues: dict[int, int] = field(default_factory=dict)
    greeted: bool = False
    over: bool = False
    said: list[str] = field(default_factory=list)
    """What the agent said, less what was taken back, which nobody heard."""
    held: bool = False
    """What is heard was stopped, and may be gone on with."""
    holds: int = 0

    def happens(self, event: Event, now_ms: int) -> None:
        """An event that the call is told of."""
        self.now_ms = now_ms
        if now_ms >= self.ends_ms + LOST_MARK_MS:
            self.places.clear()  # marks so late are lost, and what they stand behind was heard
        match event:
            case StreamStarted():
                self.stream = event.stream_sid
                self.open_streams.add(event.stream_sid)
                self.marks.clear()
                self.places.clear()
                self.samples = self.ends_ms = 0
            case Mark() if event.stream_sid == self.stream and event.name in self.places:
                place = self.places.pop(event.name)
                self.ends_ms = now_ms - (place - self.samples) // PHONE_SAMPLES_PER_MS
            case SessionReady() if event.session == self.session:
                self.ready = True
            case SessionLost() | SessionRefused() if event.session == self.session:
                self.session, self.ready = None, False
            case _:
                pass

    def does(self, command: Command) -> None:
        """A command of the call."""
        assert not self.over, "a command after the last one"
        match command:
            case SendMedia():
                assert command.stream_sid == self.stream
                assert command.ulaw
                length_ms = -(-len(command.ulaw) // PHONE_SAMPLES_PER_MS)
                self.ends_ms = max(self.ends_ms, self.now_ms) + length_ms
                self.samples += len(command.ulaw)
                if command.reply == NO_REPLY:
                    self.sounds = True
                    return
                assert command.reply > self.forbidden_up_to, "audio after its clear"
                assert not self.held, "audio while it is held"
                self.sounds = False
                self.sent[command.reply] = self.sent.get(command.reply, 0) + len(command.ulaw)
            case SendMark():
                assert command.stream_sid == self.stream
                assert command.name not in self.every_mark
                self.every_mark.add(command.name)
                self.marks.append(command.name)
                self.places[command.name] = self.samples
            case SendClear() if self.held:
                assert command.stream_sid == self.stream
                self.sounds = False
                self.marks.clear()
                self._empties()
            case SendClear() if self.sounds:
                assert command.stream_sid == self.stream
                of_replies = [name for name in self.places if name.startswith("r")]
                assert not of_replies, "a sound was sent while a reply was heard"
                self.sounds = False
                self._empties()
            case SendClear():
                assert command.stream_sid == self.stream
                assert self.sent, "nothing to clear"
                self.forbidden_up_to = max(self.sent)
                self.marks.clear()
                self._empties()
            case CloseStream():
                assert command.stream_sid in self.open_streams
                self.open_streams.discard(command.stream_sid)
                if command.stream_sid == self.stream:
                    self.stream = None
            case OpenModel():
                assert self.session is None, "two sessions at once"
                assert command.session not in self.opened
                self.opened.add(command.session)
                self.session, self.ready = command.session, False
            case CloseModel():
                assert command.session == self.session
                self.session, self.ready = None, False
            case SendCallerAudio() | EndCallerAudio() | MarkSpeech():
                assert command.session == self.session
                assert self.ready
            case SayToModel():
                assert command.session == self.session
                assert self.ready
                if command.text == DEFAULT_PERSONA.greeting_cue:
                    assert not self.greeted, "a second greeting"
                if command.text == DEFAULT_PERSONA.greeting_cue and not command.trouble:
                    self.cues[command.session] = self.cues.get(command.session, 0) + 1
                    assert self.cues[command.session] == 1
            case AppendLine():
                assert command.line.n == len(self.lines) + 1
                assert command.line.text.startswith(command.line.heard)
                self.lines.append(command.line)
            case SaveCheckpoint():
                assert command.checkpoint.handle_lines <= len(self.lines)
                assert self.greeted <= command.checkpoint.greeted, "the greeting is forgotten"
                self.greeted = command.checkpoint.greeted
            case EndCall():
                self.over = True

    def _empties(self) -> None:
        """Twilio forgets what it has not played."""
        self.places.clear()
        self.ends_ms = self.now_ms
