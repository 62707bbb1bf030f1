"""Replays many recordings at once, each by itself and then on the wire, and judges them.

watching task   acquired and released: `_carry_all`
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import uvloop

from telephony.errors import RecordingError
from telephony.replay import verdict as replayed
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.recording import Recording, Step
from telephony.replay.verdict import Options, Verdict
from telephony.server.app import settle_garbage_collector
from telephony.wire_replay.carried import Carried, of_commands
from telephony.wire_replay.compare import differences, measured
from telephony.wire_replay.cues import Cues, cues
from telephony.wire_replay.run import run

AT_ONCE = 10
"""How many calls are replayed at once. This works because most of the time they wait."""

LOOK_EVERY_S = 0.01


@dataclass(slots=True)
class _Replay:
    """One recording on the wire. `stall_ms` is how late the process was meanwhile, at most."""

    verdict: Verdict
    recording: Recording
    steps: Sequence[Step]
    said: Cues
    got: Carried = field(default_factory=Carried)
    stall_ms: float = 0.0


def judge_all(folders: Sequence[Path], options: Options, jobs: int) -> Iterator[Verdict]:
    """Replay recordings, several at a time. Problems of a recording are in its verdict.

    The wire is compared with what the call does, so a call is replayed by itself first. It goes on
    the wire only if it passes.
    """
    verdicts = [replayed.judge(folder, options) for folder in folders]
    replays = [replay for verdict in verdicts if (replay := _prepared(verdict)) is not None]
    replays.sort(key=_length_ms, reverse=True)  # so that nothing waits for a long one at the end
    if replays:
        with _quiet(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_carry_all(replays, jobs))
    for replay in replays:
        expected = of_commands(replay.steps)
        replay.verdict.broken = differences(expected, replay.got)
        replay.verdict.measured = measured(expected, replay.got)
        replay.verdict.stall_ms = round(replay.stall_ms)
        replay.verdict.passed = not replay.verdict.broken
    yield from verdicts


def _prepared(verdict: Verdict) -> _Replay | None:
    """The replay for the wire; None if it is not possible, and then the verdict says why."""
    verdict.wire = True
    if not verdict.passed:
        return None
    recording = read(Path(verdict.path))
    steps = play(recording.events).steps
    try:
        return _Replay(verdict, recording, steps, cues(recording, steps))
    except RecordingError as error:
        verdict.passed, verdict.error = False, str(error)
        return None


def _length_ms(replay: _Replay) -> int:
    return replay.recording.events[-1][1]


async def _carry_all(replays: Sequence[_Replay], jobs: int) -> None:
    """Make all servers first, because that delays everything else in the process."""
    made, free = asyncio.Barrier(len(replays)), asyncio.Semaphore(jobs)
    under_way: list[_Replay] = []

    @asynccontextmanager
    async def turn(replay: _Replay) -> AsyncIterator[None]:
        if await made.wait() == 0:  # one of all
            settle_garbage_collector()
        async with free:
            under_way.append(replay)
            yield
            under_way.remove(replay)

    async def carry(replay: _Replay) -> None:
        replay.got = await run(replay.recording, replay.said, turn(replay))

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(under_way))
        async with asyncio.TaskGroup() as carrying:
            for replay in replays:
                carrying.create_task(carry(replay))
        watching.cancel()


async def _watch(under_way: Sequence[_Replay]) -> None:
    """Measure how late this process is, which delays both ends and the server."""
    clock = asyncio.get_running_loop().time
    while True:
        due_s, seen = clock() + LOOK_EVERY_S, list(under_way)
        await asyncio.sleep(LOOK_EVERY_S)
        for replay in seen:
            replay.stall_ms = max(replay.stall_ms, 1000 * (clock() - due_s))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the server's log, which the command does not print."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
