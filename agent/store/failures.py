"""Turns redis-py's exceptions and Redis' error codes into one short reason why the store is away.

Source: Redis, "RESP protocol" (errors begin with a code in capitals) and redis-py 8.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from agent.store.base import StoreAway

WHY: dict[str, str] = {
    "BUSY": "busy",
    "CLUSTERDOWN": "cluster down",
    "CROSSSLOT": "wrong node",
    "LOADING": "loading",
    "MASTERDOWN": "no master",
    "MISCONF": "cannot persist",
    "MOVED": "wrong node",
    "NOAUTH": "not authenticated",
    "NOPERM": "not permitted",
    "NOREPLICAS": "no replicas",
    "NOSCRIPT": "script lost",
    "OOM": "out of memory",
    "READONLY": "read-only",
    "TRYAGAIN": "wrong node",
    "WRONGPASS": "not authenticated",
    "WRONGTYPE": "wrong type",
}


PHRASES = frozenset(WHY.values()) | {"timeout", "unreachable", "refused"}
"""All values that `StoreAway.why` can have."""


def why(error: exceptions.RedisError) -> str:
    """The reason for an error, one of `PHRASES`."""
    # Redis 6 puts the error code of a command in a script into the text
    for code in (error.status_code, *re.findall(r"\b[A-Z]{3,}\b", str(error))):
        if code in WHY:
            return WHY[code]
    # Before authentication, Redis refuses a long command without reading it.
    if "unauthenticated" in str(error):
        return "not authenticated"
    match error:
        case exceptions.TimeoutError():
            return "timeout"
        case exceptions.AuthenticationError():
            return "not authenticated"
        case exceptions.ConnectionError():
            return "unreachable"
        case _:
            return "refused"


@contextmanager
def store_away() -> Iterator[None]:
    """Raise every failure of Redis in this block as `StoreAway`."""
    try:
        yield
    except exceptions.RedisError as error:
        raise StoreAway(why(error), str(error)) from error
