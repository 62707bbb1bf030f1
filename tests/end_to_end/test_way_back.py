"""A call that began outside the hours comes back as such on each way, also while Redis is away."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.simulator.server import SimulatedGemini
from telephony.server import standing
from telephony.twilio.urls import PLAYED_PATH, RESUME_PATH, TRANSFERRED_PATH, VOICE_PATH
from tests.end_to_end.serving import PUBLIC_URL, LocalWorker, serving
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

PERSONA = """
name = "Ada"
instructions = "You are Ada."
[hours]
mon = "09:00-17:00"
closed_instructions = "Take a message."
"""
MONDAY_MS = 1_795_996_800_000
"""2026-11-30, 00:00 UTC."""

OPEN_MS, CLOSED_MS = MONDAY_MS + 10 * 3_600_000, MONDAY_MS + 8 * 3_600_000
CLOSED = '<Parameter name="hours" value="closed" />'

BUSY = {"DialCallStatus": "busy"}


async def asked(worker: LocalWorker, path: str, **besides: str) -> str:
    form = form_of(new_call_sid(), "in-progress") | besides
    answer = await post(worker.url, path, form, signed(path, form))
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("began", ["open", "closed"])
async def test_while_redis_is_away_the_url_tells_how_a_call_began_and_not_the_clock(
    gemini: SimulatedGemini,
    redis_server: "RedisServer",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    began: str,
) -> None:
    redis_server.start()
    (tmp_path / "ada.toml").write_text(PERSONA)
    now_ms = CLOSED_MS if began == "open" else OPEN_MS  # it is the other way round by now
    monkeypatch.setattr(standing, "wall_time_ms", lambda: now_ms)
    query = "?hours=closed" if began == "closed" else ""
    async with serving(gemini, redis_url=redis_server.url, personas=tmp_path) as worker:
        redis_server.stop()
        try:
            answers = [
                await asked(worker, RESUME_PATH + query),
                await asked(worker, PLAYED_PATH + query),
                await asked(worker, TRANSFERRED_PATH + query, **BUSY),
                # the number's fallback, after one of these has failed
                await asked(worker, VOICE_PATH, ErrorUrl=f"{PUBLIC_URL}{RESUME_PATH}{query}#rc=3"),
            ]
        finally:
            redis_server.start()
    assert all("<Stream" in answer for answer in answers)
    assert [CLOSED in answer for answer in answers] == [began == "closed"] * len(answers)


async def test_a_worker_that_stops_passes_on_that_a_call_began_outside_the_hours(
    gemini: SimulatedGemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ada.toml").write_text(PERSONA)
    monkeypatch.setattr(standing, "wall_time_ms", lambda: CLOSED_MS)
    async with serving(gemini, personas=tmp_path) as worker:
        worker.server.worker.calls._drained_by_s = 0.0
        first = await asked(worker, VOICE_PATH)
        later = await asked(worker, f"{RESUME_PATH}?hours=closed")
        monkeypatch.setattr(standing, "wall_time_ms", lambda: OPEN_MS)
        within = await asked(worker, VOICE_PATH)
    assert f"{VOICE_PATH}?hours=closed</Redirect>" in first
    assert f"{RESUME_PATH}?hours=closed</Redirect>" in later
    assert f"{VOICE_PATH}</Redirect>" in within


async def test_a_call_that_is_asked_again_by_such_a_worker_is_outside_the_hours_on_the_next(
    gemini: SimulatedGemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ada.toml").write_text(PERSONA)
    monkeypatch.setattr(standing, "wall_time_ms", lambda: OPEN_MS)
    async with serving(gemini, personas=tmp_path) as worker:
        assert CLOSED in await asked(worker, f"{VOICE_PATH}?hours=closed")
        assert CLOSED not in await asked(worker, VOICE_PATH)
