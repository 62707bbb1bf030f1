"""Calls that are not placed for want of money or time, and strange webhooks of those that are."""

import asyncio
from pathlib import Path

import pytest

from agent.simulator.server import SimulatedGemini
from agent.store import dials
from telephony.call.ending import EndedReason
from telephony.twilio.urls import ANSWERED_BY_PATH, STATUS_PATH, VOICE_PATH, outbound_url
from tests.end_to_end.outbound import PERSONA, THEIRS, office
from tests.end_to_end.scripts import TWO_TURNS
from tests.end_to_end.serving import LocalWorker, serving
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed


async def test_nobody_is_called_once_the_days_money_is_spent(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    persona = f"{PERSONA}[limits]\nusd_per_day = 0.001\n"
    async with office(gemini, tmp_path, TWO_TURNS, persona=persona) as placing:
        for _ in range(2):  # the refused one does not count as a call to the number
            answer = await placing.ask()
            assert (answer.status_code, answer.json()["error"]) == (403, "refused")
            assert answer.json()["rule"] == "budget"
            assert "usd_per_day" in answer.json()["message"]
        assert placing.account.requests == []


async def test_a_call_that_waits_while_the_server_stops_is_given_back_and_not_placed(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with office(gemini, tmp_path, TWO_TURNS) as placing:
        placed_calls = placing.worker.server.worker.dials
        for n in range(8):
            await placed_calls.reserve("another", "2026-11-30", f"{n}", 9)
        given_back: list[str] = []
        give_back = placed_calls.give_back

        async def noting(called: str, day: str, dial_id: str) -> None:
            given_back.append(dial_id)
            await give_back(called, day, dial_id)

        placed_calls.give_back = noting  # type: ignore[method-assign]  # a spy
        async with asyncio.timeout(3), asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(placing.ask())
            await asyncio.sleep(0.2)
            assert not asked.done()
            await placing.worker.server.worker.calls.drain(1.0)
        answer = asked.result()
        assert (answer.status_code, answer.json()["error"]) == (503, "stopping")
        assert len(given_back) == 1
        assert placing.account.requests == []


async def test_a_call_whose_turn_has_come_is_judged_by_the_file_as_it_is_then(
    gemini: SimulatedGemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dials, "INTERVAL_MS", 300)
    async with office(gemini, tmp_path, TWO_TURNS) as placing:
        await placing.worker.server.worker.dials.reserve("another", "2026-11-30", "a", 1)
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(placing.ask())
            await asyncio.sleep(0.1)
            assert not asked.done()
            blocked = PERSONA.replace("[outbound]", f'blocked = ["{THEIRS}"]\n[outbound]')
            (tmp_path / "grace.toml").write_text(blocked)
        answer = asked.result()
        assert (answer.status_code, answer.json()["rule"]) == (403, "do_not_call")
        assert placing.account.requests == []


async def test_a_query_at_a_numbers_own_url_names_no_agent_for_those_who_call_in(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    (tmp_path / "grace.toml").write_text(PERSONA)
    (tmp_path / "ada.toml").write_text('name = "Ada"\ninstructions = "You answer."\n')
    path = outbound_url("https://x", "Ada").removeprefix("https://x").partition("#")[0]
    assert path.startswith(VOICE_PATH)
    async with serving(gemini, personas=tmp_path) as worker:
        form = form_of(new_call_sid())
        assert "Ada" not in (await post(worker.url, path, form, signed(path, form))).text
        placed = form_of(new_call_sid()) | {"Direction": "outbound-api"}
        assert "Ada" in (await post(worker.url, path, placed, signed(path, placed))).text
        other = path.replace("agent=", "agent=x")
        refused = await post(worker.url, other, placed, signed(path, placed))
        assert refused.status_code == 403, "the signature covers the query"


async def test_another_agent_does_not_decide_what_a_machine_gets(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    (tmp_path / "grace.toml").write_text(PERSONA + 'on_machine = "hang_up"\n')
    async with serving(gemini, personas=tmp_path) as worker:
        for name, reason in (("Ada", ""), ("Grace", EndedReason.MACHINE)):
            url = outbound_url("https://x", name, ANSWERED_BY_PATH)
            path = url.removeprefix("https://x").partition("#")[0]
            form = form_of(new_call_sid()) | {
                "Direction": "outbound-api",
                "AnsweredBy": "machine_end_beep",
            }
            assert (await post(worker.url, path, form, signed(path, form))).status_code == 204
            record = await worker.server.worker.store.look_up(form["CallSid"])
            assert ("" if record is None else record.ended_reason) == reason


async def test_a_call_that_is_over_before_twilio_has_answered_is_stored_as_placed(
    worker: LocalWorker,
) -> None:
    form = form_of(new_call_sid(), "busy") | {"Direction": "outbound-api"}
    await post(worker.url, STATUS_PATH, form, signed(STATUS_PATH, form))
    record = await worker.server.worker.store.look_up(form["CallSid"])
    assert record is not None
    assert (record.ended_reason, record.direction) == ("busy", "outbound")
