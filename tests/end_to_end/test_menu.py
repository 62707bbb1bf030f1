"""A menu of keys before the model: the agent, somebody else, or nobody, by one key."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.conversation.commands import SayToModel
from agent.conversation.next_step import NextStep, Stage
from agent.simulator.server import SimulatedGemini
from telephony.simulator import call_flow
from telephony.simulator.faults import CallFaults, DialStatus
from telephony.simulator.script import Script
from telephony.twilio.urls import MEDIA_PATH, MENU_PATH, TRANSFERRED_PATH, VOICE_PATH
from tests.end_to_end.scripts import GREETING, HANG_UP, caller
from tests.end_to_end.serving import LocalWorker, place, serving
from tests.end_to_end.twilio import form_of, new_call_sid, post, signed
from tests.end_to_end.watching import Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

SALES, WORDS = "+14155550101", "For our assistant, press 1. For sales, press 2."
MENU = (
    f'[menu]\nsays = "{WORDS}"\ntimeout_s = 1\n[menu.keys]\n'
    '1 = "agent"\n2 = "transfer:sales"\n9 = "hang_up"\n'
)
NOTICE = "This call is recorded."
IN_CALL = form_of("", "in-progress")


@pytest.fixture(autouse=True)
def quick_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twilio's voice takes no time: ours is dear."""
    monkeypatch.setattr(call_flow, "SAY_MS_PER_CHARACTER", 0)


@pytest.fixture
def persona(tmp_path: Path) -> Path:
    file = tmp_path / "mira.toml"
    file.write_text(
        'name = "Mira"\ninstructions = "You are Mira."\n'
        f'[transfers.sales]\nto = "{SALES}"\nwarm = true\n{MENU}'
    )
    return file


def add(file: Path, text: str, *, first: bool = False) -> None:
    before = file.read_text()
    file.write_text(text + before if first else before + text)


def presses(key: str, *steps: str) -> Script:
    return caller(f'after_ms = 100\npress = "{key}"', *steps)


async def pressed(worker: LocalWorker, call_sid: str, key: str, token: str, rounds: int = 1) -> str:
    """The answer to a key."""
    path, form = f"{MENU_PATH}?round={rounds}", IN_CALL | {"CallSid": call_sid, "Digits": key}
    headers = signed(path, form) | {"I-Twilio-Idempotency-Token": token}
    answer = await post(worker.url, path, form, headers)
    assert answer.status_code == 200
    return answer.text


async def rings(worker: LocalWorker, form: dict[str, str]) -> str:
    answer = await post(worker.url, VOICE_PATH, form, signed(VOICE_PATH, form))
    assert answer.status_code == 200
    return answer.text


async def step_of(worker: LocalWorker, call_sid: str) -> NextStep | None:
    record = await worker.server.worker.store.look_up(call_sid)
    assert record is not None
    return record.next_step


async def test_a_key_leads_to_the_agent_and_no_model_is_dialled_before(
    gemini: SimulatedGemini, persona: Path
) -> None:
    add(persona, f'[recording]\non = true\nnotice = "{NOTICE}"\n')
    script = presses("1", HANG_UP)
    async with serving(gemini, personas=persona) as worker:
        report = await place(script, worker.url)
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.announced, report.dialled) == ((), (WORDS, NOTICE), ())
    assert record is not None
    assert [(line.role, line.text) for line in record.lines] == [("agent", GREETING)]
    assert len(gemini.server.sessions) == 1


@pytest.mark.parametrize(("status", "streams"), [("completed", 0), ("busy", 1)])
async def test_a_key_leads_to_somebody_and_to_the_agent_if_they_do_not_answer(
    gemini: SimulatedGemini, persona: Path, status: DialStatus, streams: int
) -> None:
    async with serving(gemini, personas=persona) as worker:
        faults = CallFaults(dial_ms=20, dial_status=status, webhook_twice=True)
        report = await place(
            presses("2", 'wait = "line"\nhang_up = true'), worker.url, faults=faults
        )
        record = await worker.server.worker.store.look_up(report.call_sid)
    assert (report.problems, report.announced, report.dialled) == ((), (WORDS,), (SALES,))
    assert (report.streams, len(gemini.server.sessions)) == (streams, streams)
    assert record is not None
    assert record.next_step is not None
    assert (record.next_step.stage, record.next_step.outcome) == (Stage.DONE, status)
    assert record.ended_reason == ("caller_hangup" if streams else "transferred")


@pytest.mark.parametrize("greeting", ["", 'greeting = "Hello."\n'])
async def test_an_agent_whose_caller_was_not_put_through_by_a_key_is_told_so_on_any_worker(
    gemini: SimulatedGemini,
    persona: Path,
    steps: Watch[Step],
    redis_server: "RedisServer",
    greeting: str,
) -> None:
    add(persona, greeting, first=True)
    url = redis_server.url

    def streams_at_the_second(path: str) -> int:
        return int(path == MEDIA_PATH)

    async with (
        serving(gemini, redis_url=url, personas=persona) as one,
        serving(gemini, observer(steps), redis_url=url, personas=persona) as two,
    ):
        faults = CallFaults(dial_ms=20, dial_status="busy")
        script = presses("2", HANG_UP)
        urls = (one.url, two.url)
        report = await place(script, *urls, faults=faults, route=streams_at_the_second)
    said = [each for step in steps.seen for each in step.commands if isinstance(each, SayToModel)]
    assert (report.problems, report.dialled) == ((), (SALES,))
    assert 'asked for "sales"' in said[0].text
    assert "The line is busy." in said[0].text
    assert ("Greet them with these words: Hello." in said[0].text) == bool(greeting)


async def test_two_workers_that_are_told_of_a_key_dial_once(
    gemini: SimulatedGemini, persona: Path, redis_server: "RedisServer"
) -> None:
    url, call_sid = redis_server.url, new_call_sid()
    async with (
        serving(gemini, redis_url=url, personas=persona) as one,
        serving(gemini, redis_url=url, personas=persona) as two,
    ):
        assert "<Gather" in await rings(one, form_of(call_sid))
        assert "<Gather" in await rings(two, form_of(call_sid))
        assert gemini.server.sessions == []
        first = await pressed(one, call_sid, "2", "token")
        assert SALES in first
        assert await pressed(two, call_sid, "2", "token") == first  # Twilio repeats it
        assert "<Stream" in await pressed(two, call_sid, "2", "another")
        assert "<Stream" in await pressed(one, call_sid, "2", "token")  # late
        step = await step_of(one, call_sid)
        assert step is not None
        assert (step.to, step.by, step.stage) == ("sales", "caller", Stage.UNKNOWN)
        assert "<Gather" not in await rings(one, form_of(call_sid))


async def test_other_keys_are_asked_again_once_and_then_the_agent_answers(
    gemini: SimulatedGemini, persona: Path
) -> None:
    async with serving(gemini, personas=persona) as worker:
        call_sid = new_call_sid()
        await rings(worker, form_of(call_sid))
        assert "round=2" in await pressed(worker, call_sid, "5", "a")
        assert "<Hangup" in await pressed(worker, call_sid, "9", "b")
        assert gemini.server.sessions == []
        assert "<Stream" in await pressed(worker, call_sid, "5", "c", rounds=2)
        quiet = new_call_sid()
        await rings(worker, form_of(quiet))
        assert "<Stream" in await pressed(worker, quiet, "", "d")


async def test_nobody_hears_a_menu_outside_the_hours_or_where_a_webhook_failed(
    gemini: SimulatedGemini, persona: Path
) -> None:
    closed = '[hours]\nclosed_instructions = "Take a message."\nmon = ""\n'
    async with serving(gemini, personas=persona) as worker:
        for failed in (MENU_PATH, TRANSFERRED_PATH):
            call_sid = new_call_sid()
            await rings(worker, form_of(call_sid))
            await pressed(worker, call_sid, "2", "a")
            error = {"ErrorUrl": f"https://voice.example.com{failed}"}
            answer = await rings(worker, form_of(call_sid, "in-progress") | error)
            assert "<Stream" in answer
            assert '<Parameter name="tried" value="sales:" />' in answer, (
                "nobody knows how it ended"
            )
        add(persona, closed)
        answer = await rings(worker, form_of(new_call_sid()))
        assert ("<Gather" not in answer, "<Stream" in answer) == (True, True)
