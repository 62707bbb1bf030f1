"""Runs functions that may block, or never return, each in a thread of its own.

A thread cannot be stopped. One that is not waited for any more runs on, and ends with the process.

A function that computes holds the interpreter, and the loop that serves all calls lets go of it at
each of its writes to a socket. Python takes it away from a thread only after its switch interval,
5 ms by default: so some writes cost a sound that is due 30 ms.

Source: Python 3.13, `sys.setswitchinterval`; row 44 of `make faults`.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

MOST = 64
"""How many may run at once in a process."""


SWITCH_INTERVAL_S = 0.0005
"""After how long a thread that computes lets the loop go on."""


class TooMany(Exception):  # noqa: N818 - what it is, not that it is an error
    """As many threads as there may be are running, or hang."""


_running = threading.BoundedSemaphore(MOST)


async def in_thread[T](work: Callable[[], T]) -> T:
    """Run `work`, and return what it returns. May be cancelled; the thread then runs on.

    Raises:
        TooMany: It was not begun.
        Exception: `work` raised it.
    """
    if not _running.acquire(blocking=False):
        raise TooMany
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[], None]) -> None:
        if not future.done():
            settle()

    def run() -> None:
        settle: Callable[[], None]
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - it is raised again where it is waited for
            error = raised
            settle = partial(future.set_exception, error)
        else:
            settle = partial(future.set_result, result)
        finally:
            _running.release()
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(tell, settle)

    threading.Thread(target=run, name="tool", daemon=True).start()
    return await future
