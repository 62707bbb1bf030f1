"""Watches from a thread whether the event loop still runs, because nothing on the loop can.

A stuck loop makes every call of the process silent, and still holds them, so no other worker can
take them over properly. After 5 s the process ends at once, and its calls go on elsewhere like
those of any lost worker. A shorter stall only logs the place in the code: Twilio has 600 ms of
speech in its buffer.

thread   started and stopped: `watched`
"""

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

LOOK_EVERY_S = 0.05
STALL_S = 0.1
LIMIT_S = 5.0

EXIT_CODE = 70
"""The exit code of a process with a stuck loop: EX_SOFTWARE of sysexits.h."""

LAST_WORDS_S = 0.2
"""How long to wait for the log, which may be stuck for the same reason as the loop."""

FRAMES = 12
"""How many of the innermost stack frames are logged."""

log = structlog.get_logger(__name__)


class Watchdog:
    """Asks the loop for a sign of life, and counts how long it does not answer.

    Time in which the watchdog itself did not run does not count, because then the whole process
    was stopped or got no CPU time.

    Args:
        loop: The loop to watch; it runs in the thread that makes this object.
        end: Called when the loop has been stuck for too long.
        tell: Called with a log event, how long the loop has been stuck, and its thread's stack.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        end: Callable[[], object],
        tell: Callable[[str, int, list[str]], object],
    ) -> None:
        self._loop, self._end, self._tell = loop, end, tell
        self._thread_id = threading.get_ident()
        self._answered = threading.Event()
        self._answered.set()
        self._told = False
        self._stuck_s = 0.0

    def look(self, since_s: float) -> None:
        """Check the loop once. Call this every `LOOK_EVERY_S`.

        Args:
            since_s: The time since the last call.
        """
        if self._answered.is_set():
            if self._told:
                self._tell("event loop goes on", int(self._stuck_s * 1000), [])
            self._told, self._stuck_s = False, 0.0
            self._answered.clear()
            self._loop.call_soon_threadsafe(self._answered.set)
            return
        self._stuck_s += min(since_s, 2 * LOOK_EVERY_S)
        if self._stuck_s >= LIMIT_S:
            self._tell("event loop is stuck: this process ends", *self._where())
            self._end()
        elif self._stuck_s >= STALL_S and not self._told:
            self._told = True
            self._tell("event loop is stuck", *self._where())

    def _where(self) -> tuple[int, list[str]]:
        frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 - documented, and the only way
        stack = traceback.extract_stack(frame)[-FRAMES:]
        return int(self._stuck_s * 1000), [f"{at.filename}:{at.lineno} {at.name}" for at in stack]


@contextmanager
def watched(
    loop: asyncio.AbstractEventLoop, stalled: Callable[[float], None] = lambda _: None
) -> Iterator[None]:
    """Watch the loop in this block. The process ends if it is stuck for `LIMIT_S`.

    Args:
        loop: The loop.
        stalled: Called by the thread after each stall, with how long it was, in s.
    """

    def tell(event: str, stuck_ms: int, stack: list[str]) -> None:
        _tell(event, stuck_ms, stack)
        if not stack:  # it goes on
            stalled(stuck_ms / 1000)

    watchdog = Watchdog(loop, end=lambda: os._exit(EXIT_CODE), tell=tell)
    stop = threading.Event()

    def look() -> None:
        before_s = time.monotonic()
        while not stop.wait(LOOK_EVERY_S):
            now_s = time.monotonic()
            watchdog.look(now_s - before_s)
            before_s = now_s

    thread = threading.Thread(target=look, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _tell(event: str, stuck_ms: int, stack: list[str]) -> None:
    def write() -> None:
        log.warning(event, stuck_ms=stuck_ms, stack=stack)

    telling = threading.Thread(target=write, daemon=True)
    telling.start()
    telling.join(LAST_WORDS_S)
