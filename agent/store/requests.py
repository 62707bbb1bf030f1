"""Requests that must be carried out once, though whoever asks may ask again: by a key of theirs.

    offhook:request:<hash>   hash: body (a keyed hash of what was asked), owner (the attempt that
                             carries it out), stage (waits, asks), until_ms, and once it is done
                             answer and call

One script begins a request, so that of any number that race one is carried out. An attempt whose
worker dies, or whose end was lost, never ends. Before it does what must not be done twice, it says
so here: it `asks`. If it had not, another attempt takes the request over once its time is over, and
it cannot ask any more. If it had, nobody knows what became of it, and it is not repeated.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from redis.asyncio import Redis

from agent.store.failures import store_away

KEPT_S = 24 * 3600
"""How long an answer is kept."""

WAITS_MS = 45_000
"""How long an attempt may take before it asks: to wait for its turn, and some."""

ASKS_MS = 60_000
"""How long it may take then: to ask Twilio, and some."""

PREFIX = "offhook:request:"

BEGIN = """
local request, body, owner, waits_ms, kept_s = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', request, 'body', 'until_ms', 'answer', 'stage')
local over = known[1] and now > tonumber(known[2])
if not known[1] or (known[4] == 'waits' and not known[3] and over) then
  redis.call('HSET', request, 'body', body, 'owner', owner, 'stage', 'waits',
    'until_ms', string.format('%d', now + waits_ms))
  redis.call('EXPIRE', request, kept_s)
  return {'begun', ''}
end
if known[1] ~= body then return {'other', ''} end
if known[3] then return {'done', known[3]} end
if over then return {'unknown', ''} end
return {'running', ''}
"""

# Only the attempt that began it, and from which nobody has taken it over.
ASK = """
local request, owner, asks_ms = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HGET', request, 'owner') ~= owner then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', request, 'stage', 'asks', 'until_ms', string.format('%d', now + asks_ms))
return 1
"""

# Likewise.
END = """
local request, owner, answer, call, kept_s = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', request, 'owner') ~= owner then return 0 end
if answer == '' then return redis.call('DEL', request) end
redis.call('HSET', request, 'answer', answer, 'call', call)
redis.call('EXPIRE', request, kept_s)
return 1
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """How a request stands.

    Args:
        state: ``begun`` by this attempt; ``running`` by another one; ``done``; ``unknown``, as an
            attempt that asked has never ended; or the key was used for an ``other`` request.
        answer: What was answered when it was done.
    """

    state: Literal["begun", "running", "done", "unknown", "other"]
    answer: str = ""


class Requests(Protocol):
    """The requests of all workers. Every method may raise `StoreAway`."""

    async def begin(self, key: str, body: str, owner: str) -> Begun:
        """Begin a request, in one step, or see how it stands.

        Args:
            key: A keyed hash of the key that whoever asks has given it.
            body: A keyed hash of what is asked.
            owner: A name of its own for this attempt.
        """
        ...

    async def ask(self, key: str, owner: str) -> bool:
        """Note that this attempt is about to do what must not be done twice.

        Args:
            key: As for `begin`.
            owner: As for `begin`.

        Returns:
            Whether it may: another attempt has not taken the request over.
        """
        ...

    async def end(self, key: str, owner: str, answer: str, conversation_id: str = "") -> None:
        """Keep the answer to a request that this attempt has begun; "" to forget the request, as
        nothing was done.

        Args:
            key: As for `begin`.
            owner: As for `begin`.
            answer: The answer.
            conversation_id: The call that it is about, with which it is purged; "" for none.
        """
        ...


class RedisRequests:
    """The `Requests` in Redis.

    Args:
        client: The connection.
    """

    def __init__(self, client: Redis) -> None:
        self._begin = client.register_script(BEGIN)
        self._ask = client.register_script(ASK)
        self._end = client.register_script(END)

    async def begin(self, key: str, body: str, owner: str) -> Begun:
        """See `Requests.begin`."""
        args = (body, owner, WAITS_MS, KEPT_S)
        with store_away():
            state, answer = await self._begin(keys=[f"{PREFIX}{key}"], args=args)
        return Begun(state, answer)

    async def ask(self, key: str, owner: str) -> bool:
        """See `Requests.ask`."""
        with store_away():
            return bool(await self._ask(keys=[f"{PREFIX}{key}"], args=(owner, ASKS_MS)))

    async def end(self, key: str, owner: str, answer: str, conversation_id: str = "") -> None:
        """See `Requests.end`."""
        args = (owner, answer, conversation_id, KEPT_S)
        with store_away():
            await self._end(keys=[f"{PREFIX}{key}"], args=args)
