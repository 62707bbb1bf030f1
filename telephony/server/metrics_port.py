"""Serves `/metrics` on a port of its own, or on the public port if that was asked for.

Not everybody who knows the address of the webhooks should see a business's figures, so there is no
`/metrics` unless METRICS_PORT is set. The port is meant for this machine, or its private network.

Source: Prometheus' text format, version 0.0.4.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telephony.server.metrics import Metrics


def metrics_page(metrics: Metrics) -> Route:
    """The route `/metrics`: all metrics, in Prometheus' text format."""

    async def page(_: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", page)


@contextlib.asynccontextmanager
async def metrics_served(metrics: Metrics, listener: socket.socket) -> AsyncIterator[None]:
    """Serve `/metrics`, and nothing else, on `listener` until the block ends.

    Args:
        metrics: The metrics to serve.
        listener: A listening socket; the caller closes it.
    """
    server = _Quiet(
        uvicorn.Config(
            Starlette(routes=[metrics_page(metrics)]),
            lifespan="off",
            ws="none",
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve([listener]), name="metrics")
        try:
            yield
        finally:
            server.should_exit = True


class _Quiet(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signals to the main server."""
        yield
