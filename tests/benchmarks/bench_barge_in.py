"""What a caller notices of barge-ins, of a lost Gemini, and of a killed worker: measured in virtual
time, beside what is demanded (faults.md rows 1, 9, 45, 46).

    python tests/benchmarks/bench_barge_in.py

Figures only: the same worlds are judged by tests/worlds.
"""
# ruff: noqa: T201 -- printing is what this script is for

import os
import sys
from collections.abc import Iterable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is imported, so before it
sys.path.insert(0, str(Path(__file__).parents[2]))  # the worlds are shared with the tests

from agent.simulator.behaviour import Behaviour
from tests.worlds import judge, scenarios
from tests.worlds.killed import kill
from tests.worlds.model_lost import MOMENTS, Loss, lose
from tests.worlds.stale import stale_bytes
from tests.worlds.unheard import unheard_speech_ms

CALLS = 10
SEEDS = 10
KILLS = 40


def main() -> None:
    """Print three tables: figure, measured, demanded."""
    barge_ins()
    losses()
    kills()


def barge_ins() -> None:
    """Ten calls, twenty barge-ins each."""
    head(f"{CALLS} calls of 20 barge-ins")
    worlds = [
        scenarios.world(scenarios.barge_ins(seed), seed, Behaviour()) for seed in range(CALLS)
    ]
    told = [
        (reply, line)
        for world in worlds
        for reply, line in zip(judge.replies(world), judge.agent_lines(world), strict=True)
    ]
    cut = [(reply, line) for reply, line in told if reply.cut]
    off = [judge.words_off(line, reply.name, reply.heard_samples) for reply, line in cut]
    said = [utterance.name for world in worlds for _, utterance in world.phone.said]
    answered = sum(
        reply.name == scenarios.ANSWERS[utterance.name]
        for world in worlds
        for reply, (_, utterance) in zip(judge.replies(world)[1:], world.phone.said, strict=True)
    )
    row("barge-ins that found unheard audio", f"{len(cut)} of {len(said)}", "-")
    row("of these with exactly one clear", sum(r.clears == 1 for r, _ in cut), str(len(cut)))
    row("clears without unheard audio", sum(r.clears for r, _ in told if not r.cut), "0")
    row("stale bytes after a clear", sum(map(stale_bytes, worlds)), "0")
    row("heard text, words off: most / mean", f"{max(off)} / {sum(off) / len(off):.2f}", "≤ 1")
    row("next turn works", f"{answered} of {len(said)}", str(len(said)))
    row("gaps inside replies", sum(reply.gaps for reply, _ in told), "0")
    row("ms of speech no session took", sum(unheard_speech_ms(world) for world in worlds), "0")


def losses() -> None:
    """Gemini's socket lost, row 9."""
    head(f"Gemini's socket lost at random instants, {SEEDS} seeds for each moment, setup 150 ms")
    lost = {moment: [lose(moment, seed) for seed in range(SEEDS)] for moment in MOMENTS}
    every = [loss for some in lost.values() for loss in some]
    unheard = sum(unheard_speech_ms(loss.world) for loss in every)
    row("ms of speech no session took", unheard, "0")
    row("least coverage of a question", f"{min(map(_coverage, every)):.2f}", "1.00")
    row("second greetings", sum(_greetings(loss) - 1 for loss in every), "0")
    row("lines stored twice or missing", sum(loss.lines_wrong for loss in every), "0")
    gaps = sum(r.gaps for loss in every for r in judge.replies(loss.world))
    row("gaps inside replies", gaps, "0")
    row("dial to ready, p95", f"{p95(loss.ready_ms for loss in every)} ms", "-")
    for moment in ("silence", "utterance", "playing"):
        delays = [loss.delay_ms for loss in lost[moment]]
        row(f"{moment}: answer later by, p95", f"{p95(delays)} ms", "≤ 250 ms")
    for moment in ("thinking", "generating"):
        late, most = (
            p95(loss.delay_ms for loss in lost[moment]),
            min(x.most_late_ms for x in lost[moment]),
        )
        row(f"{moment}: answer late by, p95", f"{late} ms", f"≤ {most} ms")


def kills() -> None:
    """A worker killed, rows 1 and 2."""
    head(f"worker killed at {KILLS} random instants, setup 150 ms, Twilio back after 730 to 930 ms")
    killed = [kill(seed) for seed in range(KILLS)]
    resumed = sum(len(each.world.phone.lines) == 2 for each in killed)
    complaints = sum(len(each.world.store.complaints) for each in killed)
    row("calls that went on", f"{resumed} of {KILLS}", str(KILLS))
    row("lines lost, twice, or out of order", complaints, "0")
    again = 0
    for each in killed:
        first, *others = judge.replies(each.world)
        heard = first.name == scenarios.GREETING and first.heard_samples >= 380 * 8
        again += heard and any(reply.name == scenarios.GREETING for reply in others)
    row("second greetings after 300 ms heard", again, "0")
    row("stream there, model not yet: p95", f"{p95(k.waited_ms for k in killed)} ms", "≤ 300 ms")
    row("kill to stream and model: p95", f"{p95(k.resumed_ms for k in killed)} ms", "≤ 1500 ms")


def _coverage(loss: Loss) -> float:
    return min(judge.coverage(loss.world, name) for name in loss.asked)


def _greetings(loss: Loss) -> int:
    return sum(reply.name == scenarios.GREETING for reply in judge.replies(loss.world))


def p95(values: Iterable[int]) -> int:
    """The least value that 95 % do not exceed."""
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1]


def head(title: str) -> None:
    """The first lines of a table."""
    print(f"\n{title}")
    row("figure", "measured", "demanded")


def row(figure: str, measured: object, demanded: str) -> None:
    """One line of a table."""
    print(f"  {figure:<46}{measured!s:>14}   {demanded}")


if __name__ == "__main__":
    main()
