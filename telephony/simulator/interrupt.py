"""Ctrl-C during a simulated call: the caller hangs up, so that there is a report to print.

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
    """While the block runs, Ctrl-C sets the event it gets, and a second one cancels the block.

    Args:
        tell: Is told, at the first, what a second does.

    Raises:
        KeyboardInterrupt: There was a Ctrl-C; raised when the block has ended.
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
