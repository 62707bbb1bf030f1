"""What concerns the whole process of a command: how it runs and ends, and the threads of numpy."""

import asyncio
import os
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


def one_blas_thread() -> None:
    """Keep numpy to one thread, because our matrices are small. Call this before numpy loads."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
