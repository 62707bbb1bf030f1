"""The legs of transfers: where each stands, and when somebody has to look after its caller.

The leg is a part of the call's next step (`agent.conversation.next_step`). Besides it, there is one
key for all calls:

    offhook:on_hold   sorted set: each call whose caller waits, with the Unix time in ms at which
                      a worker must look after it, whatever has become of the worker before
"""

from collections.abc import Sequence
from typing import Protocol

from redis.asyncio import Redis

from agent.conversation.next_step import Move, NextStep
from agent.store import due_scripts, step_scripts
from agent.store.failures import store_away
from agent.store.records import fields_of, step_in

ON_HOLD = "offhook:on_hold"

AT_ONCE = 20
"""How many calls one worker looks after at a time."""


class Legs(Protocol):
    """The legs of all workers' calls. Every method may raise `StoreAway`."""

    async def hold(self, conversation_id: str, n: int, summary: str, ours: str) -> NextStep | None:
        """Store that the caller waits for the target of step `n`; see `NextStep.held`.

        May be repeated. Returns the step as it stands now, if there is one.
        """
        ...

    async def move(
        self, conversation_id: str, n: int, move: Move, leg_id: str = ""
    ) -> tuple[NextStep | None, bool]:
        """Move the leg of step `n`; see `NextStep.moved`.

        Returns:
            The step as it stands now, if there is one; and whether this call has moved it.
        """
        ...

    async def answered(
        self, conversation_id: str, n: int, guess: str, reason: str
    ) -> NextStep | None:
        """Store that the target of step `n`, a transfer without a leg, has answered. May be
        repeated, and come late: a call that is over by then for the reason `guess` is so for
        `reason`. Of another step it changes nothing.

        Returns:
            The step as it stands now, if there is one.
        """
        ...

    async def watch(self, conversation_id: str, within_ms: int, *, sooner: bool = False) -> None:
        """Have a worker look after a call once `within_ms` have passed.

        Args:
            conversation_id: The call.
            within_ms: The time.
            sooner: Whether that counts even if a later time was asked for.
        """
        ...

    async def overdue(self, claim_ms: int) -> Sequence[str]:
        """The calls that somebody has to look after now. Nobody else gets them in `claim_ms`."""
        ...

    async def unwatch(self, conversation_id: str) -> None:
        """Nobody needs to look after this call any more. May be repeated."""
        ...


class RedisLegs:
    """The `Legs` in Redis.

    Args:
        client: The connection.
        ttl_s: How long a call's record is kept.
    """

    def __init__(self, client: Redis, ttl_s: int) -> None:
        self._client, self._ttl_s = client, ttl_s
        self._hold = client.register_script(step_scripts.HOLD_LINE)
        self._move = client.register_script(step_scripts.MOVE_LEG)
        self._answered = client.register_script(step_scripts.ANSWERED)
        self._watch = client.register_script(step_scripts.WATCH_LINE)
        self._claim = client.register_script(due_scripts.CLAIM_ERRANDS)

    async def hold(self, conversation_id: str, n: int, summary: str, ours: str) -> NextStep | None:
        """See `Legs.hold`."""
        with store_away():
            args = (self._ttl_s, n, summary, ours)
            return step_in(fields_of(await self._hold(keys=_keys(conversation_id), args=args)))

    async def move(
        self, conversation_id: str, n: int, move: Move, leg_id: str = ""
    ) -> tuple[NextStep | None, bool]:
        """See `Legs.move`."""
        with store_away():
            args = (self._ttl_s, n, leg_id, move.to or "", move.outcome, *sorted(move.of))
            moved, flat = await self._move(keys=_keys(conversation_id), args=args)
        return step_in(fields_of(flat)), bool(moved)

    async def answered(
        self, conversation_id: str, n: int, guess: str, reason: str
    ) -> NextStep | None:
        """See `Legs.answered`."""
        with store_away():
            args = (self._ttl_s, n, guess, reason)
            return step_in(fields_of(await self._answered(keys=_keys(conversation_id), args=args)))

    async def watch(self, conversation_id: str, within_ms: int, *, sooner: bool = False) -> None:
        """See `Legs.watch`."""
        with store_away():
            args = (self._ttl_s, conversation_id, within_ms, int(sooner))
            await self._watch(keys=[ON_HOLD], args=args)

    async def overdue(self, claim_ms: int) -> Sequence[str]:
        """See `Legs.overdue`."""
        with store_away():
            _, due = await self._claim(keys=[ON_HOLD], args=(self._ttl_s, AT_ONCE, claim_ms))
        return tuple(due)

    async def unwatch(self, conversation_id: str) -> None:
        """See `Legs.unwatch`."""
        with store_away():
            await self._client.zrem(ON_HOLD, conversation_id)


def _keys(conversation_id: str) -> list[str]:
    return [f"offhook:{{{conversation_id}}}:{name}" for name in ("call", "lines", "checkpoint")]
