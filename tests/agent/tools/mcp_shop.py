"""An MCP server made with the official library: a shop, over its standard streams, or HTTP.

python mcp_shop.py                   # stdio
python mcp_shop.py http              # prints its URL; wants the header X-Key: k
"""

import os
import socket
import sys
from typing import Any

import anyio
import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.types import ASGIApp, Receive, Scope, Send

shop = MCPServer("shop", log_level="CRITICAL")
asked: list[str] = []


@shop.tool()
def order_status(order: str) -> dict[str, str]:
    """Looks up where an order is."""
    asked.append(order)
    return {"status": "on its way", "arrives": "tomorrow", "key": os.environ.get("SHOP_KEY", "")}


@shop.tool()
def how_often() -> int:
    """Tells how often this process looked something up."""
    return len(asked)


@shop.tool()
async def hangs(order: str) -> str:
    """Never returns."""
    await anyio.sleep_forever()
    return order


@shop.tool()
def dies_once(marker: str) -> str:
    """Ends this process, but only the first time."""
    if not os.path.exists(marker):  # noqa: PTH110 - the shortest there is
        os.close(os.open(marker, os.O_CREAT))
        os._exit(3)
    return "back"


@shop.tool()
def fails() -> str:
    """Raises."""
    raise ValueError("nobody is told")


@shop.tool()
def nothing() -> None:
    """Returns nothing."""


@shop.tool()
def flood() -> str:
    """Returns 5 MB."""
    return "x" * 5_000_000


class WantsKey:
    """Refuses requests without the key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope.get("headers", ()))
        if scope["type"] != "http" or headers.get(b"x-key") == b"k":
            await self._app(scope, receive, send)
            return
        start: dict[str, Any] = {"type": "http.response.start", "status": 401, "headers": []}
        await send(start)
        await send({"type": "http.response.body"})


def main() -> None:
    """Serve until the other side is gone."""
    if sys.argv[1:] != ["http"]:
        shop.run("stdio")
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        print(f"http://127.0.0.1:{port}/mcp", flush=True)  # noqa: T201 - how it tells
        app = WantsKey(shop.streamable_http_app())
        uvicorn.Server(uvicorn.Config(app, log_config=None)).run(sockets=[listener])


if __name__ == "__main__":
    main()
