"""The SDK's WebSocket, which tells when TLS is set up."""

import asyncio
from contextvars import ContextVar
from typing import Any

from websockets.asyncio.client import ClientConnection

secured: ContextVar[asyncio.Event] = ContextVar("secured")
"""Of the attempt to connect that the present task is."""


class Wire(ClientConnection):
    """The library's connection, to be handed to the SDK: sets `secured` when TLS is set up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._secured = secured.get()

    async def handshake(self, *args: Any, **options: Any) -> None:
        """That of the WebSocket, which follows."""
        self._secured.set()
        await super().handshake(*args, **options)
