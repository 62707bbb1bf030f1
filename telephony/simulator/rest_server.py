"""Twilio's REST API over HTTP on this machine, for Twilio's own client library.

listening socket, server task   acquired: `SimulatedRest.__aenter__`; released: `__aexit__`
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Self
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response

from telephony.simulator.rest import Hang, RestAccount, RestRequest

STOP_LIMIT_S = 1
"""How long a hanging request may delay the end."""


class SimulatedRest:
    """The API on 127.0.0.1; use with ``async with``.

    Args:
        account: The account that answers; tests can examine it.
        port: The port to listen on; 0 for any free port.

    Raises:
        OSError: The port is in use.
    """

    def __init__(self, account: RestAccount, *, port: int = 0) -> None:
        self.account = account
        self._port = port
        self._held = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as held:
            listener = held.enter_context(socket.create_server(("127.0.0.1", self._port)))
            self._port = listener.getsockname()[1]
            server = _Server(
                uvicorn.Config(
                    _application(self.account),
                    date_header=False,
                    lifespan="off",
                    log_config=None,
                    timeout_graceful_shutdown=STOP_LIMIT_S,
                )
            )
            tasks = await held.enter_async_context(asyncio.TaskGroup())
            tasks.create_task(server.serve([listener]), name="rest")
            held.callback(server.stop)
            self._held = held.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.aclose()

    @property
    def url(self) -> str:
        """The URL for TWILIO_API_URL, once entered."""
        return f"http://127.0.0.1:{self._port}"


async def serve(account: RestAccount, *, port: int) -> None:
    """Run the API until cancelled. Print first the settings that a client needs.

    Raises:
        OSError: The port is in use.
    """
    async with SimulatedRest(account, port=port) as rest:
        print(f"export TWILIO_API_URL={rest.url}")  # noqa: T201 - a command's output
        print(f"export TWILIO_ACCOUNT_SID={account.sid}")  # noqa: T201 - a command's output
        print(f"export TWILIO_AUTH_TOKEN={account.auth_token}", flush=True)  # noqa: T201 - a command's output
        await asyncio.get_running_loop().create_future()


class _Server(uvicorn.Server):
    """uvicorn, which leaves the process's signals alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


def _application(account: RestAccount) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None)

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
    async def answer(request: Request) -> Response:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        answered = account.answer(
            RestRequest(
                request.method,
                request.url.path,
                dict(request.query_params),
                dict(pairs),
                request.headers.get("Authorization", ""),
                {name: tuple(value for key, value in pairs if key == name) for name, _ in pairs},
            )
        )
        while isinstance(answered, Hang):
            await asyncio.get_running_loop().create_future()
        now = datetime.now(UTC)  # noqa: TID251 - the edge; the Date header is of today
        date = format_datetime(now + timedelta(seconds=account.clock_ahead_s), usegmt=True)
        return Response(
            answered.body,
            answered.status,
            {"Date": date, **answered.headers},
            media_type="application/json",
        )

    return app
