"""Where a server's CPU goes, by py-spy: shares of the parts that this project can choose."""

import asyncio
import shutil
import sys
from asyncio.subprocess import DEVNULL
from collections import Counter
from pathlib import Path

PARTS = {
    "JSON": ("json/", "msgspec", "telephony/twilio/messages.py", "base64.py"),
    "resampler and codec": ("telephony/audio/", "numpy/", "audioop"),
    "WebSockets and TLS": ("websockets/", "uvicorn/", "ssl.py", "sslproto"),
    "SDK": ("google/genai/", "pydantic/"),
    "FastAPI": ("fastapi/", "starlette/"),
    "event loop": ("asyncio/runners.py",),
    "the bridge itself": ("telephony/", "agent/", "benchmarks/calls/reference.py"),
}
"""The innermost frame that belongs to one of these decides. uvloop is compiled, and has no frames:
what it does shows as the runner that called it."""

OTHER = "other"


async def record(pid: int, seconds: int, path: Path) -> dict[str, float]:
    """Sample a process 200 times a second, without stopping it.

    Returns:
        Each part's share of the samples that were on a CPU, largest first; empty where py-spy may
        not look into other processes.
    """
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    assert program is not None, "py-spy is one of the development requirements: make setup"
    process = await asyncio.create_subprocess_exec(
        program,
        *("record", "--pid", str(pid), "--duration", str(seconds), "--rate", "200"),
        *("--nonblocking", "--format", "raw", "--full-filenames", "--output", str(path)),
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    if await process.wait() != 0:
        return {}
    return shares(path.read_text(encoding="utf-8", errors="replace"))  # noqa: ASYNC240 - of a command


def shares(folded: str) -> dict[str, float]:
    """Shares of the parts, from stacks as `outer;inner;… count` lines.

    A process that is not stopped changes while it is read, so that some names are not text, and
    their lines are torn. Those do not count.
    """
    samples: Counter[str] = Counter()
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        if count.isdecimal():
            samples[part_of(stack.split(";"))] += int(count)
    whole = samples.total() or 1
    return {part: round(count / whole, 4) for part, count in samples.most_common()}


def part_of(stack: list[str]) -> str:
    """The part that a stack's innermost known frame belongs to."""
    for frame in reversed(stack):
        for part, marks in PARTS.items():
            if any(mark in frame for mark in marks):
                return part
    return OTHER
