"""What one 20 ms frame of a caller costs in the middle of a call, in µs of CPU. Prints it.

    python tests/benchmarks/bench_hot_path.py

`step` and `deadline_ms` are the machine's; the observers are the server's log and metrics. The sum
is what the driver does: it leaves deadlines alone after a plain frame, if it knows how to. The file
runs on an older commit of the project, too, to be compared there in the same run.
"""

# ruff: noqa: T201 -- printing is what a benchmark is for

import dataclasses
import importlib
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from random import Random
from statistics import median
from time import process_time_ns
from timeit import repeat
from typing import Any

import msgspec

from agent.conversation.commands import SendCallerAudio
from agent.conversation.events import GenerationComplete, ReplyAudio, SessionReady, TurnComplete
from agent.conversation.persona import DEFAULT_PERSONA
from telephony.audio import g711
from telephony.call.commands import Command, SendMark
from telephony.call.events import CallOpened, Event, StreamStarted, Tick
from telephony.call.machine import Call
from telephony.server import driver
from telephony.server.metrics import Metrics
from telephony.server.narrator import Narrator
from telephony.twilio.messages import Mark, Media

FRAME_MS = 20
FRAMES = 2_000
ROUNDS = 7

SILENCE = b"\xff" * 160
VOICE = g711.encode(
    b"".join(
        Random(n).randint(-9_000, 9_000).to_bytes(2, "little", signed=True) for n in range(160)
    )
)

type Show = Callable[[Event, int, Sequence[Command]], None]


class Line:
    """A call on a line whose marks come back when their audio was played."""

    def __init__(self) -> None:
        opened = CallOpened("CA1", 1, 0, DEFAULT_PERSONA)
        self.call = Call(opened)
        self.now_ms = 0
        self._marks: list[tuple[int, str]] = []
        self._played_ms = 0
        self.step(opened)
        self.step(StreamStarted("MZ1", 1))
        self.step(SessionReady(1))

    def step(self, event: Event) -> Sequence[Command]:
        commands = self.call.step(event, self.now_ms)
        for command in commands:
            if (ulaw := getattr(command, "ulaw", None)) is not None:
                self._played_ms = max(self._played_ms, self.now_ms) + len(ulaw) // 8
            elif isinstance(command, SendMark):
                self._marks.append((self._played_ms, command.name))
        return commands

    def frame(self, ulaw: bytes) -> Media:
        """The next frame, once all that is due before it has happened."""
        self.now_ms += FRAME_MS
        while self._marks and self._marks[0][0] <= self.now_ms:
            self.step(Mark("MZ1", self._marks.pop(0)[1]))
        due_ms = self.call.deadline_ms()
        if due_ms is not None and due_ms <= self.now_ms:
            self.step(Tick())
        return Media("MZ1", ulaw, self.now_ms)

    def replies(self, seconds: int) -> None:
        self.step(ReplyAudio(1, b"\x00\x10\x00\xf0" * 12_000 * seconds))
        self.step(GenerationComplete(1))
        self.step(TurnComplete(1))


def observers() -> Show:
    """As the driver shows a step to the log and the metrics."""
    watching: list[Any] = [Metrics(), *_narrating()]
    try:
        module = importlib.import_module("telephony.server.observers")
    except ImportError:

        def show_all(event: Event, now_ms: int, commands: Sequence[Command]) -> None:
            for observe in watching:
                observe("CA1", event, now_ms, commands)

        return show_all
    show: Show = module.Observers("CA1", watching, lambda _: None).show
    return show


def _narrating() -> list[Any]:
    """Who writes the log, and who measures for it, where that is somebody else."""
    narrator: Any = Narrator
    if not find_spec("telephony.server.measuring"):
        return [narrator()]
    measuring = importlib.import_module("telephony.server.measuring").Measuring()
    measuring.begin("CA1")
    return [measuring, narrator(measuring)]


def measured(ulaw: bytes, *, playing: bool) -> tuple[float, float, float]:
    """µs of `step`, `deadline_ms` and the observers, for the median frame of one round."""
    line, show = Line(), observers()
    line.replies(1)
    steps, deadlines, shows = [], [], []
    for n in range(FRAMES):
        if playing and n % 500 == 0:
            line.replies(11)
        event = line.frame(ulaw if n % 25 < 15 else SILENCE)
        began = process_time_ns()
        commands = line.call.step(event, line.now_ms)
        stepped = process_time_ns()
        line.call.deadline_ms()
        looked = process_time_ns()
        show(event, line.now_ms, commands)
        shown = process_time_ns()
        for command in commands:
            if isinstance(command, SendMark):
                line._marks.append((line._played_ms, command.name))
        steps.append(stepped - began)
        deadlines.append(looked - stepped)
        shows.append(shown - looked)
    return median(steps) / 1000, median(deadlines) / 1000, median(shows) / 1000


def main() -> None:
    """Measure and print."""
    looks = not (hasattr(driver, "_plain") or find_spec("telephony.call.plain_frame"))
    print("one frame, µs of CPU (median)      step  deadline_ms  observers    all")
    for name, ulaw, playing in (
        ("idle", SILENCE, False),
        ("the caller speaks", VOICE, False),
        ("the agent is heard", SILENCE, True),
    ):
        rounds = [measured(ulaw, playing=playing) for _ in range(ROUNDS)]
        step, deadline, shown = (median(each) for each in zip(*rounds, strict=True))
        total = step + shown + (deadline if looks else 0)
        print(f"{name:32} {step:6.1f} {deadline:12.1f} {shown:10.1f} {total:6.1f}")
    creations()


def creations() -> None:
    """Print what it costs to make an event or a command, and the same as a frozen struct."""
    own = "agent.conversation.listener_events"
    told: Any = importlib.import_module(own if find_spec(own) else "agent.conversation.events")
    print("made once, µs (least)      dataclass  struct")
    for kind, values in (
        (Media, ("MZ1", SILENCE, 20)),
        (SendCallerAudio, (1, SILENCE)),
        (told.CallerSpoke, (20.0,)),
        (told.Heard, (1, 20.0, 40.0)),
    ):
        fields = [(each.name, Any) for each in dataclasses.fields(kind)][: len(values)]
        struct = msgspec.defstruct(kind.__name__, fields, frozen=True)
        each = [
            min(repeat(partial(made, *values), number=10_000, repeat=20)) * 100
            for made in (kind, struct)
        ]
        print(f"{kind.__name__:25} {each[0]:10.2f} {each[1]:7.2f}")


if __name__ == "__main__":
    main()
