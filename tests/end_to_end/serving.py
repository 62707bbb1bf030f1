"""Workers under test: one in this process, to examine, or real processes, to kill.

in-process server   acquired and released: `serving`
process, log task   acquired and released: `worker_process`
"""

import asyncio
import json
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from telephony import settings
from telephony.server.app import Server, application
from telephony.server.observers import Observer
from telephony.simulator.caller import call
from telephony.simulator.http_client import http_client
from telephony.simulator.report import Report
from telephony.simulator.script import Script as CallerScript
from tests.end_to_end.left_behind import SERVED
from tests.end_to_end.watching import PATIENCE_S, Watch
from tests.end_to_end.webhook import Webhook
from tests.forked import ROOT, Forked, forked
from tests.own_store import state_dir
from tests.ports import free_ports

PUBLIC_URL = "https://voice.example.com"
AUTH_TOKEN = "the-auth-token"
ACCOUNT_SID = "AC" + "0" * 31 + "7"


class Gemini(Protocol):
    """Where a simulated Gemini is."""

    @property
    def base_url(self) -> str: ...

    @property
    def ca_file(self) -> Path: ...


class Start(Protocol):
    """How a command is started: `offhook` or `offhook_anew`."""

    async def __call__(
        self, *arguments: str, environment: Mapping[str, str]
    ) -> Forked | Process: ...


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """A worker in this process."""

    url: str
    server: Server


@asynccontextmanager
async def serving(
    gemini: Gemini,
    *observers: Observer,
    redis_url: str = "",
    auth_token: str = AUTH_TOKEN,
    public_url: str = PUBLIC_URL,
    transfer_to: str = "",
    account_sid: str = "",
    fallback_model: str = "",
    personas: Path | None = None,
    summary_model: str = "",
    webhook: Webhook | None = None,
    **more: str,
) -> AsyncIterator[LocalWorker]:
    """A worker on a free port, with `more` settings. Leaving waits until its calls are over."""
    given = settings.load(
        gemini_api_key="simulated",
        gemini_fallback_model=fallback_model,
        google_gemini_base_url=gemini.base_url,
        ssl_cert_file=gemini.ca_file,
        twilio_auth_token=auth_token,
        public_url=public_url,
        redis_url=redis_url,
        transfer_to=transfer_to,
        twilio_account_sid=account_sid,
        record_dir="",
        personas=personas or "",
        summary_model=summary_model,
        webhook_url="" if webhook is None else webhook.url,
        webhook_secret="" if webhook is None else webhook.secret,
        drain_budget_s=5,
        port=0,
        metrics_port=0,  # the same as PORT: served there
        **more,
    )
    server = Server(application(given, *observers), given)
    SERVED.append(server)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve([listener]), name="server")
            await server.listening.wait()
            try:
                yield LocalWorker(f"http://127.0.0.1:{listener.getsockname()[1]}", server)
            finally:
                server.stop()


async def offhook(*arguments: str, environment: Mapping[str, str]) -> Forked:
    """Start `python -m telephony …` with these variables alone, by a fork."""
    return await forked("telephony", *arguments, environment=environment)


async def offhook_anew(*arguments: str, environment: Mapping[str, str]) -> Process:
    """As `offhook`, but start Python, which imports what the command needs."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "telephony", *arguments),
        cwd=ROOT,
        env=environment,
        stdout=PIPE,
        stderr=PIPE,
    )


async def run(*arguments: str, **environment: str) -> tuple[int | None, str, str]:
    """Run a command to its end: exit code, standard output, standard error."""
    return await _ended(await offhook(*arguments, environment=environment))


async def run_anew(*arguments: str, **environment: str) -> tuple[int | None, str, str]:
    """As `run`, by `offhook_anew`."""
    return await _ended(await offhook_anew(*arguments, environment=environment))


async def _ended(process: Forked | Process) -> tuple[int | None, str, str]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode(), err.decode()


class WorkerProcess:
    """`python -m telephony serve` as a process of its own."""

    def __init__(self, process: Forked | Process) -> None:
        self.process = process
        self.log: Watch[str] = Watch()
        self.url = ""

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self.process.returncode

    async def tells(self, event: str) -> dict[str, Any]:
        """Wait for a line of its log; returns the line's fields."""
        line = await self.log.until(lambda line: f'"event": "{event}' in line)
        fields: dict[str, Any] = json.loads(line)
        return fields

    async def wait(self) -> int:
        """Its exit code, once it is gone."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def read_log(self) -> None:
        """Keep what it writes to standard error, until it is gone."""
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log(line.decode())


def serve_environment(gemini: Gemini) -> dict[str, str]:
    """What `offhook serve` has to be told, to answer calls with this model on a free port."""
    return {
        "GEMINI_API_KEY": "simulated",
        "GOOGLE_GEMINI_BASE_URL": gemini.base_url,
        "SSL_CERT_FILE": str(gemini.ca_file),
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PUBLIC_URL": PUBLIC_URL,
        "PORT": "0",
        "METRICS_PORT": "0",  # the same as PORT: served there
    }


@asynccontextmanager
async def worker_process(
    gemini: Gemini, redis_url: str = "", **environment: str
) -> AsyncIterator[WorkerProcess]:
    """A worker process on a port of its own (`tests.ports`), ready for calls. Leaving kills it.

    Without a Redis and a STATE_DIR it has a STATE_DIR of its own, that is gone with it.
    """
    port = str(*free_ports())
    own = {"REDIS_URL": redis_url, "PORT": port, "METRICS_PORT": port}
    given = serve_environment(gemini) | own | environment
    async with _working(offhook, given) as worker:
        yield worker


@asynccontextmanager
async def worker_process_anew(gemini: Gemini) -> AsyncIterator[WorkerProcess]:
    """As `worker_process`, by `offhook_anew`."""
    async with _working(offhook_anew, serve_environment(gemini)) as worker:
        yield worker


@asynccontextmanager
async def _working(start: Start, environment: dict[str, str]) -> AsyncIterator[WorkerProcess]:
    async with state_dir() as folder:
        process = await start("serve", environment={"STATE_DIR": str(folder)} | environment)
        worker = WorkerProcess(process)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(worker.read_log(), name="log")
                worker.url = (await worker.tells("listening"))["url"]
                assert (await get(worker.url, "/readyz")).status_code == 200
                yield worker
                if process.returncode is None:
                    process.kill()
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def place(
    script: CallerScript, *urls: str, patience_s: float = 2 * PATIENCE_S, **options: Any
) -> Report:
    """Place a call to the workers at `urls`; `options` as of `telephony.simulator.caller.call`."""
    async with asyncio.timeout(patience_s):
        report = await call(urls, PUBLIC_URL, AUTH_TOKEN, ACCOUNT_SID, script, **options)
    assert report.complaints == (), "the server sent what Twilio warns of"
    return report


async def get(url: str, path: str) -> httpx.Response:
    """GET something of a worker."""
    async with http_client(timeout_s=PATIENCE_S) as client:
        return await client.get(url + path)
