"""A webhook's receiver, that checks each signature by what Standard Webhooks says, on its own.

listening socket    acquired and released: `receiving`
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.end_to_end.watching import Watch

SECRET = "whsec_" + base64.b64encode(b"a secret of the receiver").decode()


@dataclass(frozen=True, slots=True)
class Post:
    """One post, and whether its signature is right."""

    path: str
    headers: dict[str, str]
    body: Any
    is_signed: bool


@dataclass(slots=True)
class Webhook:
    """The receiver; `statuses` are its next answers, and then it answers 204."""

    url: str
    secret: str = SECRET
    statuses: list[int] = field(default_factory=list)
    posts: Watch[Post] = field(default_factory=Watch)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one post."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.partition(": ") for line in head[1:] if line)
        headers = {name.lower(): value for name, _, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        path = head[0].split(" ")[1]
        self.posts(Post(path, headers, json.loads(body), self._is_signed(headers, body)))
        status = self.statuses.pop(0) if self.statuses else 204
        answer = f"HTTP/1.1 {status} Answer\r\ncontent-length: 0\r\nconnection: close\r\n"
        answer += "location: /elsewhere\r\n\r\n"
        writer.write(answer.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    def _is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        key = self.secret.encode()
        if self.secret.startswith("whsec_"):
            key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = b".".join(
            [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
        )
        expected = hmac.new(key, signed, hashlib.sha256).digest()
        version, _, given = headers["webhook-signature"].partition(",")
        return version == "v1" and hmac.compare_digest(base64.b64decode(given), expected)


@asynccontextmanager
async def receiving(statuses: Iterable[int] = ()) -> AsyncIterator[Webhook]:
    """A receiver on a free port."""
    webhook = Webhook("", statuses=list(statuses))
    async with await asyncio.start_server(webhook.answer, "127.0.0.1", 0) as server:
        webhook.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/calls"
        yield webhook
