"""What a message to and from Gemini costs over a TLS socket, in µs of CPU. Prints it.

    python tests/benchmarks/bench_gemini_socket.py

Both ways of `HOT_PATH` in one run, in turn, on uvloop; the server is another process. A message is
sent in each turn of the loop, whose own cost is taken off. Reply audio comes in bursts of ten, so
that waking up, which costs alike, does not hide the rest. Events are made of it.
"""

# ruff: noqa: T201 -- printing is what a benchmark is for

import asyncio
import json
import ssl
import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from time import process_time_ns
from typing import Literal

import uvloop
from websockets.asyncio.server import ServerConnection, serve

from agent.conversation.persona import DEFAULT_PERSONA
from agent.gemini.connect_config import connect_config
from agent.gemini.connection import Connection, connected
from agent.gemini.messages import Messages
from agent.gemini.session import GeminiLive
from agent.gemini.settings import GeminiSettings
from agent.simulator.certificate import certificate_in

WAYS: tuple[Literal["sdk", "fast"], ...] = ("sdk", "fast")
ROUNDS = 3
MESSAGES = 1_000
BURST = 10
UP_MS = (20, 100)
DOWN_MS = (40, 100, 200)


async def answer(folder: Path) -> None:
    """Accept sessions; a text such as "40 200" asks for 200 messages of 40 ms."""

    async def live(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(b'{"setupComplete": {}}')
        async for message in socket:
            if (text := json.loads(message)["realtime_input"].get("text")) is not None:
                ms, count = map(int, text.split())
                data = b64encode(Random(ms).randbytes(48 * ms)).decode()
                blob = {"mimeType": "audio/pcm;rate=24000", "data": data}
                turn = {"modelTurn": {"role": "model", "parts": [{"inlineData": blob}]}}
                reply = json.dumps({"serverContent": turn}).encode()
                for n in range(count):
                    await socket.send(reply)
                    if n % BURST == BURST - 1:
                        await asyncio.sleep(0.002)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate_in(folder, datetime.now(UTC)))
    async with serve(live, "127.0.0.1", 0, ssl=context, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def sent_us(connection: Connection | None, ms: int) -> float:
    """µs of CPU for a turn of the loop in which caller audio is sent, or nothing."""
    pcm = Random(ms).randbytes(32 * ms)
    begin = process_time_ns()
    for _ in range(MESSAGES):
        if connection is not None:
            await connection.send_audio(pcm)
        await asyncio.sleep(0)
    return (process_time_ns() - begin) / MESSAGES / 1000


async def received_us(connection: Connection, ms: int) -> float:
    """µs of CPU for a message of reply audio that becomes its event."""
    messages = Messages(1)
    await connection.send_text(f"{ms} {MESSAGES}")
    begin = process_time_ns()
    for _ in range(MESSAGES):
        [_] = messages.events(await connection.receive())
    return (process_time_ns() - begin) / MESSAGES / 1000


async def measure(url: str, ca_file: str) -> None:
    """Measure and print."""
    figures: dict[tuple[str, str], list[float]] = {}
    lives = {
        way: GeminiLive(GeminiSettings(api_key="none", base_url=url, ca_file=ca_file, hot_path=way))
        for way in WAYS
    }
    for _ in range(ROUNDS):
        idle = await sent_us(None, 20)
        for way, live in lives.items():
            opening = live._client.aio.live.connect(
                model="none", config=connect_config(DEFAULT_PERSONA)
            )
            async with connected(opening, 300) as connection:
                for ms in UP_MS:
                    us = await sent_us(connection, ms) - idle
                    figures.setdefault((f"sent, {ms} ms", way), []).append(us)
                for ms in DOWN_MS:
                    us = await received_us(connection, ms)
                    figures.setdefault((f"received, {ms} ms", way), []).append(us)
    for live in lives.values():
        await live.aclose()
    print(f"{'µs of CPU for a message':24}{'sdk':>8}{'fast':>8}{'ratio':>8}")
    for what in dict.fromkeys(name for name, _ in figures):
        sdk, fast = (median(figures[what, way]) for way in WAYS)
        print(f"{what:24}{sdk:8.1f}{fast:8.1f}{sdk / fast:8.1f}")


def main() -> None:
    """Run the server in a process of its own, and measure."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, __file__, folder]
        with Popen(command, stdout=PIPE, text=True) as server:  # noqa: S603 - this file
            try:
                assert server.stdout is not None
                url = f"https://127.0.0.1:{int(server.stdout.readline())}"
                uvloop.run(measure(url, f"{folder}/cert.pem"))
            finally:
                server.kill()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(answer(Path(sys.argv[1])))
    else:
        main()
