"""A call through a real server process is recorded, and replays to the bit."""

from pathlib import Path

from agent.simulator.server import SimulatedGemini
from telephony.replay.verdict import Options, Verdict, judge
from telephony.simulator.report import AgentQuiet, CallEvent
from tests.end_to_end.scripts import CONVERSATION, TWO_TURNS, caller
from tests.end_to_end.serving import AUTH_TOKEN, PUBLIC_URL, offhook, place, worker_process

TALKS_OVER = caller(
    'barge_in_ms = 300\nsay = "morgan"',
    'wait = "agent"\nsay = "q2"',
    'wait = "agent"\nhang_up = true',
)


def only(place: Path) -> Path:
    (recorded,) = place.glob("*.call")
    return recorded


def replayed(folder: Path, **options: bool) -> Verdict:
    verdict = judge(folder, Options(tell=True, **options))
    assert verdict.error == ""
    assert verdict.difference is None
    assert verdict.passed
    assert verdict.timeline is not None
    return verdict


async def test_a_live_call_replays_equal_on_the_spot(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with worker_process(gemini, RECORD_DIR=str(tmp_path), DRAIN_BUDGET_S="5") as worker:
        report = await place(TWO_TURNS, worker.url)
        worker.process.terminate()
        assert await worker.wait() == 0
    folder = only(tmp_path)
    assert folder.name.startswith(f"{report.call_sid}.")
    verdict = replayed(folder)
    assert verdict.whole
    came = verdict.outcome
    assert came is not None
    assert came.lines == [f"{role}: {text}" for role, text in CONVERSATION]
    assert (came.ended_reason, came.greetings, came.clears) == ("caller_hangup", 1, 0)
    assert verdict.timeline is not None
    assert len(verdict.timeline.measured.response_ms) == 2

    process = await offhook("replay", str(tmp_path), environment={})
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert f"PASS  {folder}".encode() in out


async def test_a_live_call_from_a_chosen_number_with_a_barge_in_replays_equal(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    chosen = {"RECORD_DIR": str(tmp_path), "RECORD_CALLS": "+14155550199"}
    async with worker_process(gemini, **chosen, DRAIN_BUDGET_S="5") as worker:
        report = await place(TALKS_OVER, worker.url)
        worker.process.terminate()
        assert await worker.wait() == 0
    verdict = replayed(only(tmp_path))
    assert verdict.outcome is not None
    assert verdict.outcome.clears >= len(report.clears) >= 1


async def test_a_worker_that_was_killed_leaves_a_recording_that_replays(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with worker_process(gemini, RECORD_DIR=str(tmp_path)) as worker:

        def kill(event: CallEvent) -> None:
            if isinstance(event, AgentQuiet):
                worker.process.kill()

        await place(TWO_TURNS, worker.url, on_event=kill)
    folder = only(tmp_path)
    assert "expected `End`" in judge(folder, Options()).error
    verdict = replayed(folder, partial=True)
    assert not verdict.whole
    assert verdict.outcome is not None
    assert (verdict.outcome.greetings, verdict.outcome.ended_reason) == (1, "")


async def test_a_selection_that_is_none_is_one_message(tmp_path: Path) -> None:
    environment = {
        "GEMINI_API_KEY": "simulated",
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "PUBLIC_URL": PUBLIC_URL,
        "RECORD_DIR": str(tmp_path),
        "RECORD_CALLS": "some",
    }
    process = await offhook("serve", environment=environment)
    _, written = await process.communicate()
    assert process.returncode == 2
    assert written.startswith(b"offhook: RECORD_CALLS: expected `all`, a share")
