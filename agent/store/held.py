"""Which calls no worker holds any more: each call has a lease, which its worker renews.

One key for all calls, so that a worker renews all its leases in one round trip:

    offhook:leases   sorted set: each id, with the Unix time in ms at which its lease ends
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio import Redis

from agent.store import due_scripts
from agent.store.failures import store_away

LEASES = "offhook:leases"
ORPHANS_AT_ONCE = 50
"""How many orphans one worker gets at a time, so that others get some too."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A call whose lease has ended, because no worker holds it. This worker must rescue it.

    Args:
        conversation_id: The call.
        claimed_until_ms: No other worker gets the call before this time (Redis' clock, Unix ms).
    """

    conversation_id: str
    claimed_until_ms: int


class Held(Protocol):
    """The leases of all workers' calls. Every method may raise `StoreAway`."""

    async def hold(
        self,
        held: Collection[str],
        let_go: Collection[str],
        *,
        lease_ms: int,
        claim_ms: int | None,
    ) -> tuple[Orphan, ...]:
        """Renew the leases of this worker's calls, and get orphans, in one round trip.

        Args:
            held: The calls that go on here; their leases are renewed.
            let_go: Calls that are over; no worker needs to rescue them.
            lease_ms: How long a lease lasts if it is not renewed.
            claim_ms: How long no other worker gets the same orphan; None to get no orphans.

        Returns:
            Calls whose leases have ended. Each goes to only one worker within `claim_ms`.
        """
        ...

    async def is_orphan(self, orphan: Orphan) -> bool:
        """Whether no worker has held the call since `hold` returned it."""
        ...

    async def settle(self, orphan: Orphan) -> None:
        """Remove an orphan that was rescued. If a worker holds it again, its lease stays."""
        ...


class RedisHeld:
    """The `Held` in Redis.

    Args:
        client: The connection.
        ttl_s: How long a call's record is kept.
    """

    def __init__(self, client: Redis, ttl_s: int) -> None:
        self._client, self._ttl_s = client, ttl_s
        self._hold = client.register_script(due_scripts.HOLD)
        self._settle = client.register_script(due_scripts.SETTLE)

    async def hold(
        self,
        held: Collection[str],
        let_go: Collection[str],
        *,
        lease_ms: int,
        claim_ms: int | None,
    ) -> tuple[Orphan, ...]:
        """See `Held.hold`."""
        how = (self._ttl_s, lease_ms, claim_ms or 0, ORPHANS_AT_ONCE, len(held))
        with store_away():
            until_ms, orphans = await self._hold(keys=[LEASES], args=(*how, *held, *let_go))
        return tuple(Orphan(conversation_id, int(until_ms)) for conversation_id in orphans)

    async def is_orphan(self, orphan: Orphan) -> bool:
        """See `Held.is_orphan`."""
        with store_away():
            until_ms = await self._client.zscore(LEASES, orphan.conversation_id)
        return until_ms == orphan.claimed_until_ms

    async def settle(self, orphan: Orphan) -> None:
        """See `Held.settle`."""
        with store_away():
            await self._settle(
                keys=[LEASES], args=(orphan.conversation_id, orphan.claimed_until_ms)
            )
