"""Runs an asynchronous command on uvloop, until it ends or Ctrl-C comes."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as in shells."""


def run[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result. Ctrl-C ends the process with `INTERRUPTED`."""
    import uvloop

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
