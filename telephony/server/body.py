"""Reads the body of a request, within a limit of size and time."""

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect

BODY_LIMIT_S = 5.0


class BodyError(Exception):
    """The body did not come. `why` is a fixed phrase: too long, slow, gone."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def body_of(request: Request, limit_bytes: int) -> bytes:
    """The whole body.

    Raises:
        BodyError: It is longer than `limit_bytes`, takes longer than `BODY_LIMIT_S`, or its sender
            has gone.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_LIMIT_S):
            async for part in request.stream():
                body += part
                if len(body) > limit_bytes:
                    raise BodyError("too long")
    except TimeoutError:
        raise BodyError("slow") from None
    except ClientDisconnect:
        raise BodyError("gone") from None
    return bytes(body)
