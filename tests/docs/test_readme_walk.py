"""The README's way to try offhook without accounts, taken word for word, in a folder of its own."""

import asyncio
import contextlib
import os
import socket
import wave
from collections.abc import AsyncIterator
from pathlib import Path

from tests.docs.documents import ROOT, blocks
from tests.end_to_end.watching import Watch

CALL_S = 150
"""The call of the README takes 45 s."""


def walk() -> list[str]:
    """The commands, one a line, on ports that are free here."""
    (block,) = [
        block
        for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        if "simulate gemini" in block
    ]
    for port in ("8772", "8000"):
        assert port in block
        with socket.create_server(("127.0.0.1", 0)) as free:
            block = block.replace(port, str(free.getsockname()[1]))
    return block.replace("\\\n", " ").splitlines()


@contextlib.asynccontextmanager
async def running(
    command: str, folder: Path, ready: str, environment: dict[str, str]
) -> AsyncIterator[None]:
    """A command of the walk, in a shell of its own, until the block ends."""
    process = await asyncio.create_subprocess_shell(
        f"exec {command}",
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said: Watch[str] = Watch()

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said(line.decode())

    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        try:
            await said.until(lambda line: ready in line)
            yield
        finally:
            process.terminate()
            await process.wait()
            await reading


async def test_a_call_between_both_simulators_as_the_readme_says(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    gemini, *exports, serve, call = walk()
    environment = {"PATH": os.defpath, "HOME": str(tmp_path)}
    for export in exports:
        for assignment in export.removeprefix("export ").split():
            name, _, value = assignment.partition("=")
            environment[name] = value
    port = serve_port(call)
    async with (
        running(gemini, tmp_path, "GEMINI_API_KEY", environment),
        running(serve, tmp_path, "listening", environment | {"PORT": port}),
    ):
        caller = await asyncio.create_subprocess_shell(
            f"exec {call}", cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(CALL_S):
            told, _ = await caller.communicate()
    assert caller.returncode == 0, told.decode()
    with wave.open(str(tmp_path / "out/heard.wav")) as heard:
        assert heard.getframerate() == 8000
        assert heard.getnframes() > 20 * 8000


def serve_port(call: str) -> str:
    """Where the call is placed; it is `offhook serve`'s default there."""
    return call.partition("--url http://127.0.0.1:")[2].split()[0]
