"""Reads the data of a call from Redis with a plain client, as an outsider would see it."""

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything of one call.

    Args:
        record: The hash.
        ids: The stream's entry IDs.
        lines: The stream's entries, each with its fields in their order.
        lives_s: How long each key still has to live; -1 for ever.
    """

    record: dict[str, str]
    ids: list[str]
    lines: list[dict[str, str]]
    lives_s: dict[str, int]

    @property
    def said(self) -> list[tuple[str, str]]:
        """Role and text of each line."""
        return [(line["role"], line["text"]) for line in self.lines]

    @property
    def heard(self) -> list[tuple[str, str]]:
        """Role of each line, and how much of it was heard."""
        return [(line["role"], line["heard"]) for line in self.lines]


async def stored(redis: Redis, call_sid: str) -> Stored:
    """Read a call."""
    client: Any = redis  # whose types know nothing of decode_responses
    key = f"offhook:{{{call_sid}}}"
    entries = await client.xrange(f"{key}:lines")
    names = await client.keys(f"*{call_sid}*")
    return Stored(
        record=await client.hgetall(f"{key}:call"),
        ids=[entry_id for entry_id, _ in entries],
        lines=[line for _, line in entries],
        lives_s={name: await client.ttl(name) for name in names},
    )


async def spent(redis: Redis) -> dict[str, int]:
    """All amounts of the one day that there is, in nano-dollars."""
    client: Any = redis  # whose types know nothing of decode_responses
    [key] = await client.keys("offhook:spent:*")
    return {name: int(value) for name, value in (await client.hgetall(key)).items()}
