"""What `HOT_PATH=fast` saves: the same load on both settings in turns, and the ratio of their CPU.

    python -m tests.benchmarks.calls.paths --calls 25 --seconds 10 --rounds 3

Figures of one machine, and worth little while it does anything else. So read the ratios of rounds.
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
import asyncio
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.calls.servers import OFFHOOK, served
from tests.redis_server import redis_running

PATHS = ("sdk", "fast")


def main() -> None:
    """Measure and print, round by round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=25)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with redis_running() as redis:
        asyncio.run(measure(given, redis.url))


async def measure(given: argparse.Namespace, redis_url: str) -> None:
    """Both settings take turns; which is first changes with each round."""
    ratios = []
    for number in range(given.rounds):
        told = {}
        for path in PATHS if number % 2 == 0 else PATHS[::-1]:
            told[path] = await run(path, redis_url, given)
            show(path, told[path])
        costs = [told[path]["cpu_ms_per_call_second"] for path in reversed(PATHS)]
        ratios.append(costs[0] / costs[1])
        print(f"round {number + 1}: fast / sdk = {ratios[-1]:.2f}", flush=True)
    print(f"median of {len(ratios)} rounds at {given.calls} calls: {statistics.median(ratios):.2f}")


async def run(path: str, redis_url: str, given: argparse.Namespace) -> dict[str, Any]:
    """One load on a server of its own."""
    with TemporaryDirectory() as folder:
        async with served(OFFHOOK, Path(folder), redis_url, hot_path=path) as one:
            return await one.load(calls=given.calls, seconds=given.seconds)


def show(path: str, told: dict[str, Any]) -> None:
    """One line for one load."""
    ways = (f"{told[way]['p50_ms']:.1f} / {told[way]['p99_ms']:.1f}" for way in WAYS)
    cpu, lag = told["cpu_ms_per_call_second"], told["lag_most_ms"]
    print(
        f"{path}: {cpu:5.2f} CPU ms per call-second; in, first out, p50 / p99 ms:",
        *ways,
        f"gaps {told['gaps']}, the load's own lag {lag:.0f} ms",
        flush=True,
    )


WAYS = ("uplink", "downlink")

if __name__ == "__main__":
    main()
