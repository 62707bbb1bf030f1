"""Proxies in front of a server: one that ends TLS, and one that fails.

listening socket, connections   acquired and released: `public`, `failing`
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Front:
    """A tunnel's public end, on this machine.

    Attributes:
        public_url: For PUBLIC_URL.
        leads_to: The server's port; may change at any time.
        refuses: A prefix of paths that get 404, as of a proxy that knows only some; "" for none.
        fails: How many of the next requests for a path get 503.
    """

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url
        self.leads_to = 0
        self.refuses = ""
        self.fails: Counter[str] = Counter()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both sides have ended it."""
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split()[1].decode()
        answer = b""
        if self.refuses and path.startswith(self.refuses):
            answer = b"404 Not Found"
        if self.fails[path]:
            self.fails[path] -= 1
            answer = b"503 Service Unavailable"
        if answer:
            writer.write(b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % answer)
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.leads_to)
        back.write(head)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_pass_on(reader, back))
            tasks.create_task(_pass_on(there, writer))


@asynccontextmanager
async def public(ca_file: Path) -> AsyncIterator[Front]:
    """A front with the certificate in `ca_file`; its key is beside it."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca_file, ca_file.with_name("key.pem"))
    front = Front("")
    async with await asyncio.start_server(front.carry, "127.0.0.1", 0, ssl=tls) as listener:
        port = listener.sockets[0].getsockname()[1]
        front.public_url = f"https://127.0.0.1:{port}"
        yield front


@asynccontextmanager
async def failing(worker_url: str) -> AsyncIterator[Front]:
    """A proxy before a worker, without TLS, that fails when it is told to."""
    front = Front("")
    front.leads_to = int(worker_url.rpartition(":")[2])
    async with await asyncio.start_server(front.carry, "127.0.0.1", 0) as listener:
        front.public_url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield front


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            target.write(data)
            await target.drain()
    except ConnectionError:
        pass  # the other side is gone, and so is this one
    finally:
        target.close()
