"""The calls that are placed: how many to each number in a day, and one a second, over all workers.

One script checks and reserves, so that no race places a call too many:

    offhook:{dials}:<day>:<hash>   set: the calls that were placed to a number, named by a keyed
                                   hash, in a day of its own time zone
    offhook:{dials}:next           string: when the next call may be placed, by Redis' clock

A call that was reserved counts, whatever becomes of it, until it is given back. Nothing is counted
while the store is away; then no call may be placed.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from redis.asyncio import Redis

from agent.store.failures import store_away
from agent.store.scripts import PREAMBLE

KEPT_S = 3 * 24 * 3600
"""How long a day is kept after its last call: until it is over everywhere."""

INTERVAL_MS = 1_000
"""The time between two calls. Twilio places one a second, and would queue what comes faster."""

LONGEST_WAIT_MS = 30_000
"""How long a call may have to wait for its turn; the queue is full beyond that."""

_NEXT = "offhook:{dials}:next"

RESERVE = """
local placed, next = KEYS[1], KEYS[2]
local id, most, interval_ms, longest_ms = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('SCARD', placed) >= most then return {'too often', 0} end
local due = math.max(now, tonumber(redis.call('GET', next) or 0))
if due - now > longest_ms then return {'full', due - now} end
redis.call('SADD', placed, id)
redis.call('EXPIRE', placed, ARGV[5])
local wait_ms = due - now + interval_ms
redis.call('SET', next, string.format('%d', due + interval_ms), 'PX', string.format('%d', wait_ms))
return {'ok', due - now}
"""

# ARGV: ttl_s, persona, consent, called ("" if nobody is told of it).
PLACED = f"""{PREAMBLE}
create()
redis.call('HSET', call, 'persona', ARGV[2], 'direction', 'outbound', 'consent', ARGV[3])
if ARGV[4] ~= '' then redis.call('HSET', call, 'caller', ARGV[4]) end
refresh()
"""


@dataclass(frozen=True, slots=True)
class Reserved:
    """The answer to a reservation.

    Args:
        refused: Why the call may not be placed: its number was called ``too often`` today, or the
            queue is ``full``; "" if it may.
        wait_ms: How long to wait before it is placed; with ``full``, how long it would have been.
    """

    refused: Literal["", "too often", "full"]
    wait_ms: int


class Dials(Protocol):
    """The placed calls of all workers. Every method may raise `StoreAway`."""

    async def reserve(self, called: str, day: str, dial_id: str, most: int) -> Reserved:
        """Count one more call to a number, and give it its turn, in one step.

        Args:
            called: A keyed hash of the number.
            day: The day where the number is.
            dial_id: A name of its own for this call.
            most: How many calls to the number may be placed in a day.
        """
        ...

    async def give_back(self, called: str, day: str, dial_id: str) -> None:
        """The call was not placed: it does not count. May be repeated."""
        ...

    async def placed(self, conversation_id: str, persona: str, consent: str, called: str) -> None:
        """Make the record of a call that was placed, or complete it if there is one already.

        Args:
            conversation_id: The call.
            persona: The name of the agent that calls.
            consent: When and how the person agreed to be called.
            called: Who is called, if a webhook of the owner is told of it; else "".
        """
        ...


class RedisDials:
    """The `Dials` in Redis.

    Args:
        client: The connection.
        ttl_s: How long a call's record is kept.
    """

    def __init__(self, client: Redis, ttl_s: int) -> None:
        self._client, self._ttl_s = client, ttl_s
        self._reserve = client.register_script(RESERVE)
        self._placed = client.register_script(PLACED)

    async def reserve(self, called: str, day: str, dial_id: str, most: int) -> Reserved:
        """See `Dials.reserve`."""
        args = (dial_id, most, INTERVAL_MS, LONGEST_WAIT_MS, KEPT_S)
        with store_away():
            answer: list[Any] = await self._reserve(keys=[_key(called, day), _NEXT], args=args)
        said, wait_ms = answer
        return Reserved("" if said == "ok" else said, int(wait_ms))

    async def give_back(self, called: str, day: str, dial_id: str) -> None:
        """See `Dials.give_back`."""
        with store_away():
            await self._client.srem(_key(called, day), dial_id)

    async def placed(self, conversation_id: str, persona: str, consent: str, called: str) -> None:
        """See `Dials.placed`."""
        keys = [f"offhook:{{{conversation_id}}}:{name}" for name in ("call", "lines", "checkpoint")]
        with store_away():
            await self._placed(keys=keys, args=(self._ttl_s, persona, consent, called))


def _key(called: str, day: str) -> str:
    return f"offhook:{{dials}}:{day}:{called}"
