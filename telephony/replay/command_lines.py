"""Commands as lines of `expect.jsonl`: a replayed call must give exactly these, in this order.

    {"cmd":"SendMark","step":31,"t":812,"stream_sid":"MZ1","name":"r1:1"}
    {"cmd":"SendCallerAudio","step":31,"t":812,"session":1,"pcm":"31998:3fa85f64c1d2e3f4",
     "steps":"1*49","sizes":"640*50"}

`step` is the number of the event that led to the command, counted from 0. Audio is given by its
length and the beginning of its SHA-256. Consecutive commands with caller audio share one line:
`steps` holds the number of events between them, and `sizes` the bytes of each. The last line has
the hash of all lines before it, so one hash stands for everything that a call does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import msgspec

from agent.conversation.commands import SendCallerAudio
from telephony.call.commands import Command, MeasureCommand, SendMedia
from telephony.replay.codec import COMMANDS, Codec
from telephony.replay.counts import pack

RUN_LIMIT = 50
"""The most commands in one line: a second of speech, so that a difference is found that exactly."""


class Sum(msgspec.Struct, tag="Sum", tag_field="cmd", forbid_unknown_fields=True):
    """The last line. `sha256` is over all lines before it, with their ends."""

    commands: int
    sha256: str


CODEC: Codec[Command] = Codec(
    COMMANDS,
    "cmd",
    [("step", int), ("t", int)],
    {SendCallerAudio: [("steps", str, ""), ("sizes", str, "")]},
    Sum,
)


@dataclass(slots=True)
class _Run:
    first: SendCallerAudio
    step: int
    t: int
    last_step: int
    pcm: list[bytes] = field(default_factory=list)
    between: list[int] = field(default_factory=list)

    def goes_on_with(self, command: SendCallerAudio) -> bool:
        return (
            len(self.pcm) < RUN_LIMIT
            and command.session == self.first.session
            and command.live == self.first.live
        )


class CommandLines:
    """Writes the commands of one step after another."""

    def __init__(self) -> None:
        self._run: _Run | None = None
        self._lines: list[bytes] = []
        self._hash = sha256()
        self._commands = 0

    def add(self, step: int, now_ms: int, commands: Sequence[Command]) -> None:
        """Add all commands of a step that are recorded."""
        for command in commands:
            if isinstance(command, MeasureCommand):
                continue
            self._commands += 1
            if isinstance(command, SendCallerAudio):
                self._caller_audio(command, step, now_ms)
            else:
                self._close_run()
                audio = digest(command.ulaw) if isinstance(command, SendMedia) else ""
                self._write(CODEC.line(command, audio, step=step, t=now_ms))

    def end(self) -> str:
        """Write the last line. Returns the hash of all lines before it."""
        self._close_run()
        total = self._hash.hexdigest()
        self._lines.append(msgspec.json.encode(Sum(self._commands, total)) + b"\n")
        return total

    def take(self) -> list[bytes]:
        """The lines that have become complete since the last call of `take`."""
        lines, self._lines = self._lines, []
        return lines

    def _caller_audio(self, command: SendCallerAudio, step: int, now_ms: int) -> None:
        run = self._run
        if run is None or not run.goes_on_with(command):
            self._close_run()
            run = self._run = _Run(command, step, now_ms, step)
        else:
            run.between.append(step - run.last_step)
            run.last_step = step
        run.pcm.append(command.pcm)

    def _close_run(self) -> None:
        if (run := self._run) is None:
            return
        self._run = None
        more = {"steps": pack(run.between), "sizes": pack(map(len, run.pcm))}
        self._write(
            CODEC.line(
                run.first,
                digest(b"".join(run.pcm)),
                step=run.step,
                t=run.t,
                **(more if run.between else {}),
            )
        )

    def _write(self, line: bytes) -> None:
        self._hash.update(line)
        self._lines.append(line)


def digest(audio: bytes) -> str:
    """Describe audio by its length in bytes and its hash."""
    return f"{len(audio)}:{sha256(audio).hexdigest()[:16]}"
