"""Removes what is kept of a call, or of a caller: in the store, and in the folder of recordings."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.store.base import StoreAway
from agent.store.purge import Found
from agent.store.redis import RedisStore
from telephony.errors import UsageError
from telephony.replay import keeping
from telephony.server import kept
from telephony.settings import Settings
from telephony.twilio.signature import called_key, spender_key, token_secret


async def purge(settings: Settings, call: str, caller: str, *, dry_run: bool) -> list[str]:
    """Remove everything that is kept of a call, or of a caller and all calls with them.

    Args:
        settings: The server's.
        call: The CallSid, or "".
        caller: The number, or "".
        dry_run: Whether only to look.

    Returns:
        A line for each thing that was removed, or would be, and one with the numbers.

    Raises:
        SettingsError: The store cannot be run.
        UsageError: The store does not answer.
    """
    try:
        return await _purge(settings, call, caller, dry_run=dry_run)
    except StoreAway as away:
        raise UsageError(
            f"REDIS_URL: expected a Redis that answers at {settings.redis_address}, got "
            f"{away.why}; start it, and run this again"
        ) from None


async def _purge(settings: Settings, call: str, caller: str, *, dry_run: bool) -> list[str]:
    secret = token_secret(settings.auth_tokens[0])
    party = called_key(secret, caller) if caller else ""
    async with _store(settings) as store:
        calls = await store.parties.calls_of(party, caller) if caller else {call}
        recordings = _recordings(settings.recordings_dir, calls, party)
        found = await store.parties.find(
            calls, party, lambda agent: spender_key(secret, agent, caller)
        )
        if not dry_run:
            await store.parties.remove(found)
            for recording in recordings:
                shutil.rmtree(recording)
    return _told(found, recordings, dry_run=dry_run)


def _recordings(folder: Path, calls: set[str], party: str) -> list[Path]:
    """The recordings of these calls, and of those with somebody, which are added to `calls`."""
    if party:
        calls |= {
            noted.call_sid
            for _, noted in keeping.recordings(folder)
            if noted is not None and party in noted.callers
        }
    return [path for call in sorted(calls) for path in keeping.recordings_of(folder, call)]


def _told(found: Found, recordings: list[Path], *, dry_run: bool) -> list[str]:
    did = "would remove" if dry_run else "removed"
    keys, entries = len(found.keys), len(found.members)
    return [
        *(f"{did}  {key}" for key in found.keys),
        *(f"{did}  {member} in {key}" for key, member in found.members),
        *(f"{did}  {recording}" for recording in recordings),
        f"{did} {keys} keys, {entries} entries of other keys, and {len(recordings)} recordings",
    ]


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[RedisStore]:
    """The store of the server, whether that runs or not."""
    server = kept.own_server(settings)
    settings = kept.at(server, settings)
    store = RedisStore.from_url(settings.redis_url or "", ttl_s=settings.transcript_ttl_s)
    try:
        try:
            await store.ping()
        except StoreAway:
            if server is None:
                raise
            async with kept.running(server):
                yield store
        else:
            yield store
    finally:
        await store.aclose()
