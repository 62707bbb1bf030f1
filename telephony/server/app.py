"""Connects all parts of the server: routes, the worker's resources, and the process's signals."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute

from telephony.errors import SettingsError
from telephony.server import (
    health,
    kept,
    machines,
    media_socket,
    outbound,
    warm_webhooks,
    webhooks,
)
from telephony.server.admission import Refused
from telephony.server.hot_wire import HotWire
from telephony.server.metrics_port import metrics_page, metrics_served
from telephony.server.observers import Observer
from telephony.server.refusals import Refusals
from telephony.server.twilio_wire import TwilioWire
from telephony.server.watchdog import watched
from telephony.server.worker import Worker, parts, worker
from telephony.settings import Settings

MAX_FRAME_BYTES = 65_536
"""The longest WebSocket message. Twilio's have 400 bytes; uvicorn would accept 16 MiB."""

WEBHOOK_PATHS = frozenset(
    route.path
    for route in (*webhooks.router.routes, *machines.router.routes, *warm_webhooks.router.routes)
    if isinstance(route, APIRoute)
)

STOP_LIMIT_S = 2
"""How long running requests may still take once the calls are gone."""

log = structlog.get_logger(__name__)


def application(settings: Settings, *observers: Observer, alone: bool = False) -> FastAPI:
    """The ASGI application. Its lifespan opens and closes the worker.

    Args:
        settings: The settings.
        observers: Told every step of every call, besides the log, the metrics and the recorder.
        alone: Whether this process does nothing else, so that its garbage collector is settled.

    Raises:
        SettingsError: A setting is valid but cannot be used.
    """
    made_of = parts(settings, *observers)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with worker(made_of) as resources:
            app.state.worker = resources
            if alone:
                settle_garbage_collector()
            yield

    app = FastAPI(
        title="offhook",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redirect_slashes=False,  # behind a proxy a redirect would send Twilio to http
    )
    app.include_router(webhooks.router)
    app.include_router(machines.router)
    app.include_router(warm_webhooks.router)
    app.include_router(media_socket.router)
    app.include_router(outbound.router)
    app.include_router(health.router)
    app.state.metrics = made_of.metrics
    app.state.refusals = Refusals(settings.public_url)
    if settings.metrics_port == settings.port:
        app.router.routes.append(metrics_page(made_of.metrics))
    app.add_exception_handler(Refused, _refuse)
    app.add_exception_handler(HTTPStatus.NOT_FOUND, _not_found)
    return app


def settle_garbage_collector() -> None:
    """Call once everything is loaded. From then on the garbage collector runs seldom, and only
    looks at objects that calls make.

    Without this, a full collection stops every call for 50 ms, and at the default threshold one
    frame in a thousand waits 100 µs longer. Cycles that calls make are still collected.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - the handler is registered only for this
    _count_refused(request, error.why)
    return Response(status_code=403)


async def _not_found(request: Request, _: Exception) -> Response:
    """Answer 404. If the path resembles a webhook's path, the answer names the right one."""
    asked = request.url.path
    near = "/" + "/".join(part for part in asked.lower().split("/") if part)
    if near not in WEBHOOK_PATHS:
        return PlainTextResponse("Not Found", HTTPStatus.NOT_FOUND)
    _count_refused(request, "wrong path")
    told = f"There is nothing at {asked!r}. Ask {near!r} instead: correct the URL where it is set."
    return PlainTextResponse(told, HTTPStatus.NOT_FOUND)


def _count_refused(request: Request, why: str) -> None:
    resources: Worker = request.app.state.worker
    resources.metrics.refused("webhook", why)
    now_ms = int(asyncio.get_running_loop().time() * 1000)
    request.app.state.refusals.webhook(why, request.url.path, now_ms)


class Server(uvicorn.Server):
    """uvicorn, but a signal first drains the calls.

    By itself, uvicorn closes every WebSocket within 0.1 s of a SIGTERM.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                ws=TwilioWire if settings.hot_path == "sdk" else HotWire,
                ws_max_size=MAX_FRAME_BYTES,
                ws_per_message_deflate=False,  # Twilio kills compressed frames (31924)
                ws_ping_timeout=None,  # caller audio is the heartbeat, not pongs
                timeout_keep_alive=settings.keep_alive_s,
                timeout_graceful_shutdown=STOP_LIMIT_S,
                server_header=False,
                access_log=False,
                log_config=None,
            )
        )
        self.listening = asyncio.Event()
        self._app = app
        self._budget_s = float(settings.drain_budget_s)
        self._told_to_stop = asyncio.Event()

    @property
    def worker(self) -> Worker:
        """The worker's resources, available once it is `listening`."""
        resources: Worker = self._app.state.worker
        return resources

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, and log it."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Drain at the first signal, stop at the second, abort at the third."""
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)
        for number in signals:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Hand all calls over, then stop. The second call stops at once, but still writes to the
        store. The third call aborts everything.
        """
        self.force_exit = self.should_exit and self._told_to_stop.is_set()
        self.should_exit = self._told_to_stop.is_set()
        self._told_to_stop.set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until `stop` is called."""
        async with asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(self._drain_when_told(), name="drain")
            await super().serve(sockets)
            draining.cancel()

    async def _drain_when_told(self) -> None:
        await self._told_to_stop.wait()
        if self.listening.is_set():
            log.info(
                "draining",
                calls=len(self.worker.calls),
                budget_s=self._budget_s,
                hint="calls may end or be handed over first; a second signal stops at once",
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._budget_s):
                    await self.worker.calls.drain(self._budget_s)
        self.should_exit = True


async def serve(settings: Settings, *observers: Observer) -> None:
    """Answer calls until a signal comes.

    Raises:
        SettingsError: A setting cannot be used, the port is in use, or another server keeps its
            calls in the same folder.
    """
    store = kept.own_server(settings)
    settings = kept.at(store, settings)
    app = application(settings, *observers, alone=True)
    with _listening(settings.host, settings.port, "PORT") as listener:
        async with _metrics(app, settings), kept.running(store):
            if store is not None:
                log.info(
                    "REDIS_URL is not set: a server of our own keeps the calls",
                    folder=str(settings.store_dir),
                )
            log.info("listening", url=_url(listener), public_url=settings.public_url)
            with watched(asyncio.get_running_loop(), app.state.metrics.stalled):
                await Server(app, settings).serve([listener])


@contextlib.asynccontextmanager
async def _metrics(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    if settings.metrics_port in (None, settings.port):
        yield
        return
    with _listening(settings.host, settings.metrics_port, "METRICS_PORT") as listener:
        async with metrics_served(app.state.metrics, listener):
            log.info("metrics", url=f"{_url(listener)}/metrics")
            yield


def _listening(host: str, port: int, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"HOST, {name}: expected an address to listen on, got {host}:{port}: {error.strerror}"
        ) from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextlib.asynccontextmanager
async def on_free_port(
    settings: Settings, *observers: Observer
) -> AsyncIterator[tuple[Server, str]]:
    """Run a server in this process until the block ends. Yields the server and its URL.

    Without REDIS_URL it keeps calls only until the block ends.

    Raises:
        SettingsError: As `application`.
    """
    with (
        TemporaryDirectory(prefix="offhook-") as folder,
        socket.create_server((settings.host, 0)) as listener,
    ):
        store = kept.own_server(settings, Path(folder))
        settings = kept.at(store, settings)
        server = Server(application(settings, *observers), settings)
        async with kept.running(store), asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve([listener]), name="server")
            await server.listening.wait()
            try:
                yield server, f"http://{settings.host}:{listener.getsockname()[1]}"
            finally:
                server.stop()
                await asyncio.wait([serving])  # if the group cancelled it, it would log a traceback
