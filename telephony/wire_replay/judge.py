"""One recording, replayed by itself and on the wire, and judged."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import uvloop

from telephony.errors import RecordingError
from telephony.replay import verdict as replayed
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.verdict import Options, Verdict
from telephony.wire_replay.carried import of_commands
from telephony.wire_replay.compare import differences, measured
from telephony.wire_replay.run import run


def judge(folder: Path, options: Options) -> Verdict:
    """Replay one recording. Never raises for what is wrong with it: the verdict says so.

    The wire is held against what the call does; so the call has to pass by itself first, and goes
    on the wire only then.
    """
    verdict = replayed.judge(folder, options)
    verdict.wire = True
    if verdict.passed:
        try:
            _judge(folder, verdict)
        except RecordingError as error:
            verdict.error = str(error)
        verdict.passed = not (verdict.broken or verdict.error)
    return verdict


def _judge(folder: Path, verdict: Verdict) -> None:
    recording = read(folder)
    steps = play(recording.events).steps
    with _quiet(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        got = runner.run(run(recording, steps))
    expected = of_commands(steps)
    verdict.broken = differences(expected, got)
    verdict.measured = measured(expected, got)


@contextmanager
def _quiet() -> Iterator[None]:
    """The server's log is not what the command is asked for."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
