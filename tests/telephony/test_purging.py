"""A purge removes recordings also while somebody else writes or removes them."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
    return asyncio.run(purging.purge(settings(folder), CALL, "", dry_run=False))


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
