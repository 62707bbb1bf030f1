"""A call whose Twilio and Gemini the test plays, on a clock the test moves."""

from collections.abc import Callable

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import AppendLine, OpenModel, SaveCheckpoint, SayToModel
from agent.conversation.events import (
    AgentSaid,
    GenerationComplete,
    ModelEvent,
    ReplyAudio,
    SessionReady,
    TurnComplete,
)
from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.conversation.transcript import Line
from agent.conversation.turns import Floor
from telephony.audio import g711
from telephony.audio.formats import ULAW_SILENCE
from telephony.call.commands import Command, SendClear, SendMark, SendMedia
from telephony.call.events import CallOpened, Event, StreamStarted, Tick
from telephony.call.machine import Call
from telephony.twilio.messages import Mark, Media

SILENCE = ULAW_SILENCE * 160
VOICE = g711.encode(b"\x00\x10\x00\xf0" * 80)
"""A loud frame of 20 ms: it alternates between ±4096."""

type PickUp = Callable[..., Phone]


def of[T](kind: type[T], commands: list[Command]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]


def speech(ms: int) -> bytes:
    """So much audio as the model sends it: 24 kHz, int16."""
    return b"\x00\x10" * (24 * ms)


def audio(session: int) -> ModelEvent:
    """The session sends 100 ms of speech."""
    return ReplyAudio(session, speech(100))


class Phone:
    """Remembers every command, and when Twilio will have played what it was sent."""

    def __init__(
        self,
        checkpoint: Checkpoint | None = None,
        lines: tuple[Line, ...] = (),
        persona: Persona = DEFAULT_PERSONA,
    ) -> None:
        opened = CallOpened("CA1", 1, 1_700_000_000_000, persona, checkpoint, lines)
        self.call = Call(opened)
        self.now_ms = 0
        self.stream = ""
        self.session = 0
        self.commands: list[Command] = []
        self.marks: list[str] = []
        """Those that are out, in order."""
        self.due_ms: dict[str, int] = {}
        self.played_at_ms = 0
        """When Twilio will have played all it holds."""
        self.step(opened)

    def step(self, *events: Event) -> list[Command]:
        done = [c for event in events for c in self.call.step(event, self.now_ms)]
        self.commands += done
        for command in done:
            match command:
                case OpenModel():
                    self.session = command.session
                case SendMedia():
                    played_ms = max(self.played_at_ms, self.now_ms)
                    self.played_at_ms = played_ms + len(command.ulaw) // 8
                case SendMark():
                    self.marks.append(command.name)
                    self.due_ms[command.name] = max(self.played_at_ms, self.now_ms)
                case SendClear():
                    self.marks.clear()
                    self.played_at_ms = self.now_ms
                case _:
                    pass
        return done

    def starts(self, stream: str = "MZ1", epoch: int = 1) -> list[Command]:
        self.stream = stream
        self.marks.clear()
        self.played_at_ms = self.now_ms
        return self.step(StreamStarted(stream, epoch))

    def tells(self, *events: Callable[[int], ModelEvent]) -> list[Command]:
        """The present session tells these, at once."""
        return self.step(*(event(self.session) for event in events))

    def ready(self) -> list[Command]:
        return self.tells(SessionReady)

    def replies(self, text: str, ms: int) -> list[Command]:
        """A whole reply; the turn stays open."""
        return self.tells(
            lambda session: AgentSaid(session, text),
            lambda session: ReplyAudio(session, speech(ms)),
            GenerationComplete,
        )

    def says(self, frame: bytes, ms: int) -> list[Command]:
        """Frames of the caller, in real time."""
        done: list[Command] = []
        for _ in range(ms // 20):
            done += self.wait(20)
            done += self.step(Media(self.stream, frame, self.now_ms))
        return done

    def echoes(self, marks: int = 1) -> list[Command]:
        """Twilio has played up to the next so many marks."""
        names, self.marks = self.marks[:marks], self.marks[marks:]
        return self.step(*(Mark(self.stream, name) for name in names))

    def plays_out(self) -> list[Command]:
        """Twilio plays all there is, in real time: each mark comes when its audio was heard."""
        done: list[Command] = []
        while self.marks:
            done += self.plays(max(0, self.due_ms[self.marks[0]] - self.now_ms))
        return done

    def plays(self, ms: int) -> list[Command]:
        """Twilio plays for so long, and echoes each mark when it is due."""
        until_ms = self.now_ms + ms
        done: list[Command] = []
        while self.marks and (due_ms := self.due_ms[self.marks[0]]) <= until_ms:
            done += self.wait(max(0, due_ms - self.now_ms))
            done += self.echoes()
        return done + self.wait(until_ms - self.now_ms)

    def wait(self, ms: int) -> list[Command]:
        """Let time pass, with a tick at each deadline on the way."""
        until_ms = self.now_ms + ms
        done: list[Command] = []
        while (at_ms := self.call.deadline_ms()) is not None and at_ms <= until_ms:
            self.now_ms = max(self.now_ms, at_ms)
            done += self.step(Tick())
        self.now_ms = until_ms
        return done

    def greets(self) -> None:
        """From the beginning to a greeting (reply 1, 400 ms) that was heard, its turn closed."""
        self.starts()
        self.ready()
        self.replies("Hello.", 400)
        self.plays_out()
        self.tells(TurnComplete)

    @property
    def floor(self) -> Floor:
        return self.call.conversation.floor

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        stored = [command.line for command in of(AppendLine, self.commands)]
        return [(line.role, line.text, line.heard) for line in stored]

    @property
    def cues(self) -> list[str]:
        return [command.text for command in of(SayToModel, self.commands)]

    @property
    def checkpoint(self) -> Checkpoint:
        """The last one saved."""
        return of(SaveCheckpoint, self.commands)[-1].checkpoint

    def sent_ms(self, reply: int) -> float:
        """How much of a reply went out to Twilio in all."""
        sent = [c.ulaw for c in of(SendMedia, self.commands) if c.reply == reply]
        return len(b"".join(sent)) / 8


@pytest.fixture
def pick_up() -> PickUp:
    """Opens calls."""

    def begin(checkpoint: Checkpoint | None = None, lines: tuple[Line, ...] = ()) -> Phone:
        return Phone(checkpoint, lines)

    return begin


@pytest.fixture
def phone(pick_up: PickUp) -> Phone:
    """A new call: its webhook was answered, its stream is not here yet."""
    return pick_up()


@pytest.fixture
def greeted(phone: Phone) -> Phone:
    """A call whose greeting was heard; the caller has the floor."""
    phone.greets()
    return phone
