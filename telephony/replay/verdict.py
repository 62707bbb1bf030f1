"""Replays and judges one recording. A verdict is what `offhook replay` knows about it."""

import math
import shlex
from difflib import unified_diff
from pathlib import Path
from time import process_time

import msgspec

from telephony.errors import RecordingError
from telephony.replay.expectation import Outcome, broken, outcome
from telephony.replay.player import Difference, Played, difference, play
from telephony.replay.reader import read, read_golden
from telephony.replay.recording import Recording, golden_text, write_golden
from telephony.replay.timeline import Timeline, timeline


class Options(msgspec.Struct, frozen=True):
    """How to replay.

    Args:
        update: Write the expected commands anew.
        partial: Accept recordings that were cut off.
        repeat: How often to replay each; the hash must be the same every time.
        tell: Whether to make the timeline.
    """

    update: bool = False
    partial: bool = False
    repeat: int = 1
    tell: bool = False


class Verdict(msgspec.Struct):
    """The result for one recording.

    Args:
        path: Its folder, as it was given.
        passed: Whether all commands are as expected and every expectation is met.
        error: Why it could not be replayed; "" if it was.
        sha256: The hash of all commands; "" if the recording was cut off.
        hashes: How many different hashes the repetitions gave.
        whole: False if the recording was cut off.
        duration_ms: The time from its first event to its last.
        cpu_ms: The CPU time to read, replay and compare it, of the fastest repetition.
        events: How many events it has.
        updated: The lines of `expect.jsonl` that changed, with `-` or `+` in front.
        difference: The first difference, or None.
        broken: The expectations that are not met.
        wire: Whether it had to be replayed on the wire too.
        measured: The figures that may differ on the wire.
        stall_ms: How long the replaying process was delayed at most, on the wire.
        bug: The exception that the call raised; "" if none.
        outcome: The figures of the call.
        timeline: The timeline of the call, if wanted.
    """

    path: str
    passed: bool = False
    error: str = ""
    sha256: str = ""
    hashes: int = 0
    whole: bool = True
    duration_ms: int = 0
    cpu_ms: float = 0.0
    events: int = 0
    updated: list[str] = []
    difference: Difference | None = None
    broken: list[str] = []
    wire: bool = False
    measured: list[str] = []
    stall_ms: int = 0
    bug: str = ""
    outcome: Outcome | None = None
    timeline: Timeline | None = None

    @property
    def reproduce(self) -> str:
        """The command that shows this result again."""
        partial = "" if self.whole else " --partial"
        wire = " --wire" if self.wire else ""
        return f"offhook replay{partial}{wire} {shlex.quote(self.path)}"


def judge(folder: Path, options: Options) -> Verdict:
    """Replay one recording. Problems of the recording are in the verdict, never raised."""
    verdict = Verdict(str(folder))
    try:
        _judge(folder, options, verdict)
    except RecordingError as error:
        verdict.error = str(error)
    return verdict


def _judge(folder: Path, options: Options, verdict: Verdict) -> None:
    began_s = process_time()
    recording = read(folder, partial=options.partial)
    golden = None if options.update else read_golden(folder, partial=options.partial)
    read_s = process_time() - began_s
    verdict.whole, verdict.events = recording.whole, len(recording.events)
    verdict.duration_ms = recording.duration_ms
    hashes, fastest_s = set(), math.inf
    for _ in range(options.repeat):
        began_s = process_time()
        played = play(recording.events, whole=recording.whole)
        hashes.add(played.sha256)
        if golden is not None and verdict.difference is None:
            verdict.difference = difference(golden, played)
        fastest_s = min(fastest_s, process_time() - began_s)
    verdict.cpu_ms = 1000 * (read_s + fastest_s)
    verdict.sha256, verdict.hashes, verdict.bug = played.sha256, len(hashes), played.bug
    verdict.outcome = _outcome(recording, played)
    expected: msgspec.Struct | None = recording.header.expect
    if expected is not None and recording.whole:
        verdict.broken = broken(expected, verdict.outcome)
    if options.update and not played.bug:
        verdict.updated = _update(folder, played)
    if options.tell:
        verdict.timeline = timeline(played.steps)
    wrong = verdict.difference or verdict.broken or verdict.bug or verdict.hashes != 1
    verdict.passed = not wrong


def _outcome(recording: Recording, played: Played) -> Outcome:
    commands = (command for step in played.steps for command in step.commands)
    return outcome(commands, recording.opened.persona)


def _update(folder: Path, played: Played) -> list[str]:
    """Write the expected commands anew. Returns the changed lines, without context."""
    old = golden_text(folder)
    new = [line.decode() for line in played.lines]
    if old != new:
        write_golden(folder, played.lines)
    diff = unified_diff(old, new, n=0)
    return [line.rstrip("\n") for line in diff if line[:3] not in {"---", "+++", "@@ "}]
