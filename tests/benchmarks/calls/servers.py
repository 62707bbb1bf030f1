"""The servers under measurement, each as a process of its own, and the load beside it."""

import asyncio
import json
import os
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.simulator.certificate import certificate_in
from tests.end_to_end.serving import AUTH_TOKEN, PUBLIC_URL
from tests.forked import ROOT

OFFHOOK, REFERENCE = "offhook", "reference"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server listens and dials."""

    folder: Path
    port: int
    gemini_port: int

    @property
    def blocks(self) -> Path:
        """What a watched server writes."""
        return self.folder / "blocks.json"


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens."""

    process: Process
    place: Place

    async def load(self, **options: int) -> dict[str, Any]:
        """Run the load against it, and read what it says."""
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.benchmarks.calls.load"),
            *(f"--url=http://127.0.0.1:{self.place.port}", f"--pid={self.process.pid}"),
            *(f"--gemini-port={self.place.gemini_port}", f"--cert-dir={self.place.folder}"),
            *words,
            cwd=ROOT,
            stdout=PIPE,
        )
        told, _ = await process.communicate()
        if process.returncode:
            raise SystemExit("the load failed; what it says stands above")
        figures: dict[str, Any] = json.loads(told)
        return figures

    def blocks(self) -> dict[str, Any]:
        """What a watched server counted while the load ran."""
        told: dict[str, Any] = json.loads(self.place.blocks.read_text(encoding="utf-8"))
        return told


@asynccontextmanager
async def served(
    what: str, folder: Path, redis_url: str, *, watched: bool = False, **settings: str
) -> AsyncIterator[Served]:
    """Serve `OFFHOOK`, with more settings, or `REFERENCE`, which stores nothing, until the end."""
    ca_file, _ = certificate_in(folder, datetime.now(UTC))
    place = Place(folder, free_port(), free_port())
    words: tuple[str, ...]
    if watched:
        words = ("-m", "tests.benchmarks.calls.watched", what, str(place.blocks))
    elif what == OFFHOOK:
        words = ("-m", "telephony", "serve")
    else:
        words = ("-m", "tests.benchmarks.calls.reference")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=ROOT,
        env={
            "GEMINI_API_KEY": "simulated",
            "GOOGLE_GEMINI_BASE_URL": f"https://127.0.0.1:{place.gemini_port}",
            "SSL_CERT_FILE": str(ca_file),
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "PUBLIC_URL": PUBLIC_URL,
            "PORT": str(place.port),
            "REDIS_URL": redis_url,
            "OPENBLAS_NUM_THREADS": "1",
            "PATH": os.environ["PATH"],
        }
        | {name.upper(): value for name, value in settings.items()},
        stderr=(folder / "server.log").open("w"),
    )
    try:
        await listening(place.port)
        yield Served(process, place)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def listening(port: int) -> None:
    """Wait until somebody listens there."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                return
