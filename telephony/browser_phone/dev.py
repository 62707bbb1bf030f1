"""`offhook dev`: model, server and browser phone in one process.

simulated model, store, server, HTTP client   acquired and released: `serving`
"""

import asyncio
import secrets
import socket
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from agent.simulator.model import GeminiServer
from agent.simulator.script import Script
from agent.simulator.server import SimulatedGemini
from telephony import settings
from telephony.browser_phone.door import KEY, Checked, Door
from telephony.browser_phone.exchange import Exchange
from telephony.browser_phone.live import Live
from telephony.browser_phone.pages import pages
from telephony.browser_phone.routes import Desk, routes
from telephony.errors import SettingsError
from telephony.server import kept
from telephony.server.app import Server, application
from telephony.server.observers import Observer
from telephony.settings import Settings
from telephony.simulator.http_client import http_client
from telephony.simulator.model_settings import model_settings
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_server import SimulatedRest
from telephony.twilio.urls import stream_url

HOST = "127.0.0.1"
PUBLIC_URL = "https://dev.invalid"
"""What is signed, and stands in documents. Nobody looks it up: `.invalid` never exists."""

ACCOUNT_SID = "AC" + "0" * 31 + "d"

WITHOUT_A_KEY = "To try it without a key, with a simulated model: offhook dev --simulated"


@dataclass(frozen=True, slots=True)
class Dev:
    """A server with a browser phone.

    Args:
        url: Where it listens, such as ``http://127.0.0.1:8010``.
        address: The address to open, with the key in it.
        server: The server.
    """

    url: str
    address: str
    server: Server


class DevServer(Server):
    """A server that lets the pages go when it stops: they would wait for events."""

    live: Live

    def stop(self) -> None:
        """See `Server.stop`."""
        self.live.close()
        super().stop()


@asynccontextmanager
async def serving(
    script: Script | None,
    *observers: Observer,
    personas: Path | None = None,
    record: Path | None = None,
    port: int = 0,
    seed: int = 1,
    model: GeminiServer | None = None,
) -> AsyncIterator[tuple[Dev, asyncio.Task[None]]]:
    """Serve until the block ends. Calls are kept only as long.

    Args:
        script: The simulated model's script; None for the real model, with GEMINI_API_KEY.
        observers: Told every step of every call.
        personas: The persona file, or a folder; None for the built-in agent.
        record: The folder for recordings; None for none, but those that a persona file asks for.
        port: The port to listen on; 0 for any free one.
        seed: The seed of the simulated model.
        model: The simulated model, instead of one that follows `script`.

    Yields:
        The server, and the task that ends when a signal has stopped it.

    Raises:
        SettingsError: The key is missing, the persona file has mistakes, or the port is in use.
    """
    token = secrets.token_hex(32)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="offhook-"))
        gemini = None
        if script is not None:
            answers = model or GeminiServer(script, None, Random(seed))  # noqa: S311 - repeatable
            gemini = await stack.enter_async_context(SimulatedGemini(answers))
        rest = SimulatedRest(RestAccount(ACCOUNT_SID, token))
        await stack.enter_async_context(rest)
        given = _settings(gemini, personas, record, token, rest.url)
        listener = stack.enter_context(_listening(port))
        port = listener.getsockname()[1]
        url = f"http://{HOST}:{port}"
        store = kept.own_server(given, Path(folder))
        given = kept.at(store, given)
        live, door = Live(), Door(port, stream_url(PUBLIC_URL), token)
        app = application(given, live, *observers)
        app.include_router(pages())
        app.include_router(routes())
        app.add_middleware(Checked, door=door)
        client = await stack.enter_async_context(http_client())
        await stack.enter_async_context(kept.running(store))
        server = DevServer(app, given)
        server.live = live
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        running = tasks.create_task(server.serve([listener]), name="server")
        await server.listening.wait()
        app.state.desk = Desk(
            Exchange(client, url, PUBLIC_URL, ACCOUNT_SID, token),
            live,
            server.worker.personas,
            "simulated" if gemini else given.gemini_model,
            "" if personas is None else str(personas),
        )
        try:
            yield Dev(url, f"{url}/?{KEY}={door.key}", server), running
        finally:
            server.stop()
            await asyncio.wait([running])  # if the group cancelled it, it would log a traceback


async def run_dev(
    script: Script | None,
    *,
    personas: Path | None,
    record: Path | None,
    port: int,
    opens: bool,
    tell: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C.

    Args:
        script: As for `serving`.
        personas: As for `serving`.
        record: As for `serving`.
        port: As for `serving`.
        opens: Whether to open the page in the browser.
        tell: Prints a line.

    Raises:
        SettingsError: As `serving`.
    """
    async with serving(script, personas=personas, record=record, port=port) as (dev, running):
        who = "a simulated model" if script else "the real model; each call costs a few cents"
        tell(f"Answered by {who}.")
        tell(f"Your phone: {dev.address}")
        if personas is not None:
            tell(f"Change {personas}, and call again: each call reads it anew.")
        tell("Ctrl-C ends it.")
        if opens:
            await asyncio.to_thread(webbrowser.open, dev.address)
        await asyncio.wait([running])


def _settings(
    gemini: SimulatedGemini | None,
    personas: Path | None,
    record: Path | None,
    token: str,
    rest_url: str,
) -> Settings:
    """The settings of the environment, but for what would lead out of this machine or keep calls
    beyond the process.
    """
    try:
        return settings.load(
            host=HOST,
            public_url=PUBLIC_URL,
            twilio_auth_token=token,
            twilio_account_sid=ACCOUNT_SID,
            twilio_api_url=rest_url,
            twilio_region="",
            twilio_edge="",
            redis_url="",
            otel_exporter_otlp_endpoint="",
            record_dir=record or "",
            record_calls="all",
            webhook_url="",
            summary_model="",
            api_token="",
            metrics_port="",
            personas=personas or "",
            drain_budget_s=0,  # Ctrl-C means now
            **model_settings(gemini),
        )
    except SettingsError as error:
        raise error if gemini else SettingsError(f"{error}\n{WITHOUT_A_KEY}") from None


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise SettingsError(
            f"--port: expected a free port, got {port}: {error.strerror}; "
            "fix: end the other server, or give another port"
        ) from None
