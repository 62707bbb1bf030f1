"""The index of all calls by time, so that any worker lists them all.

    offhook:calls    sorted set: each call's id, with the Unix time in ms at which it was opened

A call is in it for a day longer than its record can be kept; whoever reads the index leaves out the
calls whose records are gone.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from agent.store.base import CallRecord
from agent.store.due_scripts import NOW
from agent.store.failures import store_away
from agent.store.records import record_of

CALLS = "offhook:calls"

LONGEST_CALL_S = 24 * 3600
"""A record is kept from its last write on, which no call puts off for longer."""

AT_ONCE = 100
"""So many records are read in one round trip."""

# KEYS: the index. ARGV: for how many s an entry is kept, the call. It lasts as long as the longest
# keeper of it says, so that one with a shorter time forgets nobody's calls.
NOTE = f"""{NOW}
redis.call('ZADD', KEYS[1], 'NX', in_ms(0), ARGV[2])
local kept_s = math.max(redis.call('TTL', KEYS[1]), tonumber(ARGV[1]))
redis.call('EXPIRE', KEYS[1], string.format('%d', kept_s))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. in_ms(-1000 * kept_s))
return {{}}
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A call in the index.

    Args:
        conversation_id: Its id.
        opened_ms: When it was opened: Unix time, in ms.
        record: Its record, without lines and checkpoint.
    """

    conversation_id: str
    opened_ms: int
    record: CallRecord


class RedisIndex:
    """The calls by time.

    Args:
        client: The connection.
        ttl_s: How long a call's record is kept after its last write.
    """

    def __init__(self, client: Redis, ttl_s: int) -> None:
        self._client, self._kept_s = client, ttl_s + LONGEST_CALL_S
        self._note = client.register_script(NOTE)

    async def note(self, conversation_id: str) -> None:
        """Note that a call is opened now. May be repeated: the first time counts.

        Raises:
            StoreAway: The store cannot be used.
        """
        with store_away():
            await self._note(keys=[CALLS], args=[self._kept_s, conversation_id])

    async def newest(
        self,
        *,
        from_ms: int = 0,
        until_ms: int | None = None,
        persona: str = "",
        among: Collection[str] | None = None,
        most: int = 50,
    ) -> list[Listed]:
        """The calls that were opened last, the newest first.

        Args:
            from_ms: Only those that were opened then or later: Unix time, in ms.
            until_ms: Only those that were opened before; None for no such limit.
            persona: Only those of this agent; "" for all.
            among: Only these; None for all.
            most: How many at most.

        Raises:
            StoreAway: The store cannot be used.
        """
        found: list[Listed] = []
        async for entries in self._pages(from_ms, until_ms):
            wanted = [each for each in entries if among is None or each[0] in among]
            for (call, opened_ms), record in zip(wanted, await self._records(wanted), strict=True):
                if record is not None and persona in {"", record.persona}:
                    found.append(Listed(call, opened_ms, record))
                if len(found) == most:
                    return found
        return found

    async def opened_ms(self, conversation_id: str) -> int | None:
        """When a call was opened: Unix time, in ms; None if it is not in the index.

        Raises:
            StoreAway: The store cannot be used.
        """
        with store_away():
            score = await self._client.zscore(CALLS, conversation_id)
        return None if score is None else int(score)

    async def _pages(
        self, from_ms: int, until_ms: int | None
    ) -> AsyncIterator[list[tuple[str, int]]]:
        """The entries, newest first. One that comes or goes meanwhile moves the others by one, and
        no call is told twice.
        """
        highest, told = "+inf" if until_ms is None else f"({until_ms}", set[str]()
        start = 0
        while True:
            with store_away():
                page: list[tuple[str, float]] = await cast(
                    "Any",
                    self._client.zrevrangebyscore(
                        CALLS, highest, from_ms, start=start, num=AT_ONCE, withscores=True
                    ),
                )
            if not page:
                return
            yield [(str(call), int(score)) for call, score in page if str(call) not in told]
            told |= {str(call) for call, _ in page}
            start += len(page)

    async def _records(self, entries: Collection[tuple[str, int]]) -> list[CallRecord | None]:
        with store_away():
            async with self._client.pipeline(transaction=False) as pipe:
                for call, _ in entries:
                    cast("Any", pipe.hgetall(f"offhook:{{{call}}}:call"))
                found: list[dict[str, str]] = await pipe.execute() if entries else []
        return [
            record_of(call, [part for pair in fields.items() for part in pair], None, [])
            if fields
            else None
            for (call, _), fields in zip(entries, found, strict=True)
        ]
