"""A purge removes recordings also while somebody else writes or removes them."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from agent.store.base import StoreAway
from agent.store.own_server import OwnServer
from agent.store.purge import NotForgotten, RedisParties
from agent.store.redis import RedisStore
from telephony import purging
from telephony.errors import UsageError
from telephony.settings import Settings, load

pytestmark = pytest.mark.real

CALL = "CA1"
RMTREE = shutil.rmtree


def settings(folder: Path) -> Settings:
    """Those of a server with everything in this folder."""
    return load(
        gemini_api_key="simulated",
        twilio_auth_token="token",
        public_url="https://voice.example.com",
        state_dir=str(folder),
        record_dir=str(folder / "recordings"),
        redis_url="",
    )


def purged(folder: Path) -> list[str]:
    """What a purge of the call says."""
    return asyncio.run(purging.purge(settings(folder), CALL, "", dry_run=False)).lines()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings" / f"{CALL}.1.call"
    folder.mkdir(parents=True)
    for name in ("call.jsonl", "expect.jsonl", "caller.ulaw"):
        (folder / name).write_bytes(b"x")
    return folder


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Has something done as soon as the purge removes a recording."""

    def does(deed: Callable[[], object]) -> None:
        def rmtree(path: Path, **options: Any) -> None:
            deed()
            RMTREE(path, **options)

        monkeypatch.setattr("shutil.rmtree", rmtree)

    return does


def test_a_recording_that_is_gone_meanwhile_is_as_good_as_removed(
    recording: Path, tmp_path: Path, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    meanwhile(lambda: RMTREE(recording, ignore_errors=True))
    told = purged(tmp_path)
    assert told[-1].endswith("and 1 recordings")
    assert not recording.exists()


def test_what_cannot_be_removed_is_named_in_one_sentence(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.rmtree", _denied)
    with pytest.raises(UsageError, match=r"caller.ulaw \(Permission denied\)") as said:
        purged(tmp_path)
    assert recording.exists()
    assert "run this again" in str(said.value)


def test_recordings_are_removed_though_the_store_cannot_forget(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: RedisParties) -> None:
        raise NotForgotten("aof_last_bgrewrite_status is err")

    monkeypatch.setattr(RedisParties, "forget_on_disk", full)
    with pytest.raises(UsageError, match="that file still has it: see that its disk has room"):
        purged(tmp_path)
    assert not recording.exists()


def test_what_is_left_on_disk_and_in_the_store_is_told_at_once(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: RedisParties) -> None:
        raise NotForgotten("aof_last_bgrewrite_status is err")

    monkeypatch.setattr(RedisParties, "forget_on_disk", full)
    monkeypatch.setattr("shutil.rmtree", _denied)
    with pytest.raises(UsageError, match=r"Permission denied.*status is err.*run this again"):
        purged(tmp_path)
    assert recording.exists()


def _denied(path: Path, *, onexc: Callable[[object, str, BaseException], None]) -> None:
    onexc(None, str(path / "caller.ulaw"), PermissionError(13, "Permission denied"))


def test_what_was_purged_is_in_no_file_of_our_own_server_either(tmp_path: Path) -> None:
    given = settings(tmp_path)

    async def kept() -> None:
        server = OwnServer(given.store_dir)
        async with server.running():
            store = RedisStore.from_url(server.url)
            await store.open_call(CALL, caller="+14155550123")
            await store.open_call("CA2")
            await store.aclose()

    asyncio.run(kept())
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert any(b"+14155550123" in path.read_bytes() for path in files)
    assert purged(tmp_path)[-1].startswith("removed 1 keys")
    left = [path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert any(b"{CA2}" in data for data in left)
    assert not any(b"+14155550123" in data or b"{CA1}" in data for data in left)


def kept_of_the_call(folder: Path) -> None:
    """Our own server keeps something of the call."""

    async def keep() -> None:
        server = OwnServer(settings(folder).store_dir)
        async with server.running():
            store = RedisStore.from_url(server.url)
            await store.open_call(CALL, caller="+14155550123")
            await store.aclose()

    asyncio.run(keep())


def kill_server(folder: Path) -> None:
    """As SIGKILL to our own server, whichever process runs it."""
    with Redis.from_url(OwnServer(settings(folder).store_dir).url) as client:
        about = cast("dict[str, Any]", client.info("server"))
    os.kill(about["process_id"], signal.SIGKILL)


def in_the_store(folder: Path) -> bool:
    files = [path for path in (folder / "store").rglob("*") if path.is_file()]
    return any(b"{CA1}" in path.read_bytes() for path in files)


def test_a_purge_whose_server_dies_says_which_recordings_are_gone_and_is_finished_later(
    recording: Path, tmp_path: Path, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    kept_of_the_call(tmp_path)
    meanwhile(lambda: kill_server(tmp_path))
    with pytest.raises(UsageError) as said:
        purged(tmp_path)
    assert f"removed: {recording}; not removed: none; what the store has" in str(said.value)
    assert str(said.value).startswith(f"expected the server in {tmp_path / 'store'} to answer")
    assert str(said.value).endswith("run this again")
    assert not recording.exists()
    assert in_the_store(tmp_path)
    meanwhile(lambda: None)
    assert purged(tmp_path)[-1].startswith("removed 1 keys")
    assert not in_the_store(tmp_path)


def test_a_purge_whose_server_dies_names_the_recordings_that_remain_and_why(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path, *, onexc: Callable[[object, str, BaseException], None]) -> None:
        if not killed:
            killed.append(True)
            kill_server(tmp_path)
        _denied(path, onexc=onexc)

    killed: list[bool] = []
    kept_of_the_call(tmp_path)
    monkeypatch.setattr("shutil.rmtree", denied)
    with pytest.raises(UsageError, match=r"removed: none; not removed: .*Permission denied"):
        purged(tmp_path)
    assert recording.exists()
    assert in_the_store(tmp_path)


def test_a_look_at_what_would_be_removed_says_that_nothing_was(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object) -> None:
        raise StoreAway("unreachable")

    monkeypatch.setattr(RedisParties, "find", dies)
    with pytest.raises(UsageError, match="got unreachable; nothing was removed; run this again"):
        asyncio.run(purging.purge(settings(tmp_path), CALL, "", dry_run=True))
    assert recording.exists()
