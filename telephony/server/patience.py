"""Limits how long a caller waits for the store. After that the call goes on without it."""

import asyncio
from collections.abc import Awaitable

from agent.store.base import StoreAway

STORE_PATIENCE_S = 1.0


async def patiently[T](answer: Awaitable[T]) -> T:
    """The store's answer, if it comes in time.

    Raises:
        StoreAway: The answer did not come in time, or the store itself is away.
    """
    try:
        async with asyncio.timeout(STORE_PATIENCE_S):
            return await answer
    except TimeoutError:
        raise StoreAway("timeout") from None
