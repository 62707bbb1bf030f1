"""A service screens a call that was placed, and Twilio takes it for an answering machine."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.conversation.commands import AppendLine
from agent.conversation.transcript import Line
from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.script import Script, Turn
from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import clip
from agent.store.promises import Store
from telephony.twilio import urls
from tests.contracts.stored import CHECKPOINT
from tests.contracts.test_leases import until
from tests.end_to_end.outbound import office
from tests.end_to_end.scripts import HANG_UP, SAY_MORGAN, caller
from tests.end_to_end.serving import ACCOUNT_SID, PUBLIC_URL, LocalWorker, serving
from tests.end_to_end.test_machines import HANGS_UP, LEAVES
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed
from tests.end_to_end.watching import Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

MODEL = Script(
    greeting="still-here",
    on_text="a1",
    fallback="a2",
    turns=(Turn("sorry", expect="screening"), Turn("goodbye", expect="morgan")),
)
QUESTION, ANSWER = clip("caller/screening").text, clip("agent/sorry").text
SCREENS = caller('wait = "agent"\nsay = "screening"', SAY_MORGAN, HANG_UP)


@pytest.mark.usefixtures("redis")
@pytest.mark.parametrize("persona", [LEAVES, HANGS_UP], ids=["voicemail", "hang up"])
@pytest.mark.parametrize("told", ["its worker", "another worker"])
async def test_a_service_that_screens_is_answered_whatever_twilio_takes_it_for(
    tmp_path: Path, redis_server: "RedisServer", persona: str, told: str
) -> None:
    steps: Watch[Step] = Watch()
    (tmp_path / "grace.toml").write_text(persona)
    async with (
        SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
        serving(gemini, redis_url=redis_server.url, personas=tmp_path) as other,
        office(
            gemini,
            tmp_path,
            SCREENS,
            observer(steps),
            persona=persona,
            redis_url=redis_server.url,
        ) as placing,
    ):
        call_sid = (await placing.ask()).json()["call_sid"]
        await steps.until(lambda step: _wrote(step, QUESTION))
        await _tell(other if told == "another worker" else placing.worker, call_sid)
        report, record = await placing.over(call_sid)
    assert (report.problems, report.complaints, report.announced) == ((), (), ())
    assert record is not None
    assert (record.ended_reason, record.verdict) == ("caller_hangup", "")
    assert [line.text for line in record.lines][1:3] == [QUESTION, ANSWER]


def _wrote(step: Step, text: str) -> bool:
    return any(isinstance(each, AppendLine) and each.line.text == text for each in step.commands)


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [(QUESTION, "in-progress", ""), ("Speak after the tone.", "completed", "voicemail")],
)
async def test_of_a_call_that_no_worker_holds_what_is_stored_of_it_is_asked(
    tmp_path: Path, words: str, status: str, reason: str
) -> None:
    (tmp_path / "grace.toml").write_text(LEAVES)
    async with (
        SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
        serving(gemini, personas=tmp_path) as worker,
    ):
        store, call_sid = worker.server.worker.store, new_call_sid()
        await store.take(call_sid, "nonce", "a worker that is gone", 60)
        await store.append(call_sid, [Line(1, "caller", words, words, 0, 1)], 1)
        await _tell(worker, call_sid)
        record = await store.look_up(call_sid)
    assert record is not None
    assert (record.status, record.ended_reason) == (status, reason)


@pytest.mark.parametrize(
    ("line", "owed", "status", "reason"),
    [
        ("Hello.", "", "completed", "voicemail"),
        (QUESTION, "", "in-progress", ""),
        ("Hello.", QUESTION, "in-progress", ""),
    ],
)
@pytest.mark.parametrize("taken", [False, True])
async def test_what_a_worker_was_told_that_dies_is_done_by_the_next_one(
    tmp_path: Path, line: str, owed: str, status: str, reason: str, *, taken: bool
) -> None:
    (tmp_path / "grace.toml").write_text(LEAVES)
    async with (
        SimulatedGemini(GeminiServer(MODEL, BRISK)) as gemini,
        serving(gemini, personas=tmp_path) as worker,
    ):
        store, call_sid = worker.server.worker.store, new_call_sid()
        await store.open_call(call_sid, "Grace", "", "outbound")
        await store.take(call_sid, "nonce", "a worker that is killed", 60)
        await store.append(call_sid, [Line(1, "caller", line, line, 0, 1)], 1)
        left = replace(CHECKPOINT, epoch=1, owes_answer=True, owed_words=owed, owed_line=1)
        await store.save_checkpoint(call_sid, left, 1)
        async with store.leases() as leases:
            await leases.watch(call_sid, lambda _: None, lambda _: None)
            await _tell(worker, call_sid)
        told = await store.look_up(call_sid)
        assert told is not None
        assert (told.status, told.verdict) == ("in-progress", "voicemail")
        if taken:  # by a stream that was asked for before
            its = worker.server.worker
            known = its.personas.last_good.named("Grace").persona, its.tariffs({})
            assert await its.calls.take(call_sid, "another nonce", *known)
            await until(lambda: _settled(store, call_sid))
        form = form_of(call_sid, "in-progress") | {"Direction": "outbound-api"}
        answer = await post(worker.url, urls.RESUME_PATH, form, signed(urls.RESUME_PATH, form))
        record = await store.look_up(call_sid)
    assert ("<Stream" in answer.text) == (not reason)
    assert ("<Say" in answer.text) == bool(reason)
    assert record is not None
    assert (record.status, record.ended_reason) == (status, reason)
    assert reason or not record.verdict


async def _settled(store: Store, call_sid: str) -> bool:
    record = await store.look_up(call_sid)
    return record is not None and (not record.verdict or record.status == "completed")


async def _tell(worker: LocalWorker, call_sid: str) -> None:
    """Twilio tells a worker that a machine has answered, and has finished."""
    url = urls.outbound_url(PUBLIC_URL, "Grace", urls.ANSWERED_BY_PATH).partition("#")[0]
    path = url.removeprefix(PUBLIC_URL)
    form = {"CallSid": call_sid, "AccountSid": ACCOUNT_SID, "AnsweredBy": "machine_end_silence"}
    assert (await post(worker.url, path, form, signed(path, form))).status_code == 204
