"""Ctrl-C during a simulated call: the caller hangs up, so that a report can be printed.

resource        acquired and released
signal handler  `interruptible`
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WHAT_NEXT = "the caller hangs up; press Ctrl-C again to stop at once"


@contextmanager
def interruptible(tell: Callable[[str], None]) -> Iterator[asyncio.Event]:
    """While the block runs, Ctrl-C sets the yielded event, and a second one cancels the block.

    Args:
        tell: Called at the first Ctrl-C, with a message that says what a second one does.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed. It is raised after the block has ended.
    """
    loop, task, interrupted = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def interrupt() -> None:
        if interrupted.is_set() and task is not None:
            task.cancel()
        else:
            tell(WHAT_NEXT)
            interrupted.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield interrupted
    except asyncio.CancelledError:
        if interrupted.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)
    if interrupted.is_set():
        raise KeyboardInterrupt
