"""What a call costs, and how late it is made: `make bench`, or python -m tests.benchmarks.calls.

offhook and the plain bridge of `reference`, each as a process of its own, take turns at the same
load, so that what the machine does meanwhile strikes both. Then what blocks their event loops,
where their CPU goes, and how late a clear of offhook's follows an interruption. Everything is
printed beside what is wanted, and written to out/bench.json and out/bench.svg. Nothing is asserted:
these are times of one machine, and worth little while it does anything else.
"""
# ruff: noqa: T201 -- printing is what this command is for

import argparse
import asyncio
import json
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.calls import page, profile
from tests.benchmarks.calls.servers import OFFHOOK, REFERENCE, served
from tests.redis_server import redis_running

OUT = Path("out")
BOTH = (OFFHOOK, REFERENCE)
CALLS = (1, 10, 25, 50)
FULL = 50
"""The load at which the cost is judged."""
BARGE_INS = 200
PROFILE_FROM_S = 8
PROFILE_S = 15

type Figures = dict[str, Any]


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--seconds", type=int, default=20, help="how long each load is measured")
    parser.add_argument("--rounds", type=int, default=3, help="how often both take their turns")
    parser.add_argument("--calls", type=int, nargs="+", default=CALLS, help="the loads")
    parser.add_argument("--barge-ins", type=int, default=BARGE_INS)
    given = parser.parse_args()
    with redis_running() as redis:
        told = asyncio.run(measure(given, redis.url))
    show(told)
    OUT.mkdir(exist_ok=True)
    (OUT / "bench.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    page.draw(told, OUT / "bench.svg")
    print(f"\nall of it: {OUT / 'bench.json'}; plots: {OUT / 'bench.svg'}")


async def measure(given: argparse.Namespace, redis_url: str) -> Figures:
    """Every run, in order."""
    seconds, rounds, barge_ins = given.seconds, given.rounds, given.barge_ins
    told: Figures = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
        "calls": sorted(given.calls),
        "loads": [],
        "watched": {},
        "profile": {},
    }
    for calls in told["calls"]:
        for turn in range(rounds):
            for server in BOTH:
                progress(f"{calls} calls, {server}, round {turn + 1} of {rounds}")
                told["loads"].append(
                    {"server": server} | await run(server, redis_url, calls=calls, seconds=seconds)
                )
    for server in BOTH:
        progress(f"what blocks the event loop, {server}")
        told["watched"][server] = await blocks(server, redis_url, seconds)
    for server in BOTH:
        progress(f"where the CPU goes, {server}")
        told["profile"][server] = await profiled(server, redis_url)
    progress(f"{barge_ins} interruptions")
    told["barge_ins"] = await run(OFFHOOK, redis_url, barge_ins=barge_ins)
    return told


async def run(server: str, redis_url: str, **options: int) -> Figures:
    """One load on a server of its own."""
    with TemporaryDirectory() as folder:
        async with served(server, Path(folder), redis_url) as one:
            return await one.load(**options)


async def blocks(server: str, redis_url: str, seconds: int) -> Figures:
    """The load of 10 calls on a server with a heartbeat, which costs CPU itself."""
    with TemporaryDirectory() as folder:
        async with served(server, Path(folder), redis_url, watched=True) as one:
            await one.load(calls=10, seconds=seconds, watched=1)
            return one.blocks()


async def profiled(server: str, redis_url: str) -> dict[str, float]:
    """Shares of the CPU under a load of 10 calls; the profiler takes a core for itself."""
    with TemporaryDirectory() as folder:
        async with served(server, Path(folder), redis_url) as one, asyncio.TaskGroup() as tasks:
            tasks.create_task(one.load(calls=10, seconds=PROFILE_S + 3))
            await asyncio.sleep(PROFILE_FROM_S)
            return await profile.record(one.process.pid, PROFILE_S, Path(folder) / "stacks.txt")


def show(told: Figures) -> None:
    """The table."""
    print(f"\n{told['date']}, {told['machine']}\n")
    row("figure", OFFHOOK, REFERENCE, "wanted")
    for calls in told["calls"]:
        ours, theirs = of(told, OFFHOOK, calls), of(told, REFERENCE, calls)
        ratio = median(ours, "cpu_ms_per_call_second") / median(theirs, "cpu_ms_per_call_second")
        costs = medians(ours, theirs, "cpu_ms_per_call_second")
        row(f"{calls} calls: CPU ms per call-second", *costs, "-")
        row(f"{calls} calls: CPU, share of the reference's", f"{ratio:.2f}", "1", wanted(calls))
        grown = medians(ours, theirs, "rss_mb_per_call")
        row(f"{calls} calls: RSS MB per call", *grown, "≤ 0.5")
        for way, name in (("uplink", "frame in → Gemini"), ("downlink", "Gemini → first media")):
            row(f"{calls} calls: {name}, p50 / p99 ms", late(ours, way), late(theirs, way), LATE)
        row(f"{calls} calls: gaps in replies", gaps(ours), gaps(theirs), "0")
        row(f"{calls} calls: the load's own CPU / most lag ms", load(ours), load(theirs), "-")
        row(f"{calls} calls: samples left out for lag", left_out(ours), left_out(theirs), "≤ 5 %")
    fewest = told["calls"][0]
    one = of(told, OFFHOOK, fewest)[0]["pesq"], of(told, REFERENCE, fewest)[0]["pesq"]
    for way in ("uplink", "downlink", "downlink_codec_alone"):
        row(f"PESQ, {way.replace('_', ' ')}", one[0][way], one[1][way], "-")
    ours, theirs = told["watched"][OFFHOOK], told["watched"][REFERENCE]
    longest = "longest_block_ms"
    row("event loop: longest block, CPU ms", ours[longest], theirs[longest], "≤ 5")
    row("event loop: blocks over 5 ms, of beats", blocked(ours), blocked(theirs), "0")
    parts = {**told["profile"][OFFHOOK], **told["profile"][REFERENCE]}
    for part in parts:
        mine, other = (f"{100 * told['profile'][each].get(part, 0):.0f} %" for each in BOTH)
        row(f"share of CPU: {part}", mine, other, "-")
    clear = told["barge_ins"]["clear"]
    row("interrupted → clear, p50 / p99 ms", pair(clear), "", "≤ 5 / ≤ 10")
    row("interruptions that were cleared", cleared(told["barge_ins"]), "", "all")


LATE = "≤ 3 / ≤ 10"


def wanted(calls: int) -> str:
    """What is asked of the CPU's ratio."""
    return "≤ 0.5" if calls == FULL else "-"


def of(told: Figures, server: str, calls: int) -> list[Figures]:
    """All rounds of one load."""
    return [each for each in told["loads"] if (each["server"], each["calls"]) == (server, calls)]


def medians(ours: list[Figures], theirs: list[Figures], key: str) -> tuple[str, str]:
    """Of both."""
    return f"{median(ours, key):.2f}", f"{median(theirs, key):.2f}"


def median(rounds: list[Figures], key: str) -> float:
    """Of all rounds."""
    return float(statistics.median(each[key] for each in rounds))


def late(rounds: list[Figures], way: str) -> str:
    """The worst round that is valid counts; none is said to be one."""
    valid = [each[way] for each in rounds if each[way]["valid"]]
    return pair(max(valid, key=lambda each: float(each["p99_ms"]))) if valid else "invalid"


def pair(figures: Figures) -> str:
    """Median and 99th percentile."""
    told = f"{figures['p50_ms']:.1f} / {figures['p99_ms']:.1f}"
    return told if figures["valid"] else f"invalid ({told})"


def gaps(rounds: list[Figures]) -> str:
    """How many, in how many replies."""
    replies = sum(each["replies"] for each in rounds)
    return f"{sum(each['gaps'] for each in rounds)} of {replies}"


def load(rounds: list[Figures]) -> str:
    """What the measuring itself took."""
    lag_ms = max(each["lag_most_ms"] for each in rounds)
    return f"{median(rounds, 'load_cpu_ms_per_call_second'):.1f} / {lag_ms:.0f}"


def left_out(rounds: list[Figures]) -> str:
    """Of both directions."""
    ways = [each[way] for each in rounds for way in ("uplink", "downlink")]
    out = sum(each["left_out"] for each in ways)
    return f"{100 * out / (out + sum(each['samples'] for each in ways) or 1):.1f} %"


def blocked(watched: Figures) -> str:
    """How many blocks, of how many beats."""
    return f"{len(watched['blocks_over_5_ms'])} of {watched['beats']}"


def cleared(told: Figures) -> str:
    """Clears that came, of interruptions; and how many came in all."""
    return f"{told['cleared']} of {told['barge_ins']}, {told['clears']} clears"


def row(figure: str, ours: object, theirs: object, wanted_: str) -> None:
    """One line of the table."""
    print(f"{figure:<48}{ours!s:>22}{theirs!s:>18}   {wanted_}")


def progress(what: str) -> None:
    """Tell what is being measured."""
    print(what, flush=True)


if __name__ == "__main__":
    main()
