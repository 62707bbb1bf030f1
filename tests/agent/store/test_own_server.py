"""A server of our own: what it keeps outlives every kind of end, and nothing of it is left over."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from agent.store import own_server
from agent.store.folder import FolderError, FolderInUse
from agent.store.own_server import NoProgramError, OwnServer, ServerError
from tests.own_store import keeper, nobody_left, server, servers, state_dir, store_in

USER = """
import asyncio, sys
from pathlib import Path
from agent.store.own_server import OwnServer

async def use():
    async with OwnServer(Path(sys.argv[1])).running():
        print("runs", flush=True)
        await asyncio.Event().wait()

asyncio.run(use())
"""


@pytest.fixture
async def state() -> AsyncIterator[Path]:
    """A folder, empty at first."""
    async with state_dir() as folder:
        yield folder


@asynccontextmanager
async def serving(state: Path) -> AsyncIterator[Redis]:
    """A client of the server of this folder, which this process runs."""
    own = OwnServer(store_in(state).path)
    async with own.running(), Redis.from_url(own.url, decode_responses=True) as client:
        yield client


@asynccontextmanager
async def user(state: Path) -> AsyncIterator[Process]:
    """Another process that runs the server of this folder. It is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", USER, str(store_in(state).path)), stdout=PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"runs\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def back(client: Redis) -> None:
    """Wait until there is a server again."""
    async with asyncio.timeout(30):
        while True:
            try:
                await client.ping()
            except RedisError:
                await asyncio.sleep(0.02)
            else:
                return


async def test_what_was_stored_is_there_at_the_next_start(state: Path) -> None:
    async with serving(state) as client:
        await client.set("said", "hello")
    assert servers(state) == []
    async with serving(state) as client:
        assert await client.get("said") == "hello"


async def test_a_server_whose_user_is_killed_writes_its_data_and_ends(state: Path) -> None:
    async with user(state) as process, Redis.from_url(store_in(state).url) as client:
        await client.set("said", "hello")
        process.kill()
        await process.wait()
    assert await nobody_left(store_in(state))
    assert servers(state) == []
    assert "bye bye" in store_in(state).log.read_text()
    async with serving(state) as client:
        assert await client.get("said") == "hello"


async def test_a_server_that_is_killed_is_started_again_with_all_it_had(state: Path) -> None:
    async with serving(state) as client:
        await client.set("said", "hello")
        server(state).kill()
        with pytest.raises(RedisError):
            await client.ping()
        await back(client)
        assert await client.get("said") == "hello"
        assert len(servers(state)) == 2
    assert servers(state) == []


async def test_a_server_whose_keeper_is_killed_is_replaced(state: Path) -> None:
    async with serving(state) as client:
        await client.set("said", "hello")
        before = server(state)
        keeper(state).kill()
        await asyncio.to_thread(before.wait, 30)
        await back(client)
        assert await client.get("said") == "hello"
        assert len(servers(state)) == 2
    assert servers(state) == []


async def test_a_server_that_nobody_has_any_more_ends_at_the_next_start(state: Path) -> None:
    async with user(state) as process, Redis.from_url(store_in(state).url) as client:
        await client.set("said", "hello")
        left = server(state)
        process.send_signal(signal.SIGSTOP)  # it starts nothing again
        keeper(state).kill()
        process.kill()
        await process.wait()
    assert left in servers(state)
    async with serving(state) as client:
        assert left not in servers(state)
        assert await client.get("said") == "hello"


async def test_only_its_user_ends_a_server(state: Path) -> None:
    """Service managers send SIGTERM to every process of a service, and terminals SIGINT."""
    async with serving(state) as client:
        assert os.getsid(server(state).pid) == os.getsid(keeper(state).pid) != os.getsid(0)
        for process in servers(state):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGHUP)
        keeper(state).send_signal(signal.SIGINT)
        await client.set("said", "goodbye")
    async with serving(state) as client:
        assert await client.get("said") == "goodbye"


async def test_a_command_that_was_written_in_part_is_left_out(state: Path) -> None:
    async with serving(state) as client:
        await client.set("said", "hello")
        await client.set("half", "x" * 100)
    [written] = store_in(state).path.glob("appendonlydir/*.incr.aof")
    os.truncate(written, written.stat().st_size - 50)
    async with serving(state) as client:
        assert await client.mget("said", "half") == ["hello", None]


async def test_a_second_user_is_refused_and_told_who_has_the_folder(state: Path) -> None:
    async with user(state) as process, Redis.from_url(store_in(state).url) as client:
        with pytest.raises(FolderInUse) as refused:
            async with serving(state):
                pass
        assert refused.value.pid == process.pid
        assert await client.ping()


async def test_a_user_waits_for_one_that_is_about_to_end(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def next_user() -> object:
        async with serving(state) as client:
            return await client.ping()

    monkeypatch.setattr(own_server, "USER_PATIENCE_S", 30)
    async with user(state) as process, asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(next_user())
        await asyncio.sleep(0)
        assert not waiting.done()
        process.terminate()
    assert waiting.result()


async def test_nobody_else_can_reach_a_server(state: Path) -> None:
    async with serving(state):
        folder = store_in(state)
        assert folder.path.stat().st_mode & 0o777 == 0o700
        assert folder.socket.stat().st_mode & 0o777 == 0o600
        assert [
            each for process in servers(state) for each in process.net_connections("inet")
        ] == []


async def test_a_folder_may_be_deeper_than_a_sockets_path_can_be(state: Path) -> None:
    deep = state / ("deep" * 20) / ("deeper" * 20)
    async with serving(deep) as client:
        await client.set("said", "hello")
        outside = store_in(deep).socket
        assert outside.stat().st_mode & 0o777 == 0o600
        assert outside.parent.stat().st_mode & 0o777 == 0o700
    assert not outside.parent.exists()
    async with serving(deep) as client:
        assert await client.get("said") == "hello"


@pytest.mark.parametrize("what", ["open to others", "a link"])
async def test_a_sockets_folder_that_somebody_else_has_made_is_not_used(
    state: Path, what: str
) -> None:
    folder = store_in(state / ("deep" * 20) / ("deeper" * 20))
    planted = folder.socket.parent
    if what == "a link":
        (state / "elsewhere").mkdir(mode=0o700)
        planted.symlink_to(state / "elsewhere")
    else:
        planted.mkdir()
        planted.chmod(0o755)
    try:
        with pytest.raises(FolderError, match="not a folder that only this user can enter"):
            folder.prepare()
    finally:
        planted.unlink() if what == "a link" else planted.rmdir()


async def test_a_server_that_cannot_read_its_data_says_so_and_nothing_of_it_runs(
    state: Path,
) -> None:
    async with serving(state) as client:
        await client.set("said", "hello")
    [written] = store_in(state).path.glob("appendonlydir/*.incr.aof")
    written.write_bytes(b"?" * 100 + written.read_bytes())
    with pytest.raises(ServerError, match=f"Bad file format .*see {store_in(state).log}"):
        async with serving(state):
            pass
    assert servers(state) == []
    assert b"hello" in written.read_bytes()


def test_a_platform_without_a_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_server, "find_spec", lambda _name: None)
    with pytest.raises(NoProgramError, match=r"^\w+ \w+$"):
        OwnServer(Path("anywhere"))
