"""What is measured of a call over sockets: its record, the metrics and a replay say the same."""

from pathlib import Path

from agent.simulator.server import SimulatedGemini
from telephony.replay.recorder import Recorder
from telephony.replay.suite import find
from telephony.replay.verdict import Options, judge
from tests.end_to_end.scripts import TWO_TURNS
from tests.end_to_end.serving import get, place, serving


async def test_the_record_of_a_call_has_the_figures_that_its_replay_has(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    with Recorder(tmp_path) as recorder:
        async with serving(gemini, recorder) as worker:
            report = await place(TWO_TURNS, worker.url)
            metrics = (await get(worker.url, "/metrics")).text
            await worker.server.worker.calls.drain(5)  # all is stored then
            record = await worker.server.worker.store.look_up(report.call_sid)
    [folder] = find([tmp_path])
    told = judge(folder, Options(tell=True)).timeline
    assert record is not None
    assert told is not None
    assert dict(record.measured) == {1: told.measured.short()}
    assert (told.measured.turns, len(told.measured.ear_to_ear_ms)) == (3, 2)
    assert "offhook_ear_to_ear_seconds_count 2.0" in metrics
