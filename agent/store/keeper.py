"""Runs a server for as long as the process that asked for it lives. A program of its own.

    python keeper.py LOCK_FD COMMAND...    # standard input: a pipe that nobody writes to

The pipe ends when the process that holds its other end has closed it or is gone, however it ended.
The server is then told to write its data and to exit, and the keeper exits after it. Nothing else
ends the server in good order: it is in a session of its own, where no Ctrl-C of a terminal reaches
it, and SIGTERM, which a service manager sends to all processes of a service at once, waits for ever
in its signal mask. So the server outlives the last write of the process that uses it.

LOCK_FD is handed on to the server: the lock on that file ends with the last of both.

Only the standard library is imported, and the file is run by its path: it starts within 20 ms.
"""

import os
import select
import signal
import subprocess
import sys

STOPS_WITHIN_S = 10.0
"""Valkey syncs its file when it stops. On a disk that hangs it is killed: what it has answered for
is in the file by then."""


def keep(lock_fd: int, command: list[str]) -> int:
    """Run `command` until it ends, or standard input does; returns its exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})  # inherited
    signal.signal(signal.SIGINT, lambda *_: None)  # a handler is not inherited, "ignore" would be
    ends, held = os.pipe()
    with subprocess.Popen(  # noqa: S603 - what our own parent asks for
        command, stdin=subprocess.DEVNULL, pass_fds=(lock_fd, held)
    ) as server:
        os.close(held)  # the server has the last one: `ends` is at its end when the server is
        readable, _, _ = select.select([sys.stdin, ends], [], [])
        if ends not in readable:
            server.send_signal(signal.SIGINT)
        try:
            return server.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            return server.wait()


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), sys.argv[2:]))
