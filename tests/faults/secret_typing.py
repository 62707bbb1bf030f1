"""A caller who types in secret, call after call, in virtual time: with the server's own observers.

The parts of a worker are the real ones where digits could be seen: the vault, the call, and all who
are shown its steps (the recorder, the log's narrator, the metrics). Model, store and tool are
played here. Outside of an entry the line carries silence, and in it voice and the tones of keys; so
whatever sound is in a recording, or on its way to the model, is of an entry.
"""

import io
import logging
import re
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import structlog

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import (
    AppendLine,
    OpenModel,
    RunTool,
    SaveCheckpoint,
    SayToModel,
    SendCallerAudio,
    SendToolResult,
)
from agent.conversation.declaration import Tool
from agent.conversation.events import GenerationComplete, ReplyAudio, SessionReady, TurnComplete
from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.secret_digits import SecureEntry
from agent.conversation.tool_events import ActsStored, ToolCalled, ToolFinished
from agent.conversation.transcript import Line
from agent.simulator.voice import CALLER_RATE_HZ, clip
from telephony.audio.formats import FRAME_MS, FRAME_SAMPLES, ULAW_SILENCE
from telephony.audio.g711 import encode
from telephony.call.commands import Command, SendMark
from telephony.call.events import CallOpened, Event, LinesStored, StreamEnded, StreamStarted, Tick
from telephony.call.machine import Call
from telephony.call.vault import Vault
from telephony.replay.recorder import Recorder
from telephony.server.measuring import Measuring
from telephony.server.metrics import Metrics
from telephony.server.narrator import Narrator
from telephony.server.observers import Observers
from telephony.simulator.keys import key_tone
from telephony.twilio.messages import Dtmf, Mark, Media

LENGTH = 16
WINDOW = 12
"""So many digits of a number, in a row, are no coincidence."""

ENTRIES_A_CALL = 10
WALL_MS = 1_795_000_000_000

CARD = SecureEntry("card", "Please type the number of your card.", LENGTH, LENGTH)
CHARGE = Tool(
    "charge",
    "Charges a card.",
    '{"properties":{"cents":{"type":"integer"}},"required":["cents"],"type":"object"}',
    secure=(CARD,),
)
PERSONA = replace(DEFAULT_PERSONA, on_keys="tell", tools=(CHARGE,))
SPEECH = b"\x00\x10" * (24 * 200)


@dataclass(slots=True)
class Seen:
    """What was found of what was typed, by where."""

    entries: int = 0
    wrong: int = 0
    heard: int = 0
    forwarded: int = 0
    found: dict[str, int] = field(default_factory=dict)

    def note(self, where: str, text: str, numbers: Sequence[str]) -> None:
        """Look for digits in a text: as they are, in groups, and one key after the other."""
        close = re.sub(r"[\s.-]", "", text)
        keys = "".join(re.findall(r"digit['\"]?[:=] ?['\"]?([0-9])['\"]", text))
        windows = {n[at : at + WINDOW] for n in numbers for at in range(len(n) - WINDOW + 1)}
        hits = sum(window in close or window in keys for window in windows)
        self.found[where] = self.found.get(where, 0) + hits


def lived(seed: int, entries: int = ENTRIES_A_CALL) -> Seen:
    """One call with so many entries; what of them was seen anywhere."""
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, logged() as log:
        metrics = Metrics()
        with Recorder(Path(folder)) as recorder:
            caller = Caller(seed, [recorder, Narrator(Measuring()), metrics], seen)
            caller.comes()
            for n in range(entries):
                caller.types(n)
            caller.leaves()
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        recorded = [path.read_bytes().decode("latin-1") for path in files]
        seen.heard += sum(path.suffix == ".ulaw" and path.stat().st_size > 0 for path in files)
    artefacts = {
        "recordings": "\n".join(recorded),
        "log": log.getvalue(),
        "metrics": metrics.render().decode(),
        "store": "\n".join(
            [kept.to_json() for kept in caller.kept] + list(map(repr, caller.lines))
        ),
        "the model's frames": "\n".join(caller.to_model),
        "a dump of all steps": "\n".join(caller.dump),
    }
    for where, text in artefacts.items():
        seen.note(where, text, caller.numbers)
    return seen


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Everything that is logged, in a text."""
    text = io.StringIO()
    before, handler = structlog.get_config(), logging.StreamHandler(text)
    structlog.configure(
        processors=[structlog.processors.JSONRenderer(default=repr)],
        logger_factory=structlog.PrintLoggerFactory(text),
        cache_logger_on_first_use=False,
    )
    logging.getLogger().addHandler(handler)
    try:
        yield text
    finally:
        logging.getLogger().removeHandler(handler)
        structlog.configure(**before)


class Caller:
    """One call, its workers, and everybody whom it talks to."""

    def __init__(self, seed: int, observers: Sequence[object], seen: Seen) -> None:
        self.numbers: list[str] = []
        self.kept: list[Checkpoint] = []
        self.lines: list[Line] = []
        self.to_model: list[str] = []
        self.dump: list[str] = []
        self._random = Random(seed)
        self._sid = f"CA{seed:032x}"
        self._seen = seen
        self._observers = Observers(self._sid, observers, lambda _: None)  # type: ignore[arg-type]  # they are observers
        self._now_ms = self._opened_ms = 0
        self._said_ms = 0
        self._streams = self._calls = self._acts = 0
        self._hidden = False
        self._typed: list[str] = []
        self._voice = encode(clip("caller/order", CALLER_RATE_HZ).pcm)
        self._open()

    def comes(self) -> None:
        """The caller is on the line, and is greeted."""
        self._stream()
        self._wait(1_500)

    def types(self, n: int) -> None:
        """The model wants a card, and gets it, or the caller or the line does something else."""
        number = "".join(self._random.choices("0123456789", k=LENGTH))
        self.numbers.append(number)
        self._seen.entries += 1
        runs = len(self._typed)
        self._feed(ToolCalled(self._session, f"call-{n}", "charge", f'{{"cents":{n}}}'))
        self._wait(self._random.randint(0, 900))
        what = self._random.choice(
            ("plain", "plain", "plain", "few", "star", "lost", "dead", "long")
        )
        half = self._random.randint(2, LENGTH - 2)
        match what:
            case "few":
                self._press(number[:half] + "#")
                self._wait(self._random.randint(500, 3_000))
            case "star":
                self._press(number[:half] + "*")
            case "lost" | "dead":
                self._press(number[:half])
                self._lose(dies=what == "dead")
                self._wait(900)
            case _:
                pass
        if what != "star":
            self._press(number + ("#77" if what == "long" else ""))
        self._wait(1_500)
        got = self._typed[runs:]
        self._seen.wrong += got != ([] if what == "star" else [number])

    def leaves(self) -> None:
        """The caller hangs up."""
        self._feed(StreamEnded(self._stream_sid, "close"))
        self._wait(11_000, sound=False)

    # The worker.

    def _open(self) -> None:
        self._opened_ms = self._now_ms
        self._vault, self._queue = Vault(), deque[Event]()
        kept = self.kept[-1] if self.kept else None
        wall_ms = WALL_MS + self._now_ms
        opened = CallOpened(self._sid, 7, wall_ms, PERSONA, kept, tuple(self.lines))
        self._call = Call(opened)
        self._hidden, self._session = False, 0
        self._feed(opened)

    def _stream(self) -> None:
        self._streams += 1
        self._stream_sid, self._said_ms = f"MZ{self._streams:032x}", 0
        self._feed(StreamStarted(self._stream_sid, self._streams))

    def _lose(self, *, dies: bool) -> None:
        if dies:
            self._open()
        else:
            self._feed(StreamEnded(self._stream_sid, "broken"))
        self._wait(self._random.randint(300, 900), sound=False)
        self._stream()

    def _feed(self, event: Event) -> None:
        self._queue.append(event)
        while self._queue:
            event = self._queue.popleft()
            if (admitted := self._vault.admits(event)) is not None:
                self._step(admitted)

    def _step(self, event: Event) -> None:
        now_ms = self._now_ms - self._opened_ms
        hidden = self._hidden
        commands = self._call.step(event, now_ms)
        self._observers.show(event, now_ms, commands)
        self.dump.append(repr((event, commands)) if not isinstance(event, Media) else "Media")
        self._seen.heard += hidden and isinstance(event, Media)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case HideCaller() | ShowCaller() | ForgetKeys():
                self._vault.does(command)
                if not isinstance(command, ForgetKeys):
                    self._hidden = isinstance(command, HideCaller)
            case SendCallerAudio(pcm=pcm):
                self._seen.forwarded += self._hidden or any(pcm)
            case OpenModel(session):
                self._session = session
                self._queue.append(SessionReady(session))
            case SayToModel() | SendToolResult():
                self.to_model.append(repr(command))
                session = command.session
                reply = ReplyAudio(session, SPEECH), GenerationComplete(session)
                self._queue.extend((*reply, TurnComplete(session)))
            case SendMark(stream_sid, name):
                self._queue.append(Mark(stream_sid, name))
            case RunTool(call, name, _):
                self._typed += [each.reveal() for each in self._vault.take(name).values()]
                self._queue.append(ToolFinished(call, "ok", '{"paid": true}'))
            case AppendLine(line):
                self.lines.append(line)
                self._queue.append(LinesStored(line.n))
            case SaveCheckpoint(checkpoint):
                self.kept.append(Checkpoint.from_json(checkpoint.to_json()))
                if checkpoint.acts > self._acts:
                    self._acts = checkpoint.acts
                    self._queue.append(ActsStored(checkpoint.acts))
            case _:
                pass

    # The line.

    def _press(self, keys: str) -> None:
        for key in keys:
            self._feed(Dtmf(self._stream_sid, key))
            tone = key_tone(key)
            for at in range(0, len(tone), FRAME_SAMPLES):
                self._frame(tone[at : at + FRAME_SAMPLES])
            self._wait(self._random.choice((40, 120, 400)))

    def _frame(self, ulaw: bytes) -> None:
        self._pass(FRAME_MS)
        self._said_ms += FRAME_MS
        said = ulaw if self._hidden else ULAW_SILENCE * FRAME_SAMPLES
        self._feed(Media(self._stream_sid, said, self._said_ms))

    def _wait(self, ms: int, *, sound: bool = True) -> None:
        """Let time pass; a hidden caller talks meanwhile."""
        until_ms = self._now_ms + ms
        while sound and self._now_ms < until_ms:
            at = self._now_ms * 8 % (len(self._voice) - FRAME_SAMPLES)
            self._frame(self._voice[at : at + FRAME_SAMPLES])
        self._pass(until_ms - self._now_ms)

    def _pass(self, ms: int) -> None:
        until_ms = self._now_ms + ms
        while (due_ms := self._call.deadline_ms()) is not None:
            at_ms = max(self._now_ms, self._opened_ms + due_ms)
            if at_ms > until_ms:
                break
            self._now_ms = at_ms
            self._feed(Tick())
            if self._call.deadline_ms() == due_ms:
                self._now_ms += 1
        self._now_ms = max(self._now_ms, until_ms)
