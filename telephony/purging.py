"""Removes what is kept of a call, or of a caller: in the store, and in the folder of recordings."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from agent.store.base import StoreAway
from agent.store.purge import Found, NotForgotten
from telephony.errors import UsageError
from telephony.replay import keeping
from telephony.server import kept
from telephony.settings import Settings
from telephony.twilio.signature import called_key, spender_key, token_secret

ATTEMPTS = 3
"""How often it is tried to remove a recording whose files change meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What a purge has removed, or would remove.

    Args:
        found: In the store.
        recordings: The folders of recordings.
        dry_run: Whether it only looked.
    """

    found: Found
    recordings: list[Path]
    dry_run: bool

    def lines(self) -> list[str]:
        """A line for each thing, and one with the numbers."""
        did = "would remove" if self.dry_run else "removed"
        keys, entries = len(self.found.keys), len(self.found.members)
        recordings = f"and {len(self.recordings)} recordings"
        return [
            *(f"{did}  {key}" for key in self.found.keys),
            *(f"{did}  {member} in {key}" for key, member in self.found.members),
            *(f"{did}  {recording}" for recording in self.recordings),
            f"{did} {keys} keys, {entries} entries of other keys, {recordings}",
        ]

    def json(self) -> str:
        """The same as a JSON object."""
        told = {
            "dry_run": self.dry_run,
            "keys": [*self.found.keys],
            "entries": [{"key": key, "member": member} for key, member in self.found.members],
            "recordings": [str(recording) for recording in self.recordings],
        }
        return json.dumps(told, indent=2, ensure_ascii=False)


async def purge(settings: Settings, call: str, caller: str, *, dry_run: bool) -> Purged:
    """Remove everything that is kept of a call, or of a caller and all calls with them.

    Args:
        settings: The server's.
        call: The CallSid, or "".
        caller: The number, or "".
        dry_run: Whether only to look.

    Returns:
        What was removed, or would be.

    Raises:
        SettingsError: The store cannot be run.
        UsageError: The store does not answer, a recording cannot be removed, or the file of our own
            server cannot be written without what was removed.
    """
    try:
        return await _purge(settings, call, caller, dry_run=dry_run)
    except _Interrupted as interrupted:
        raise UsageError(
            f"{kept.expected(settings)}, got {interrupted.why}; {interrupted}; "
            f"{_and_then(settings)}"
        ) from None
    except StoreAway as away:
        raise UsageError(
            f"{kept.expected(settings)}, got {away.why}; {_and_then(settings)}"
        ) from None


class _Interrupted(Exception):  # noqa: N818 - what happened, as `StoreAway`
    """The store went away once recordings were looked for. The text says what became of them.

    Args:
        why: Why the store is away.
        recordings: Those that were found.
        left: Why each of them is still there that could not be removed.
        looks: Whether it was only to be looked.
    """

    def __init__(self, why: str, recordings: list[Path], left: list[str], *, looks: bool) -> None:
        remain = [str(each) for each in recordings if each.exists()]
        gone = [str(each) for each in recordings if str(each) not in remain]
        told = [
            f"{what} {', '.join(each) or 'none'}"
            for what, each in (("removed:", gone), ("not removed:", left or remain))
        ]
        super().__init__(
            "nothing was removed"
            if looks
            else f"of the recordings, {'; '.join(told)}; what the store has may be there still"
        )
        self.why = why


def _and_then(settings: Settings) -> str:
    return f"{'start it, and ' if settings.redis_url else ''}run this again"


async def _purge(settings: Settings, call: str, caller: str, *, dry_run: bool) -> Purged:
    secret = token_secret(settings.auth_tokens[0])
    party = called_key(secret, caller) if caller else ""
    left: list[str] = []
    away: Exception | None = None
    recordings: list[Path] = []
    not_forgotten: NotForgotten | None = None
    async with kept.opened(settings) as store:
        try:
            calls = await store.parties.calls_of(party, caller) if caller else {call}
            recordings = _recordings(settings.recordings_dir, calls, party)
            found = await store.parties.find(
                calls, party, lambda agent: spender_key(secret, agent, caller)
            )
            if not dry_run:
                # First: the store knows whose they are, if this has to be run again.
                left = [why for recording in recordings if (why := _removed(recording))]
                await store.parties.remove(found)
                if settings.redis_url is None:
                    await store.parties.forget_on_disk()
        except StoreAway as lost:
            away = lost
            if recordings:
                away = _Interrupted(lost.why, recordings, left, looks=dry_run)
        except NotForgotten as kept_on_disk:
            not_forgotten = kept_on_disk
    # Not inside: our own server's tasks would make a group of it.
    if away is not None:
        raise away
    if left:
        else_ = (
            "everything else was removed:"
            if not_forgotten is None
            else f"the rest was removed, but is still in a file of {settings.store_dir} "
            f"({not_forgotten}): see that its disk has room,"
        )
        raise UsageError(
            f"expected recordings that can be removed, got {'; '.join(left)}; {else_} give "
            "this user the right to remove them, and run this again"
        )
    if not_forgotten is not None:
        raise UsageError(
            f"expected the file in {settings.store_dir} to be written anew, got {not_forgotten}; "
            "everything was removed, but that file still has it: see that its disk has room, and "
            "run this again"
        )
    return Purged(found=found, recordings=recordings, dry_run=dry_run)


def _recordings(folder: Path, calls: set[str], party: str) -> list[Path]:
    """The recordings of these calls, and of those with somebody, which are added to `calls`."""
    if party:
        calls |= {
            noted.call_sid
            for _, noted in keeping.recordings(folder)
            if noted is not None and party in noted.callers
        }
    return [path for call in sorted(calls) for path in keeping.recordings_of(folder, call)]


def _removed(recording: Path) -> str:
    """Remove a recording. Returns why it is still there, or ""."""

    def failed(_: object, path: str, error: BaseException) -> None:
        # Its worker gives files another name when the call is over, and the sweeper removes them.
        if not isinstance(error, FileNotFoundError):
            problems.append(f"{path} ({error.strerror if isinstance(error, OSError) else error})")

    problems: list[str] = []
    for _ in range(ATTEMPTS):
        problems.clear()
        shutil.rmtree(recording, onexc=failed)
        if not recording.exists():
            return ""
    return problems[0] if problems else f"{recording} (it is still written)"
