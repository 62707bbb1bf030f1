"""A STATE_DIR for workers that keep their own calls, and a search for servers left running."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from agent.store.folder import StoreFolder, locked
from agent.store.own_server import SERVER_PATIENCE_S


@asynccontextmanager
async def state_dir() -> AsyncIterator[Path]:
    """A STATE_DIR until the block ends. Leaving waits until no server uses it any more."""
    with TemporaryDirectory(prefix="state-") as folder:
        state = Path(folder)
        yield state
        if store_in(state).path.exists():
            assert await nobody_left(store_in(state)), f"processes of {folder}: {servers(state)}"


def store_in(state: Path) -> StoreFolder:
    """Where a worker with this STATE_DIR keeps its calls."""
    return StoreFolder(state / "store")


async def nobody_left(folder: StoreFolder) -> bool:
    """Whether server and keeper are gone, or soon are."""
    lock = folder.open_server_lock()
    try:
        return await locked(lock, SERVER_PATIENCE_S)
    finally:
        os.close(lock)


def servers(state: Path) -> list[psutil.Process]:
    """Every process that runs for this STATE_DIR's store, server and keeper: both work in it.

    One that has ended works nowhere, also where nobody has asked for its exit code.
    """
    return [process for process in psutil.process_iter() if _works_in(process, store_in(state))]


def keeper(state: Path) -> psutil.Process:
    """The keeper of this STATE_DIR's server."""
    [found] = [process for process in servers(state) if _is_keeper(process)]
    return found


def server(state: Path) -> psutil.Process:
    """The server of this STATE_DIR."""
    [found] = [process for process in servers(state) if not _is_keeper(process)]
    return found


def _works_in(process: psutil.Process, folder: StoreFolder) -> bool:
    try:
        return str(process.cwd()) == str(folder.path)
    except psutil.Error:  # it has ended meanwhile
        return False


def _is_keeper(process: psutil.Process) -> bool:
    return any(word.endswith("keeper.py") for word in process.cmdline())
