"""A WebSocket connection that also takes a POST, which the WebSocket library cannot.

The library refuses a request with a body. So the body is taken out of what was received, and the
library reads the rest, an ordinary request whose method is POST.
"""

import re

from websockets.asyncio.server import ServerConnection

MOST_BYTES = 16 * 2**20

_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]+)[ \t]*\r$")


class PostOrWebSocket(ServerConnection):
    """`body` is what was posted, once the request is being answered; b"" for a WebSocket."""

    body = b""
    _received: bytes | None = b""

    def data_received(self, data: bytes) -> None:
        """Hold back a POST until all of it is there."""
        if self._received is None:
            super().data_received(data)
            return
        self._received += data
        if not b"POST ".startswith(self._received[:5]) or len(self._received) > MOST_BYTES:
            self._pass_on(self._received)
            return
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head + b"\r\n")
        if length is None or len(body) >= int(length[1]):
            self.body = body
            self._pass_on(_LENGTH.sub(b"Content-Length: 0\r", head + b"\r\n") + b"\r\n")

    def _pass_on(self, data: bytes) -> None:
        self._received = None
        super().data_received(data)
