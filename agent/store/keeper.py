"""A program that runs a server for as long as the process that started it lives.

    python keeper.py LOCK_FD COMMAND...    # standard input: a pipe that nobody writes to

The pipe ends when the process at its other end closes it, or ends in any way. Then the keeper tells
the server to write its data and to exit, waits for that, and exits. No signal ends the server
earlier. It has a session of its own, so a terminal's Ctrl-C does not reach it. SIGTERM, which a
service manager sends to all processes of a service at once, is blocked. So the server outlives the
last write of the process that uses it.

The keeper passes LOCK_FD on to the server: the lock on that file ends with the last of both.

This file imports only the standard library and is run by its path, so it starts within 20 ms.
"""

import os
import select
import signal
import subprocess
import sys

STOPS_WITHIN_S = 10.0
"""Valkey syncs its file when it stops. If the disk hangs, Valkey is killed after so long: all data
that it has answered for is in the file already."""


def keep(lock_fd: int, command: list[str]) -> int:
    """Run `command` until it ends, or standard input ends; returns its exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})  # inherited
    signal.signal(signal.SIGINT, lambda *_: None)  # unlike "ignore", a handler is not inherited
    ends, held = os.pipe()
    with subprocess.Popen(  # noqa: S603 - our own parent gives the command
        command, stdin=subprocess.DEVNULL, pass_fds=(lock_fd, held)
    ) as server:
        os.close(held)  # only the server still holds it, so `ends` shows its end
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
