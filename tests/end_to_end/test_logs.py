"""The log of a server: for a program in a pipe, for a person at a terminal."""

import asyncio
import json
import os
import re
import sys
from datetime import datetime, timedelta

from agent.simulator.server import SimulatedGemini
from tests.end_to_end.scripts import TWO_TURNS
from tests.end_to_end.serving import get, place, serve_environment, worker_process
from tests.end_to_end.watching import PATIENCE_S


async def test_a_call_ends_with_a_line_of_its_figures_and_its_turns_are_in_the_metrics(
    gemini: SimulatedGemini,
) -> None:
    async with worker_process(gemini) as worker:
        report = await place(TWO_TURNS, worker.url)
        ended = await worker.tells("call ended")
        metrics = (await get(worker.url, "/metrics")).text
        lines = [json.loads(line) for line in worker.log.seen]
    assert (ended["reason"], ended["turns"], ended["barge_ins"]) == ("caller_hangup", 3, 0)
    assert ended["tokens"] > 0
    assert 0 < ended["response_p50_ms"] <= ended["response_p95_ms"] < ended["duration_ms"]
    began, over = (datetime.fromisoformat(line["timestamp"]) for line in (lines[0], ended))
    assert report.heard_ms < ended["duration_ms"] <= (over - began) / timedelta(milliseconds=1)
    assert ended["response_p50_ms"] < ended["heard_p50_ms"] <= ended["heard_p95_ms"]
    assert (ended["held_in_vain"], ended["talked_over_ms"]) == (0, 0)
    assert "offhook_response_seconds_count 2.0" in metrics
    assert "offhook_ear_to_ear_seconds_count 2.0" in metrics
    for stage in ("model", "sending", "playing"):
        assert f'offhook_response_stage_seconds_count{{stage="{stage}"}} 2.0' in metrics
    assert {tuple(line)[:3] for line in lines} == {("timestamp", "level", "event")}


async def test_a_person_at_a_terminal_reads_lines_and_no_json(gemini: SimulatedGemini) -> None:
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "telephony", "serve"),
        env=serve_environment(gemini) | {"REDIAL_WINDOW": "5"},
        stderr=theirs,
    )
    try:
        os.close(theirs)
        async with asyncio.timeout(PATIENCE_S):
            text = await asyncio.to_thread(_read_until, ours, "listening")
    finally:
        process.kill()
        await process.wait()
        os.close(ours)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    for line in (r"\[warning *\] REDIAL_WINDOW is set, ", r"\[info *\] listening .*url=http://"):
        assert re.search(r"^\d\d:\d\d:\d\d " + line, plain, re.MULTILINE)
    assert "{" not in plain


def _read_until(fd: int, word: str) -> str:
    text = ""
    while f"{word} " not in text or not text.endswith("\n"):
        text += os.read(fd, 4_096).decode()
    return text
