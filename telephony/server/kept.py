"""Decides where calls are kept when REDIS_URL is not set: in our own server, below STATE_DIR.

If offhook has no server for the platform, and fakeredis is installed, calls are kept in the memory
of this process, and are lost when it ends; the log says so. Without fakeredis, REDIS_URL is
required.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog

from agent.store.base import StoreAway
from agent.store.folder import FolderError, FolderInUse
from agent.store.own_server import NoProgramError, OwnServer, ServerError
from agent.store.redis import RedisStore, can_be_in_memory
from telephony.errors import SettingsError
from telephony.settings import Settings

log = structlog.get_logger(__name__)


def own_server(settings: Settings, folder: Path | None = None) -> OwnServer | None:
    """The server that keeps the calls; None if REDIS_URL names one, or the platform has none.

    Args:
        settings: The settings.
        folder: The folder for its data; None for the one below STATE_DIR.

    Raises:
        SettingsError: STATE_DIR names an unknown user's home, or there is no way to keep calls.
    """
    if settings.redis_url:
        return None
    try:
        return OwnServer(folder or settings.store_dir)
    except RuntimeError as error:  # pathlib raises it for "~" of a user without a home
        raise SettingsError(f"STATE_DIR: {error}; set it to a folder that can be written") from None
    except NoProgramError as error:
        if not can_be_in_memory():
            raise SettingsError(
                f"REDIS_URL: expected the address of a Redis, since no server comes with offhook "
                f"for this platform ({error}); or install fakeredis[lua], to keep calls in memory "
                "for as long as the process lives"
            ) from None
        log.warning(
            "calls are kept in memory, and nothing of them survives this process: no server comes "
            "with offhook for this platform; set REDIS_URL to keep them",
            platform=str(error),
        )
        return None


def at(server: OwnServer | None, settings: Settings) -> Settings:
    """The settings with the server's address as REDIS_URL."""
    return settings if server is None else settings.model_copy(update={"redis_url": server.url})


def expected(settings: Settings) -> str:
    """How a message begins that says that the store does not answer."""
    if settings.redis_url is None:
        return f"expected the server in {settings.store_dir} to answer"
    return f"REDIS_URL: expected a Redis that answers at {settings.redis_address}"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[RedisStore]:
    """The store of the server, for a command: whether `offhook serve` runs or not.

    Raises:
        SettingsError: It cannot run. The message says what to do.
        StoreAway: REDIS_URL does not answer.
    """
    server = own_server(settings)
    settings = at(server, settings)
    store = RedisStore.from_url(settings.redis_url or "", ttl_s=settings.transcript_ttl_s)
    try:
        try:
            await store.ping()
        except StoreAway:
            if server is None:
                raise
            async with running(server):
                yield store
        else:
            yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def running(server: OwnServer | None) -> AsyncIterator[None]:
    """Run the server, if there is one, until the block ends. By then all data is on disk.

    Raises:
        SettingsError: It cannot run. The message says what to do.
    """
    if server is None:
        yield
        return
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(server.running())
        except FolderInUse as error:
            user = f"process {error.pid}" if error.pid else "another process"
            raise SettingsError(
                f"STATE_DIR: {error.folder} is in use by {user}, which may be another `offhook "
                "serve`: stop it, or set another STATE_DIR here, or the same REDIS_URL for both"
            ) from None
        except FolderError as error:
            raise SettingsError(
                f"STATE_DIR: expected a folder that can be written, got {error.folder}: "
                f"{error.why}; mend that, or set REDIS_URL"
            ) from None
        except ServerError as error:
            raise SettingsError(
                f"STATE_DIR: the server that keeps the calls did not start: {error}"
            ) from None
        yield
