"""Who answers a call that was placed: a person, or a machine, which gets a message or nothing."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.simulator.server import SimulatedGemini
from telephony.simulator import call_flow
from telephony.simulator.faults import AnsweredBy
from telephony.simulator.report import Announced, CallEvent, StreamOpened
from telephony.simulator.rest_calls import PlacedCall
from telephony.twilio import urls
from telephony.twilio.urls import ANSWERED_BY_PATH, TRANSFERRED_PATH
from tests.end_to_end.outbound import PERSONA, office
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import ACCOUNT_SID, PUBLIC_URL, serving
from tests.end_to_end.test_ended_elsewhere import away
from tests.end_to_end.twilio import form_of, post, signed
from tests.end_to_end.watching import Watch

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

MESSAGE = "Hello, this is Grace. Please call us back."
LEAVES = PERSONA + f'on_machine = "voicemail"\nvoicemail = "{MESSAGE}"\n'
HANGS_UP = PERSONA + 'on_machine = "hang_up"\n'
FOUND_OUT_MS = 600
STAYS = caller("after_ms = 60000\nhang_up = true")
"""A machine: it says nothing, and records."""


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twilio's voice takes no time: ours is dear."""
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)


@pytest.mark.parametrize(
    ("persona", "answered_by", "reason"),
    [
        (LEAVES, "machine_end_beep", "voicemail"),
        (LEAVES, "machine_end_silence", "voicemail"),
        (LEAVES, "fax", "machine"),
        (HANGS_UP, "machine_end_other", "machine"),
    ],
)
async def test_a_machine_gets_the_message_once_it_records_and_only_once(
    gemini: SimulatedGemini, tmp_path: Path, persona: str, answered_by: AnsweredBy, reason: str
) -> None:
    events: list[CallEvent] = []
    faults = replace(
        STAYS.faults,
        answered_by=answered_by,
        answered_by_ms=FOUND_OUT_MS,
        answered_by_twice=True,
        ring_ms=200,
    )
    machine = replace(STAYS, faults=faults)
    async with office(
        gemini,
        tmp_path,
        machine,
        persona=persona,
        on_event=lambda _placed, event: events.append(event),
    ) as placing:
        call_sid = (await placing.ask()).json()["call_sid"]
        report, record = await placing.over(call_sid)
    assert report.problems == ()
    assert report.complaints == ()
    assert report.ended_by == "agent"
    said = [each for each in events if isinstance(each, Announced)]
    assert [each.text for each in said] == ([MESSAGE] if reason == "voicemail" else [])
    assert all(each.at_ms >= 200 + FOUND_OUT_MS for each in said), "not before it records"
    assert record is not None
    assert (record.status, record.ended_reason) == ("completed", reason)


@pytest.mark.parametrize("answered_by", ["human", "machine_start", "unknown"])
async def test_a_person_is_talked_to_also_one_who_may_be_a_machine(
    gemini: SimulatedGemini, tmp_path: Path, answered_by: AnsweredBy
) -> None:
    talks = caller(SAY_MORGAN, HANG_UP)
    faults = replace(talks.faults, answered_by=answered_by, answered_by_ms=FOUND_OUT_MS)
    async with office(gemini, tmp_path, replace(talks, faults=faults), persona=LEAVES) as placing:
        call_sid = (await placing.ask()).json()["call_sid"]
        report, record = await placing.over(call_sid)
    assert (report.problems, report.announced) == ((), ())
    assert record is not None
    assert (record.ended_reason, len(record.lines)) == ("caller_hangup", 3)


async def test_a_machine_is_not_looked_for_unless_the_agent_minds(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with office(gemini, tmp_path, STAYS) as placing:
        placed: list[PlacedCall] = []
        placing.account.on_placed = placed.append
        await placing.ask()
    [call] = placed
    assert (call.answered_by, call.waits) == (None, False)


@pytest.mark.parametrize("persona", [LEAVES, HANGS_UP], ids=["voicemail", "hang up"])
async def test_a_late_word_of_a_machine_ends_no_call_that_was_put_through(
    gemini: SimulatedGemini, tmp_path: Path, persona: str
) -> None:
    path = urls.outbound_url(PUBLIC_URL, "Grace", ANSWERED_BY_PATH).partition("#")[0]
    path = path.removeprefix(PUBLIC_URL)
    async with office(gemini, tmp_path, STAYS, persona=persona) as placing:
        worker = placing.worker
        call_sid = await away(worker, "transfer", None)
        late = form_of(call_sid, "in-progress") | {"AnsweredBy": "machine_end_beep"}
        assert (await post(worker.url, path, late, signed(path, late))).status_code == 204
        record = await worker.server.worker.store.look_up(call_sid)
        assert record is not None
        assert (record.status, record.ended_reason) == ("in-progress", "")
        form = form_of(call_sid, "in-progress") | {"DialCallStatus": "busy"}
        answer = await post(worker.url, TRANSFERRED_PATH, form, signed(TRANSFERRED_PATH, form))
        assert "<Stream" in answer.text, "they come back to the agent"
        assert (await post(worker.url, path, late, signed(path, late))).status_code == 204
        assert worker.server.worker.calls.get(call_sid) is not None


@pytest.mark.usefixtures("redis")
async def test_a_worker_that_does_not_hold_the_call_has_the_message_left_all_the_same(
    gemini: SimulatedGemini, tmp_path: Path, redis_server: "RedisServer"
) -> None:
    redis_server.start()
    events: Watch[CallEvent] = Watch()
    (tmp_path / "grace.toml").write_text(LEAVES)
    async with (
        serving(gemini, redis_url=redis_server.url, personas=tmp_path) as other,
        office(
            gemini,
            tmp_path,
            STAYS,
            persona=LEAVES,
            on_event=lambda _placed, event: events(event),
            redis_url=redis_server.url,
        ) as placing,
    ):
        call_sid = (await placing.ask()).json()["call_sid"]
        await events.until(lambda event: isinstance(event, StreamOpened))
        [placed] = placing.exchange.placed
        assert placed.answered_by is not None
        query = placed.answered_by.url.partition("#")[0].partition("?")[2]
        form = {"CallSid": call_sid, "AccountSid": ACCOUNT_SID, "AnsweredBy": "machine_end_beep"}
        path = f"{ANSWERED_BY_PATH}?{query}"
        assert (await post(other.url, path, form, signed(path, form))).status_code == 204
        report, record = await placing.over(call_sid)
    assert (report.announced, report.ended_by) == ((MESSAGE,), "agent")
    assert record is not None
    assert record.ended_reason == "voicemail"
