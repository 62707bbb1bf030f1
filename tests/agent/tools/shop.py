"""A small HTTP server that remembers what it is asked.

listening socket   acquired: `Shop.__aenter__`; released: `__aexit__`
"""

import asyncio
from contextlib import suppress
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n"
DEEP = b"[" * 100_000
ANSWERS = {
    "/odd": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=klingon\r\n"
    b"Content-Length: 2\r\n\r\nOK",
    "/deep": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    + b"Content-Length: %d\r\n\r\n" % len(DEEP)
    + DEEP,
    "/redirect": b"HTTP/1.1 302 Found\r\nLocation: /orders\r\nContent-Length: 0\r\n\r\n",
    "/breaks": b"",
    "/breaks-off": b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n",
    "/gateway": b"HTTP/1.1 504 Late\r\nContent-Length: 0\r\n\r\n",
    "/busy": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    "/flood": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000000\r\n\r\n"
    + b"x" * 5_000_000,
}


class Shop:
    """Its orders are all shipped."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bytes]] = []
        self.headers: dict[str, str] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        self.headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(self.headers.get("content-length", 0)))
        self.asked.append((method, target, body))
        if target == "/stalls":
            await reader.read()  # until the client leaves
        if target == "/trickles":
            await _trickle(reader, writer)
        writer.write(ANSWERS.get(target, OK + b'{"status": "shipped"}'))
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()


async def _trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a little of an answer again and again, until the client leaves."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not reader.at_eof():
        writer.write(b"X-More: yes\r\n")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read()
