"""Without REDIS_URL a worker keeps its calls in STATE_DIR: they outlive it, however it ends."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.simulator.faults import AfterLoss, CallFaults
from telephony.simulator.report import AgentHeard, CallEvent
from tests.end_to_end.records import Stored, stored
from tests.end_to_end.scripts import CONVERSATION, GREETING, HANG_UP, TWO_TURNS, caller
from tests.end_to_end.serving import offhook, place, run, serve_environment, worker_process
from tests.end_to_end.watching import PATIENCE_S, Watch
from tests.own_store import nobody_left, servers, state_dir, store_in

ENDS = CallFaults(after_loss=AfterLoss.ENDS)
SAYS_GOODBYE = caller(HANG_UP)


@pytest.fixture
async def state() -> AsyncIterator[Path]:
    """A STATE_DIR, empty at first."""
    async with state_dir() as folder:
        yield folder


async def kept(state: Path, call_sid: str) -> Stored:
    """What stands in the store of a worker that runs."""
    async with Redis.from_url(store_in(state).url, decode_responses=True) as redis:
        return await stored(redis, call_sid)


def names_in(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


async def test_a_call_is_kept_in_the_state_dir_and_found_by_the_next_start(
    gemini: SimulatedGemini, state: Path
) -> None:
    async with worker_process(gemini, STATE_DIR=str(state)) as worker:
        told = await worker.tells("REDIS_URL is not set: a server of our own keeps the calls")
        assert told["folder"] == f"{state}/store"
        report = await place(TWO_TURNS, worker.url)
        worker.process.send_signal(signal.SIGTERM)
        assert await worker.wait() == 0
        assert servers(state) == []
    async with worker_process(gemini, STATE_DIR=str(state)):
        call = await kept(state, report.call_sid)
    assert report.problems == ()
    assert call.said == call.heard == CONVERSATION
    assert call.record["status"] == "completed"


async def test_a_caller_whose_worker_was_killed_dials_again_and_the_conversation_goes_on(
    gemini: SimulatedGemini, state: Path
) -> None:
    events: Watch[CallEvent] = Watch()
    async with (
        worker_process(gemini, STATE_DIR=str(state)) as worker,
        asyncio.TaskGroup() as tasks,
    ):
        placed = tasks.create_task(place(TWO_TURNS, worker.url, on_event=events, faults=ENDS))
        # An answer, whose question is stored by then. The greeting has none, though a stall of the
        # machine may part it into two turns.
        await events.until(
            lambda event: isinstance(event, AgentHeard) and event.response_ms is not None
        )
        worker.process.kill()
    cut_off = placed.result()
    assert await nobody_left(store_in(state))
    assert servers(state) == []

    async with worker_process(gemini, STATE_DIR=str(state)) as worker:
        again = await place(SAYS_GOODBYE, worker.url)
        before, after = await kept(state, cut_off.call_sid), await kept(state, again.call_sid)
    assert again.problems == ()
    assert before.said == CONVERSATION[:2]
    assert after.said[:2] == before.said
    assert after.said.count(("agent", GREETING)) == 1


async def test_a_second_server_on_the_same_state_dir_says_so_in_one_sentence_and_exits_with_2(
    gemini: SimulatedGemini, state: Path
) -> None:
    async with worker_process(gemini, STATE_DIR=str(state)) as first:
        second = serve_environment(gemini) | {"STATE_DIR": str(state)}
        code, out, err = await run("serve", **second)
        assert (code, out) == (2, "")
        assert err == (
            f"offhook: STATE_DIR: {state}/store is in use by process {first.process.pid}, which "
            "may be another `offhook serve`: stop it, or set another STATE_DIR here, or the same "
            "REDIS_URL for both\n"
        )
        assert (await place(SAYS_GOODBYE, first.url)).problems == ()


@pytest.mark.parametrize("wrong", ["/proc/no/such/place", __file__])
async def test_a_state_dir_that_cannot_be_used_is_one_message(
    gemini: SimulatedGemini, wrong: str
) -> None:
    code, out, err = await run("serve", **serve_environment(gemini), STATE_DIR=wrong)
    assert (code, out) == (2, "")
    assert err.startswith(f"offhook: STATE_DIR: expected a folder that can be written, got {wrong}")
    assert err.endswith("; mend that, or set REDIS_URL\n")


async def test_a_demo_that_is_interrupted_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await offhook(
        "demo", "--out", str(tmp_path / "out"), environment={"TMPDIR": str(tmp_path)}
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while b"agent" not in await process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert names_in(tmp_path) == ["out"]
