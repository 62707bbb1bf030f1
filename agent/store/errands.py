"""What is still to be done for calls that are over, so that it outlives the worker of the call.

An errand belongs to one call and has steps, one after another: first the summary, then a post about
the messages that were taken, if there are any, then one about the call.
Workers claim errands that are due, as they claim orphans: whoever dies over one loses it to another
worker when the claim ends. A step is counted as tried before it is done.

Keys, beside those of the call:

    offhook:errands               sorted set: each id, with the Unix time in ms at which its
                                  errand is due, or its claim ends
    offhook:{<id>}:errand    hash: step, attempts, since_ms
    offhook:{<id>}:summary   string: JSON
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from redis.asyncio import Redis

from agent.store import due_scripts
from agent.store.failures import store_away

ERRANDS = "offhook:errands"

FIRST_DUE_MS = 2_000
"""How long after its call is over an errand is due: the call's last lines may still follow."""

type Step = Literal["summary", "message", "webhook", "done"]


@dataclass(frozen=True, slots=True)
class Errand:
    """An errand that this worker has claimed.

    Args:
        conversation_id: The call.
        claimed_until_ms: No other worker gets it before this time (Redis' clock, Unix ms).
    """

    conversation_id: str
    claimed_until_ms: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a step.

    Args:
        step: What is to be done.
        number: Which attempt this is, from 1.
        since_ms: When the first attempt at this step began (Unix ms).
        age_ms: How long ago that was.
    """

    step: Step
    number: int
    since_ms: int
    age_ms: int


class Errands(Protocol):
    """The errands of all workers. Every method may raise `StoreAway`."""

    async def add(self, conversation_id: str) -> None:
        """Add the errand of a call that is about to be stored as over. May be repeated."""
        ...

    async def claim(self, most: int, claim_ms: int) -> Sequence[Errand]:
        """Claim errands that are due. Each goes to only one worker within `claim_ms`."""
        ...

    async def begin(self, errand: Errand) -> Attempt | Literal["running", "gone"]:
        """Begin an attempt at the errand's next step.

        Returns:
            The attempt; ``running`` if the call is not over after all; ``gone`` if nothing is
            stored of it any more.
        """
        ...

    async def advance(
        self, errand: Errand, step: Step, summary: str | None = None, usd: float | None = None
    ) -> None:
        """A step is done, and `step` is next. Keep the call's summary if one is given, and in the
        call's record what it cost, in US dollars.
        """
        ...

    async def summary(self, conversation_id: str) -> str | None:
        """The summary that was kept, or None."""
        ...

    async def postpone(self, errand: Errand, delay_ms: int) -> None:
        """End the claim; the errand is due again after this time. No effect on a lost claim."""
        ...

    async def settle(self, errand: Errand) -> None:
        """Remove an errand of which nothing is left to do. No effect on a lost claim."""
        ...


class RedisErrands:
    """The `Errands` in Redis."""

    def __init__(self, client: Redis, ttl_s: int, first_due_ms: int = FIRST_DUE_MS) -> None:
        self._ttl_s = ttl_s
        self._first_due_ms = first_due_ms
        self._client = client
        self._add = client.register_script(due_scripts.ADD_ERRAND)
        self._claim = client.register_script(due_scripts.CLAIM_ERRANDS)
        self._begin = client.register_script(due_scripts.BEGIN_ERRAND)
        self._advance = client.register_script(due_scripts.ADVANCE_ERRAND)
        self._postpone = client.register_script(due_scripts.POSTPONE_ERRAND)
        self._settle = client.register_script(due_scripts.SETTLE)

    async def add(self, conversation_id: str) -> None:
        """See `Errands.add`."""
        with store_away():
            await self._add(keys=[ERRANDS], args=(self._ttl_s, conversation_id, self._first_due_ms))

    async def claim(self, most: int, claim_ms: int) -> Sequence[Errand]:
        """See `Errands.claim`."""
        with store_away():
            until_ms, due = await self._claim(keys=[ERRANDS], args=(self._ttl_s, most, claim_ms))
        return [Errand(conversation_id, int(until_ms)) for conversation_id in due]

    async def begin(self, errand: Errand) -> Attempt | Literal["running", "gone"]:
        """See `Errands.begin`."""
        with store_away():
            keys = _keys(errand.conversation_id, "call", "errand")
            answer: list[Any] = await self._begin(keys=keys, args=(self._ttl_s,))
        if answer[0] in {"running", "gone"}:
            return answer[0]  # type: ignore[no-any-return]  # just compared
        step, number, since_ms, age_ms = answer
        return Attempt(step, int(number), int(since_ms), int(age_ms))

    async def advance(
        self, errand: Errand, step: Step, summary: str | None = None, usd: float | None = None
    ) -> None:
        """See `Errands.advance`."""
        with store_away():
            keys = _keys(errand.conversation_id, "errand", "summary", "call")
            cost = "" if usd is None else f"{usd:.6f}"
            await self._advance(keys=keys, args=(self._ttl_s, step, summary or "", cost))

    async def summary(self, conversation_id: str) -> str | None:
        """See `Errands.summary`."""
        with store_away():
            found = await self._client.get(_keys(conversation_id, "summary")[0])
        return None if found is None else str(found)

    async def postpone(self, errand: Errand, delay_ms: int) -> None:
        """See `Errands.postpone`."""
        args = (self._ttl_s, errand.conversation_id, errand.claimed_until_ms, delay_ms)
        with store_away():
            await self._postpone(keys=[ERRANDS], args=args)

    async def settle(self, errand: Errand) -> None:
        """See `Errands.settle`."""
        with store_away():
            await self._settle(
                keys=[ERRANDS], args=(errand.conversation_id, errand.claimed_until_ms)
            )


def _keys(conversation_id: str, *names: str) -> list[str]:
    return [f"offhook:{{{conversation_id}}}:{name}" for name in names]
