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
    """The folder cannot be used; `why` says what is wrong with it."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder}: {why}")
        self.folder, self.why = folder, why


class FolderInUse(FolderError):  # noqa: N818 - what it is, not that it is an error
    """Another process uses the folder: `pid`, which is 0 if it has not said so yet."""

    def __init__(self, folder: Path, pid: int) -> None:
        super().__init__(folder, f"in use by process {pid}" if pid else "in use")
        self.pid = pid


@dataclass(frozen=True, slots=True)
class StoreFolder:
    """One such folder. Call `prepare` before anything else."""

    path: Path

    def prepare(self) -> None:
        """Make the folder where there is none, and close it to all other users.

        Raises:
            FolderError: It cannot be made, or is somebody else's.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            _make_private(self.socket.parent)
        except OSError as error:
            raise FolderError(self.path, error.strerror or str(error)) from error

    @property
    def socket(self) -> Path:
        """Where the server listens: the same path at every start."""
        here = self.path / "socket"
        if len(os.fsencode(here)) <= SOCKET_PATH_BYTES:
            return here
        name = sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"offhook-{os.geteuid()}-{name}" / "socket"

    @property
    def url(self) -> str:
        """The address of the server, as redis-py takes it."""
        return f"unix://{quote(str(self.socket))}"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.path / "server.log"

    @asynccontextmanager
    async def used(self, patience_s: float) -> AsyncIterator[None]:
        """Use the folder until the block ends, alone.

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
        """The file that a server locks: for `locked`, and then for the server. Close it."""
        return self._open("server.lock")

    def remove_socket(self) -> None:
        """Remove what there is of the socket outside the folder; the server is gone."""
        if self.socket.parent != self.path:
            self.socket.unlink(missing_ok=True)
            self.socket.parent.rmdir()

    def _open(self, name: str) -> int:
        return os.open(self.path / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


async def locked(fd: int, patience_s: float) -> bool:
    """Lock a file; returns whether that was possible in time. The lock ends when it is closed."""
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
    """Make a folder that is ours alone, in a place where others may make one of that name."""
    folder.mkdir(exist_ok=True, mode=0o700)
    found = folder.lstat()  # of a link that somebody planted, not of where it leads
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(0, f"{folder} is not a folder that only this user can enter")


def _number(text: bytes) -> int:
    return int(text) if text.strip().isdigit() else 0
