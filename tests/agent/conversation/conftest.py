"""A conversation with a model and a listener whom the test plays, on a clock the test moves."""

from collections.abc import Callable, Iterable

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import (
    AppendLine,
    ConversationCommand,
    OpenModel,
    SaveCheckpoint,
    SayToModel,
)
from agent.conversation.events import (
    AgentSaid,
    CallerSaid,
    ConversationEvent,
    GenerationComplete,
    HandleUpdated,
    ModelEvent,
    ReplyAudio,
    SessionLost,
    SessionReady,
    SessionRefused,
    TurnComplete,
)
from agent.conversation.listener_events import ConversationOpened, Heard, ListenerCame, TimePassed
from agent.conversation.machine import Conversation
from agent.conversation.meter import FREE, Tariffs
from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.conversation.transcript import Line
from agent.conversation.turns import Floor

WALL_TIME_MS = 1_700_000_000_000

type Converse = Callable[..., Talk]


def speech(ms: int) -> bytes:
    """So much audio as the model sends it: 24 kHz, int16."""
    return b"\x00\x10" * (24 * ms)


def audio(session: int) -> ModelEvent:
    """The session sends 100 ms of speech."""
    return ReplyAudio(session, speech(100))


def lost(session: int) -> ModelEvent:
    """The session's connection breaks."""
    return SessionLost(session, 1006, "reset")


def of[T](kind: type[T], commands: list[ConversationCommand]) -> list[T]:
    return [command for command in commands if isinstance(command, kind)]


def texts(lines: tuple[Line, ...]) -> list[str]:
    return [line.heard for line in lines]


class Talk:
    """Remembers every command, and which session the last `OpenModel` asked for."""

    def __init__(
        self,
        checkpoint: Checkpoint | None,
        lines: Iterable[Line],
        seed: int,
        *,
        has_fallback: bool = False,
        persona: Persona = DEFAULT_PERSONA,
        tariffs: Tariffs = FREE,
    ) -> None:
        self.conversation = Conversation(
            persona=persona,
            seed=seed,
            wall_time_ms=WALL_TIME_MS,
            checkpoint=checkpoint,
            lines=lines,
            has_fallback=has_fallback,
            tariffs=tariffs,
        )
        self.now_ms = 0
        self.session = 0
        self.commands: list[ConversationCommand] = []
        self.happens(ConversationOpened())

    def happens(self, event: ConversationEvent) -> list[ConversationCommand]:
        return self.does(self.conversation.step(event, self.now_ms))

    def does(self, commands: list[ConversationCommand]) -> list[ConversationCommand]:
        self.commands += commands
        for command in commands:
            if isinstance(command, OpenModel):
                self.session = command.session
        return commands

    def answer(self, epoch: int = 1) -> list[ConversationCommand]:
        return self.happens(ListenerCame(epoch))

    def tells(self, *events: Callable[[int], ModelEvent]) -> list[ConversationCommand]:
        """The model's present session tells these, at once; what all of them led to."""
        return [command for event in events for command in self.happens(event(self.session))]

    def ready(self) -> list[ConversationCommand]:
        return self.tells(SessionReady)

    def replies(self, text: str, ms: int = 1000) -> list[ConversationCommand]:
        """A whole reply with its text ahead; the turn stays open."""
        return self.tells(
            lambda session: AgentSaid(session, text),
            lambda session: ReplyAudio(session, speech(ms)),
            GenerationComplete,
        )

    def says(self, text: str) -> list[ConversationCommand]:
        """The caller's words are transcribed."""
        return self.tells(lambda session: CallerSaid(session, text))

    def exchange(self, question: str, answer: str, reply: int, handle: str) -> None:
        """A whole turn, heard to its end, with the handle that comes after it."""
        self.now_ms += 2_000
        self.says(question)
        self.now_ms += 1_000
        self.replies(answer)
        self.tells(TurnComplete)
        self.hears_all(reply)
        self.hands_out(handle)
        self.now_ms += 10_000

    def refused(self, code: int) -> list[ConversationCommand]:
        """The session that is being opened is refused."""
        return self.tells(lambda session: SessionRefused(session, code, ""))

    def hands_out(self, handle: str) -> list[ConversationCommand]:
        return self.tells(lambda session: HandleUpdated(session, handle, resumable=True))

    def hears(self, reply: int, ms: float) -> list[ConversationCommand]:
        """The listener has heard so much of a reply that has not ended."""
        return self.happens(Heard(reply, ms))

    def hears_all(self, reply: int, ms: float = 1000) -> list[ConversationCommand]:
        return self.happens(Heard(reply, ms, ended=True))

    def wait(self, ms: int) -> list[ConversationCommand]:
        """Let time pass, with a tick at each deadline on the way."""
        until_ms = self.now_ms + ms
        done: list[ConversationCommand] = []
        while (at_ms := self.conversation.deadline_ms()) is not None and at_ms <= until_ms:
            self.now_ms = max(self.now_ms, at_ms)
            done += self.happens(TimePassed())
        self.now_ms = until_ms
        return done

    def greets(self) -> None:
        """From the beginning to a greeting (reply 1) that was heard, its turn closed."""
        self.answer()
        self.ready()
        self.replies("Hello, this is Ada.")
        self.hears_all(1)
        self.tells(TurnComplete)

    @property
    def floor(self) -> Floor:
        return self.conversation.floor

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """What was stored: role, text, heard."""
        stored = [c.line for c in self.commands if isinstance(c, AppendLine)]
        return [(line.role, line.text, line.heard) for line in stored]

    @property
    def cues(self) -> list[str]:
        return [c.text for c in self.commands if isinstance(c, SayToModel)]

    @property
    def opened(self) -> OpenModel:
        """The last dial."""
        return next(c for c in reversed(self.commands) if isinstance(c, OpenModel))

    @property
    def checkpoint(self) -> Checkpoint:
        """The last one saved."""
        saved = (c for c in reversed(self.commands) if isinstance(c, SaveCheckpoint))
        return next(saved).checkpoint


@pytest.fixture
def converse() -> Converse:
    """Opens conversations."""

    def begin(
        checkpoint: Checkpoint | None = None, lines: Iterable[Line] = (), seed: int = 1
    ) -> Talk:
        return Talk(checkpoint, lines, seed)

    return begin


@pytest.fixture
def talk(converse: Converse) -> Talk:
    """A new conversation; the model is being dialled, nobody listens yet."""
    return converse()


@pytest.fixture
def greeted(talk: Talk) -> Talk:
    """A conversation whose greeting was given; the caller has the floor."""
    talk.greets()
    return talk
