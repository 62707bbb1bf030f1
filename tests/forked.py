"""Processes that run a module of ours, forked from one process that has already imported them all.

To import the server takes a second of CPU, and the tests start hundreds of processes. So each test
run (each process of it, where there are several) has one process that imports everything once, and
a start is a fork of that. What is forked is a process of its own: it has its own environment,
output, signals and exit code, runs the module as `python -m` does, and can be killed. Tests of the
start itself, such as `test_command_line.py`, start Python.

the process that forks   acquired: the first `forked`   released: when the process that tests ends
a forked process         acquired: `forked`             released: by whoever asked for it
"""

import asyncio
import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]

IMPORTED = (
    "telephony.cli",
    "telephony.browser_phone.dev",
    "telephony.demo",
    "telephony.number.doctor",
)
"""What the commands import, and by them all of `telephony` and `agent`."""


class Forked(asyncio.Protocol):
    """A running process, as `asyncio.subprocess.Process`. `forked` makes it."""

    pid: int

    def __init__(self, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        self.stdout, self.stderr = stdout, stderr
        self.returncode: int | None = None
        loop = asyncio.get_running_loop()
        self._told = b""
        self._started, self._ended = loop.create_future(), loop.create_future()

    async def wait(self) -> int:
        """The exit code, once the process has ended; the negative signal if one ended it."""
        code: int = await asyncio.shield(self._ended)
        return code

    async def communicate(self) -> tuple[bytes, bytes]:
        """All that is left of standard output and standard error, once the process has ended."""
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        """Raises `ProcessLookupError` if the process has ended."""
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        with suppress(ProcessLookupError):  # it has ended, and we are about to be told
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    async def started(self) -> None:
        """Wait until `pid` is known."""
        await self._started

    def data_received(self, data: bytes) -> None:
        """The process that forks tells a line with the PID, and one with the exit code."""
        self._told += data
        if not self._started.done() and b"\n" in self._told:
            self.pid = int(self._told.splitlines()[0])
            self._started.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The process has ended."""
        _, *code = self._told.splitlines() or [b""]
        if code:
            self.returncode = int(code[0])
            self._ended.set_result(self.returncode)
            return
        for told in (self._started, self._ended):
            if not told.done():
                told.set_exception(exc or ConnectionError("the process that forks has ended"))
                told.exception()  # whoever waits gets it; nobody has to


async def forked(module: str, *arguments: str, environment: Mapping[str, str]) -> Forked:
    """Start `python -m module …` with these variables alone, at the root of the checkout."""
    request = {"module": module, "arguments": arguments, "environment": dict(environment)}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(_address())
    pipes = os.pipe(), os.pipe()
    try:
        stdout, stderr = [await _reader(read) for read, _ in pipes]
        socket.send_fds(
            connection, [json.dumps(request).encode() + b"\n"], [write for _, write in pipes]
        )
    finally:
        for _, write in pipes:
            os.close(write)
    loop = asyncio.get_running_loop()
    _, process = await loop.create_connection(lambda: Forked(stdout, stderr), sock=connection)
    await process.started()
    return process


async def _reader(pipe: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(pipe, "rb", 0))
    return reader


@cache
def _address() -> str:
    """Start the process that forks, once. Returns where it listens."""
    folder = TemporaryDirectory(prefix="forks-")
    address = str(Path(folder.name) / "socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        forks = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.forked", str(listener.fileno())],
            cwd=ROOT,
            env={"OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,  # its end says that it is no longer needed
            pass_fds=[listener.fileno()],
        )

    def end() -> None:
        forks.communicate()
        folder.cleanup()

    atexit.register(end)
    return address


def _fork(listener: socket.socket) -> tuple[str, list[str]] | None:
    """Fork at each request, until standard input ends.

    Returns None at the end. In each process that was forked it returns too: the module to run, and
    its arguments.
    """
    children: dict[int, socket.socket] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([listener, woken, sys.stdin], [], [])
        if sys.stdin in ready:
            return None
        if woken in ready:
            os.read(woken, 4096)
            _tell_of_the_ended(children)
        if listener not in ready:
            continue
        client, _ = listener.accept()
        asked, outputs = _request(client)
        if pid := os.fork():
            children[pid] = client
            client.sendall(f"{pid}\n".encode())
            for output in outputs:
                os.close(output)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for held in (listener, client, *children.values()):
            held.close()
        os.close(woken)
        os.close(wake)
        _become(asked["environment"], outputs)
        return asked["module"], asked["arguments"]


def _tell_of_the_ended(children: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):  # there is none
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            pid, status = ended
            with children.pop(pid) as client, suppress(OSError):  # nobody listens any more
                client.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def _request(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, outputs, _, _ = socket.recv_fds(client, 65_536, 2)
    while not data.endswith(b"\n"):
        data += client.recv(65_536)
    return json.loads(data), outputs


def _become(environment: dict[str, str], outputs: list[int]) -> None:
    """Take on the environment and the outputs of the process that was asked for."""
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for given, place in zip((nothing, *outputs), range(3), strict=True):
        os.dup2(given, place)
        os.close(given)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(write_through="PYTHONUNBUFFERED" in environment)


def main() -> None:
    """Import everything, then fork; or run what was asked for, in a process that was forked."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # so that collections in what is forked do not touch, and copy, these pages
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        run = _fork(listener)
    if run is not None:
        module, arguments = run
        sys.argv[1:] = arguments
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
