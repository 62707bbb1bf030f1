"""A worker process that reports its events at once, and whose event loop a signal can block.

python -m tests.faults.telling_worker    # with the environment of offhook serve

Each line on standard output is a `Told` in JSON. SIGUSR1 blocks the loop for a moment, SIGUSR2 for
longer than the watchdog allows. With TELL_LAG=1, it reports how late its timers come.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial

import msgspec
import uvloop

from agent.conversation.commands import AppendLine
from agent.conversation.events import SessionReady
from telephony import settings
from telephony.call.commands import Command, EndCall
from telephony.call.events import Event, LinesStored, StoreAway, StreamStarted
from telephony.server.app import serve
from telephony.server.logs import configure

MOMENT_S = 0.5
FOR_EVER_S = 3_600.0
LAG_EVERY_S = 0.01


class Told(msgspec.Struct, frozen=True):
    """One thing that happened in a worker.

    Args:
        at_s: When, by the clock that all processes of a machine share.
        what: `stream`, `session`, `line`, `stored` (up to `n`), `away` (the store), `end` or `lag`.
        call_sid: In which call.
        epoch: Of a stream or a line.
        n: Number of a line.
        said: Its role and text.
        why: Of an end, or of what is away.
        late_us: How late each of the last timers came, in µs.
        worker: The process.
    """

    at_s: float
    what: str
    call_sid: str
    epoch: int = 0
    n: int = 0
    said: tuple[str, str] = ("", "")
    why: str = ""
    worker: int = 0
    late_us: tuple[int, ...] = ()


def observe(call_sid: str, event: Event, now_ms: int, commands: Sequence[Command]) -> None:
    """Tell what matters of a step, before anything else happens."""
    del now_ms
    tell = partial(Told, time.monotonic(), call_sid=call_sid, worker=os.getpid())
    told: list[Told] = []
    match event:
        case StreamStarted(epoch=epoch):
            told.append(tell("stream", epoch=epoch))
        case SessionReady():
            told.append(tell("session"))
        case LinesStored(n=n):
            told.append(tell("stored", n=n))
        case StoreAway(why=why):
            told.append(tell("away", why=why))
        case _:
            pass
    for command in commands:
        match command:
            case AppendLine(line):
                told.append(tell("line", n=line.n, epoch=line.epoch, said=(line.role, line.text)))
            case EndCall(reason):
                told.append(tell("end", why=reason))
            case _:
                pass
    for one in told:
        write(one)


def write(told: Told) -> None:
    """Tell it."""
    os.write(sys.stdout.fileno(), msgspec.json.encode(told) + b"\n")


async def tell_lag() -> None:
    """Tell how late timers come, a hundred at a time."""
    loop = asyncio.get_running_loop()
    while True:
        late_us = []
        for _ in range(100):
            due_s = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            late_us.append(max(0, round((loop.time() - due_s) * 1e6)))
        write(Told(time.monotonic(), "lag", "", worker=os.getpid(), late_us=tuple(late_us)))


async def run() -> None:
    """As `offhook serve`."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, partial(time.sleep, MOMENT_S))
    loop.add_signal_handler(signal.SIGUSR2, partial(time.sleep, FOR_EVER_S))
    async with asyncio.TaskGroup() as tasks:
        lag = tasks.create_task(tell_lag()) if os.environ.get("TELL_LAG") else None
        await serve(settings.load(), observe)
        if lag is not None:
            lag.cancel()


if __name__ == "__main__":
    configure()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
