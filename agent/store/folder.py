"""The folder in which our own server keeps its data, and the locks that decide who may use it.

    user.lock        locked by the process that uses the folder; holds its process ID
    server.lock      locked by the server and its keeper, for as long as one of them runs
    appendonlydir/   Valkey's append-only file, with all stored data
    server.log       Valkey's log
    socket           where the server listens; elsewhere if this path is too long

Only the user who owns the folder can enter it. The kernel holds the locks (`flock`) and releases
them when their processes end, however they end. There are two locks because after a `kill -9` of
the using process the server still runs for a moment: the next process then has the folder, and
waits for the old server.
"""

import asyncio
import fcntl
import os
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

SOCKET_PATH_BYTES = 100
"""A socket's path has 104 bytes on macOS and 108 on Linux, with the zero at its end."""

TRIES_AGAIN_S = 0.05


class FolderError(Exception):
    """The folder cannot be used; `why` says why."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder}: {why}")
        self.folder, self.why = folder, why


class FolderInUse(FolderError):  # noqa: N818 - what it is, not that it is an error
    """Another process uses the folder. `pid` is its process ID, or 0 if it is not known yet."""

    def __init__(self, folder: Path, pid: int) -> None:
        super().__init__(folder, f"in use by process {pid}" if pid else "in use")
        self.pid = pid


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """The data folder of our own server. Call `prepare` first."""

    path: Path

    def prepare(self) -> None:
        """Make the folder if it does not exist, and close it to all other users.

        Raises:
            FolderError: It cannot be made, or belongs to another user.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            _make_private(self.socket.parent)
        except OSError as error:
            raise FolderError(self.path, error.strerror or str(error)) from error

    @property
    def socket(self) -> Path:
        """The path where the server listens; it is the same at every start."""
        here = self.path / "socket"
        if len(os.fsencode(here)) <= SOCKET_PATH_BYTES:
            return here
        name = sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"offhook-{os.geteuid()}-{name}" / "socket"

    @property
    def url(self) -> str:
        """The address of the server, in redis-py's form."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def log(self) -> Path:
        """The path of the server's log."""
        return self.path / "server.log"

    @asynccontextmanager
    async def used(self, patience_s: float) -> AsyncIterator[None]:
        """Use the folder until the block ends. No other process can use it meanwhile.

        Args:
            patience_s: How long to wait for a process that is about to end.

        Raises:
            FolderInUse: Another process uses it.
        """
        lock = self._open("user.lock")
        try:
            if not await locked(lock, patience_s):
                raise FolderInUse(self.path, _number(os.pread(lock, 20, 0)))
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(lock)

    def open_server_lock(self) -> int:
        """Open the file that the server locks, to pass it to `locked` and the server. Close it."""
        return self._open("server.lock")

    def remove_socket(self) -> None:
        """Remove a socket outside the folder, once the server is gone."""
        if self.socket.parent != self.path:
            self.socket.unlink(missing_ok=True)
            self.socket.parent.rmdir()

    def _open(self, name: str) -> int:
        return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


async def locked(fd: int, patience_s: float) -> bool:
    """Lock a file; returns whether that was possible in time. Closing the file ends the lock."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + patience_s
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if loop.time() >= until_s:
                return False
            await asyncio.sleep(TRIES_AGAIN_S)
        else:
            return True


def _make_private(folder: Path) -> None:
    """Make a private folder in a place where other users may create one of that name."""
    folder.mkdir(exist_ok=True, mode=0o700)
    found = folder.lstat()  # look at a planted link itself, not at its target
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(0, f"{folder} is not a folder that only this user can enter")


def _number(text: bytes) -> int:
    return int(text) if text.strip().isdigit() else 0
