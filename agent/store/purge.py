"""Removes everything that is kept of a call, or of somebody who called or was called.

    offhook:party:<hash>    set: the calls with a number, named by a keyed hash of the number; kept
                            as long as a call is

All else is found by scanning: a purge costs more than what it removes, and is meant for people.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent.store.failures import store_away
from agent.store.requests import PREFIX as REQUESTS

OF_ALL_CALLS = ("offhook:calls", "offhook:errands", "offhook:leases", "offhook:on_hold")
"""The sorted sets that have a member for a call."""


LOOKS_AGAIN_S = 0.05
"""How often it is looked whether a file is written."""


class NotForgotten(Exception):  # noqa: N818 - what happened, as `StoreAway`
    """Everything was removed, but is still in the file of the server; the text says why."""


@dataclass(slots=True)
class Found:
    """What there is to remove.

    Args:
        keys: Whole keys.
        members: Members of sets and fields of hashes that others share, each as the key and
            the member.
    """

    keys: list[str] = field(default_factory=list)
    members: list[tuple[str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.keys) + len(self.members)


class RedisParties:
    """Who has which calls, and the purge of them.

    Args:
        client: The connection.
        ttl_s: How long a call's record is kept.
    """

    def __init__(self, client: Redis, ttl_s: int) -> None:
        self._client, self._ttl_s = client, ttl_s

    async def note(self, party: str, conversation_id: str) -> None:
        """Note that a call is with somebody, by a keyed hash of the number.

        Raises:
            StoreAway: The store cannot be used.
        """
        key = _party(party)
        with store_away():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.sadd(key, conversation_id)
                pipe.expire(key, self._ttl_s)
                await pipe.execute()

    async def calls_of(self, party: str, number: str) -> set[str]:
        """All calls with somebody.

        Args:
            party: A keyed hash of the number.
            number: The number itself, which a call's record may have.

        Raises:
            StoreAway: The store cannot be used.
        """
        with store_away():
            found = set(await cast("Any", self._client.smembers(_party(party))))
            async for key in self._scan("offhook:{*}:call"):
                if await cast("Any", self._client.hget(key, "caller")) == number:
                    found.add(key.removeprefix("offhook:{").removesuffix("}:call"))
            return {each.decode() if isinstance(each, bytes) else str(each) for each in found}

    async def find(
        self,
        calls: Collection[str],
        party: str = "",
        spender: Callable[[str], str] = lambda _: "",
    ) -> Found:
        """Find everything that is kept of these calls, and of somebody.

        Args:
            calls: The calls.
            party: A keyed hash of the number; "" for the calls alone.
            spender: For an agent's name, the keyed hash by which is counted what somebody costs it.

        Raises:
            StoreAway: The store cannot be used.
        """
        found = Found()
        with store_away():
            async for key in self._scan("offhook:*"):
                await self._look_at(key, calls, party, spender, found)
        found.keys.sort()
        found.members.sort()
        return found

    async def remove(self, found: Found) -> None:
        """Remove what was found.

        Raises:
            StoreAway: The store cannot be used.
        """
        with store_away():
            for key in found.keys:
                await self._client.delete(key)
            for key, member in found.members:
                match await self._client.type(key):
                    case "zset":
                        await self._client.zrem(key, member)
                    case "set":
                        await cast("Any", self._client.srem(key, member))
                    case "hash":
                        await cast("Any", self._client.hdel(key, member))

    async def forget_on_disk(self) -> None:
        """Have a server of our own write its append-only file anew, without what was removed.
        Returns once that is done. One that runs already may have begun before the removal, so it
        is waited for, and another one is begun.

        Raises:
            NotForgotten: The file could not be written.
            StoreAway: The store cannot be used.
        """
        with store_away():
            while True:
                await self._rewritten()
                try:
                    await self._client.bgrewriteaof()
                except ResponseError as error:
                    if "in progress" in str(error):  # another one has begun meanwhile
                        continue
                    raise NotForgotten(str(error)) from error
                about = await self._rewritten()
                if (status := about["aof_last_bgrewrite_status"]) != "ok":
                    raise NotForgotten(f"aof_last_bgrewrite_status is {status}")
                return

    async def _rewritten(self) -> dict[str, Any]:
        """What the server says of its files, once no rewrite runs."""
        while True:
            about: dict[str, Any] = await self._client.info("persistence")
            if not (about["aof_rewrite_in_progress"] or about["aof_rewrite_scheduled"]):
                return about
            await asyncio.sleep(LOOKS_AGAIN_S)

    async def _look_at(
        self,
        key: str,
        calls: Collection[str],
        party: str,
        spender: Callable[[str], str],
        found: Found,
    ) -> None:
        client = cast("Any", self._client)
        if any(key.startswith(f"offhook:{{{call}}}:") for call in calls):
            found.keys.append(key)
        elif key in OF_ALL_CALLS:
            for call in calls:
                if await client.zscore(key, call) is not None:
                    found.members.append((key, call))
        elif key.startswith("offhook:caller:"):
            if await client.get(key) in calls:
                found.keys.append(key)
        elif key.startswith(REQUESTS):
            if await client.hget(key, "call") in calls:
                found.keys.append(key)
        elif key.startswith("offhook:spent:"):
            fields = [f"call:{call}" for call in calls]
            if party:
                fields.append(f"caller:{spender(key.split(':', 3)[3])}")
            found.members += [(key, each) for each in fields if await client.hexists(key, each)]
        elif party and (key == _party(party) or _is_dials(key, party)):
            found.keys.append(key)
        elif key.startswith("offhook:party:") or _is_dials(key):
            for call in calls:
                if await client.sismember(key, call):
                    found.members.append((key, call))

    async def _scan(self, match: str) -> AsyncIterator[str]:
        async for key in self._client.scan_iter(match=match, count=1_000):
            yield key


def _party(party: str) -> str:
    return f"offhook:party:{party}"


def _is_dials(key: str, called: str = "") -> bool:
    """Whether a key counts the calls to a number; with `called`, to this one."""
    parts = key.split(":")
    return parts[:2] == ["offhook", "{dials}"] and len(parts) == 4 and called in {"", parts[3]}
