"""What a call costs besides the model and its own line: other lines, and text messages.

Each has a field of the call's record, `cost_<what>`, in nano-dollars. To store it again changes
nothing, so that a webhook may be repeated.
"""

from typing import Protocol

from redis.asyncio import Redis

from agent.store.failures import store_away
from agent.store.scripts import COST_PREFIX, PREAMBLE

# ARGV: ttl_s, field, nano-dollars. A call that is gone stays gone.
NOTE_COST = f"""{PREAMBLE}
if redis.call('EXISTS', call) == 0 then return 0 end
local new = redis.call('HSETNX', call, ARGV[2], ARGV[3])
refresh()
return new
"""


class Besides(Protocol):
    """What calls cost besides."""

    async def note(self, conversation_id: str, what: str, cost: int) -> bool:
        """Store what something has cost, once.

        Args:
            conversation_id: The call.
            what: What it is, by a name that nothing else of this call has.
            cost: In nano-dollars.

        Returns:
            Whether it is new, and the call is known.

        Raises:
            StoreAway: The store cannot be used.
        """
        ...


class RedisBesides:
    """The `Besides` in Redis.

    Args:
        client: The connection.
        ttl_s: How long a call's record is kept.
    """

    def __init__(self, client: Redis, ttl_s: int) -> None:
        self._note, self._ttl_s = client.register_script(NOTE_COST), ttl_s

    async def note(self, conversation_id: str, what: str, cost: int) -> bool:
        """See `Besides.note`."""
        keys = [f"offhook:{{{conversation_id}}}:{name}" for name in ("call", "lines", "checkpoint")]
        with store_away():
            args = (self._ttl_s, f"{COST_PREFIX}{what}", cost)
            return bool(await self._note(keys=keys, args=args))
