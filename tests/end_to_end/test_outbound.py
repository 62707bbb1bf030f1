"""Calls that are placed: `POST /calls`, Twilio's REST API, and somebody who answers or does not."""

import asyncio
import json
import socket
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from agent.conversation.commands import SayToModel
from agent.persona.outbound import GREETS
from agent.simulator.server import SimulatedGemini
from agent.store import dials
from agent.store.base import StoreAway
from telephony.call.events import CallStatus, StreamStarted
from telephony.simulator import caller as simulated
from telephony.simulator.faults import Pickup
from telephony.simulator.report import AgentHeard, CallEvent, WebhookAnswered
from telephony.simulator.rest import RestAnswer, refusal
from telephony.twilio.urls import STATUS_PATH
from tests.end_to_end.outbound import API_TOKEN, CONSENT, OURS, PERSONA, THEIRS, office
from tests.end_to_end.scripts import CONVERSATION, HANG_UP, TWO_TURNS, caller
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    LocalWorker,
    offhook,
    run,
    serving,
)
from tests.end_to_end.twilio import form_of, new_call_sid, post, ring, signed
from tests.end_to_end.watching import PATIENCE_S, Step, Watch, observer

RINGS_MS = 1_500


async def test_a_call_is_placed_rings_is_answered_and_is_stored_as_any_other(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    steps: Watch[Step] = Watch()
    events: list[CallEvent] = []
    rings = replace(TWO_TURNS, faults=replace(TWO_TURNS.faults, ring_ms=RINGS_MS))
    async with office(
        gemini,
        tmp_path,
        rings,
        observer(steps),
        on_event=lambda _placed, event: events.append(event),
    ) as placing:
        answer = await placing.ask(consent=f"{CONSENT}, card 4111 1111 1111 1111")
        assert answer.status_code == 201, answer.text
        call_sid = answer.json()["call_sid"]
        assert answer.json() == {"call_sid": call_sid, "persona": "Grace"}
        record = await placing.worker.server.worker.store.look_up(call_sid)
        assert record is not None, "it is stored before anybody answers"
        assert (record.status, record.direction) == ("ringing", "outbound")
        report, record = await placing.over(call_sid)
        assert report.problems == ()
        assert report.complaints == ()
        assert record is not None
        [placed] = placing.exchange.placed
        assert (placed.to, placed.calling, placed.sid) == (THEIRS, OURS, call_sid)
        assert placed.events == ("initiated", "ringing", "answered", "completed")
    assert (record.status, record.ended_reason) == ("completed", "caller_hangup")
    assert (record.persona, record.direction) == ("Grace", "outbound")
    assert record.consent == f"{CONSENT}, card [card number]"
    assert [(line.role, line.text) for line in record.lines] == CONVERSATION

    said = [each for step in steps.seen for each in step.commands if isinstance(each, SayToModel)]
    assert [each.text for each in said] == [GREETS], "it greets as one who calls"
    asked = [each for each in events if isinstance(each, WebhookAnswered)]
    assert [each.path for each in asked].count("/twilio/status") == 4
    voice = next(each for each in asked if each.path == "/twilio/voice")
    assert voice.at_ms >= RINGS_MS, "nothing is asked, and no model dialled, before the answer"
    heard = next(each for each in events if isinstance(each, AgentHeard))
    assert heard.at_ms > voice.at_ms
    assert sum(isinstance(step.event, StreamStarted) for step in steps.seen) == 1


WRONG_TOKENS = (None, "x", "a-token-of-thirty-two-characterS", "\u00e9", "x" * 5000)


async def test_strangers_place_no_calls(gemini: SimulatedGemini, tmp_path: Path) -> None:
    async with office(gemini, tmp_path, TWO_TURNS) as placing:
        for token in WRONG_TOKENS:
            answer = await placing.ask(token)
            assert (answer.status_code, answer.json()["error"]) == (401, "token")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert placing.account.requests == []


async def test_a_server_without_a_token_places_no_calls(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with office(gemini, tmp_path, TWO_TURNS, api_token="") as placing:
        for token in WRONG_TOKENS:
            answer = await placing.ask(token)
            assert (answer.status_code, answer.json()["error"]) == (403, "closed")
            assert "API_TOKEN" in answer.json()["message"]
        assert placing.account.requests == []


REFUSED = (
    ({"to": "+1415555"}, "number"),
    ({"to": OURS}, "number"),
    ({"to": "+493012345678"}, "region"),
    ({"to": "+19005550100"}, "type"),
    ({"to": "+14155550177"}, "do_not_call"),
    ({"to": "+14155550188"}, "do_not_call"),
    ({"consent": " "}, "consent"),
)
UNREADABLE: tuple[dict[str, Any], ...] = ({"to": 5}, {"why": "x"}, {"consent": "x" * 501})


async def test_a_refusal_names_its_rule_and_twilio_hears_nothing(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    (tmp_path / "never.txt").write_text("# asked us not to\n+14155550177 in June\n")
    persona = PERSONA.replace("[outbound]", 'blocked = ["+14155550188"]\n[outbound]')
    persona += 'do_not_call = "never.txt"\n'
    async with office(gemini, tmp_path, TWO_TURNS, persona=persona) as placing:
        for wish, rule in REFUSED:
            answer = await placing.ask(**wish)
            assert answer.status_code == 403
            assert (answer.json()["error"], answer.json()["rule"]) == ("refused", rule)
        for unreadable in UNREADABLE:
            answer = await placing.ask(**unreadable)
            assert (answer.status_code, answer.json()["error"]) == (422, "unreadable")
        answer = await placing.ask(persona="Ada")
        assert (answer.status_code, answer.json()["error"]) == (422, "no_such_persona")
        assert "Grace" in answer.json()["message"]
        (tmp_path / "never.txt").write_text("0415 555 0177\n")
        answer = await placing.ask()
        assert (answer.status_code, answer.json()["error"]) == (500, "do_not_call_unreadable")
        assert "line 1" in answer.json()["message"]
        assert placing.account.requests == []


async def test_the_command_places_a_call_and_says_what_became_of_it(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    leaves = caller(HANG_UP)
    async with office(gemini, tmp_path, leaves) as placing:
        token = {"API_TOKEN": API_TOKEN}
        port = {"PORT": placing.worker.url.rpartition(":")[2]}
        asked = ("call", THEIRS, "--persona", "Grace", "--consent", CONSENT)
        code, out, err = await run(*asked, **token, **port)
        [placed] = placing.exchange.placed
        assert (code, out, err) == (0, f"Grace calls {THEIRS}: {placed.sid}\n", "")
        code, out, err = await run(*asked, "--json", "--server", placing.worker.url, **token)
        assert (code, json.loads(out)["rule"]) == (1, "per_number_day")
        code, out, err = await run(*asked, **token, **port)
        assert (code, out) == (1, "")
        assert err.startswith("not placed (per_number_day): the number was called 1 time(s) today")
        assert [code for code, _, _ in await wrong(asked, port)] == [2, 2, 2, 2]
        assert len(placing.exchange.placed) == 1


async def wrong(asked: tuple[str, ...], port: dict[str, str]) -> list[tuple[int | None, str, str]]:
    """A person's mistakes: each is one line that says what to do."""
    token = {"API_TOKEN": API_TOKEN}
    answers = [
        await run(*asked, **port),
        await run(*asked, **port, API_TOKEN="another"),
        await run(*asked, **token, PORT="1"),
        await run(*asked, "--server", "http://voice.example.com", **token),
    ]
    told = (
        "API_TOKEN: missing",
        "Bearer API_TOKEN",
        "start `offhook serve`",
        "expected an address",
    )
    for (_, _, err), expected in zip(answers, told, strict=True):
        assert expected in err
        assert "Traceback" not in err
    return answers


async def test_a_simulated_phone_rings_for_a_call_of_the_command_line(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    (tmp_path / "grace.toml").write_text(PERSONA)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    twilio = f"http://127.0.0.1:{port}"
    async with serving(
        gemini,
        account_sid=ACCOUNT_SID,
        personas=tmp_path,
        twilio_api_url=twilio,
        api_token=API_TOKEN,
    ) as worker:
        phone = await offhook(
            *("simulate", "phone", "--url", worker.url, "--public-url", PUBLIC_URL),
            *("--number", OURS, "--port", str(port), "--fault", "pickup=busy"),
            environment={"TWILIO_AUTH_TOKEN": AUTH_TOKEN, "TWILIO_ACCOUNT_SID": ACCOUNT_SID},
        )
        try:
            assert phone.stdout is not None
            lines = phone.stdout.__aiter__()
            assert f"TWILIO_API_URL={twilio}".encode() in await anext(lines)
            asked = ("call", THEIRS, "--consent", CONSENT, "--server", worker.url)
            code, out, err = await run(*asked, API_TOKEN=API_TOKEN)
            assert (code, err) == (0, "")
            async with asyncio.timeout(PATIENCE_S):
                async for line in lines:
                    if b"the call is over" in line:
                        break
            assert b"by busy" in line
            # The phone says that it is over before it tells the server
            async with asyncio.timeout(PATIENCE_S):
                store, record = worker.server.worker.store, None
                while record is None or record.status != "completed":
                    await asyncio.sleep(0.02)
                    record = await store.look_up(out.split()[-1])
        finally:
            phone.kill()
            await phone.wait()
    assert record.ended_reason == "busy"


async def test_what_twilio_refused_does_not_count_and_what_nobody_knows_does(
    gemini: SimulatedGemini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dials, "INTERVAL_MS", 1)
    async with office(gemini, tmp_path, TWO_TURNS) as placing:
        placing.account.faults += [
            refusal(400, 21215, "x"),
            refusal(429, 20429, "x"),
            RestAnswer(502, ""),
        ]
        told = [await placing.ask() for _ in range(4)]
        assert [(each.status_code, each.json()["error"]) for each in told] == [
            (502, "twilio"),
            (502, "twilio"),
            (502, "unknown"),
            (403, "refused"),
        ]
        assert "Geo permissions" in told[0].json()["message"]
        assert told[3].json()["rule"] == "per_number_day"
        assert len(placing.account.requests) == 3

        async def away(*_: object) -> None:
            raise StoreAway("timeout")

        monkeypatch.setattr(dials.RedisDials, "reserve", away)
        answer = await placing.ask()
        assert (answer.status_code, answer.json()["error"]) == (503, "store_away")
        assert len(placing.account.requests) == 3


STATUSES = (
    ("busy", "busy"),
    ("no-answer", "no_answer"),
    ("failed", "unreachable"),
    ("canceled", "canceled"),
)


@pytest.mark.parametrize(("status", "reason"), STATUSES)
async def test_a_call_that_reached_nobody_says_why_in_whatever_order_that_is_told(
    worker: LocalWorker, steps: Watch[Step], status: str, reason: str
) -> None:
    for order in permutations(("initiated", "ringing", status, status)):
        call_sid = new_call_sid()
        for told in order:
            form = form_of(call_sid, told) | {"Direction": "outbound-api"}
            answer = await post(worker.url, STATUS_PATH, form, signed(STATUS_PATH, form))
            assert answer.status_code == 204
        record = await worker.server.worker.store.look_up(call_sid)
        assert record is not None
        assert (record.status, record.ended_reason) == ("completed", reason)
    assert steps.seen == [], "no model is dialled for nobody"


async def test_a_late_word_of_how_a_call_went_does_not_reach_it(
    worker: LocalWorker, steps: Watch[Step]
) -> None:
    call_sid = new_call_sid()
    await ring(worker.url, call_sid)
    for told in ("in-progress", "ringing", "initiated", "completed"):
        form = form_of(call_sid, told) | {"Direction": "outbound-api"}
        await post(worker.url, STATUS_PATH, form, signed(STATUS_PATH, form))
    await steps.until(lambda step: isinstance(step.event, CallStatus))
    assert [each.event for each in steps.seen if isinstance(each.event, CallStatus)] == [
        CallStatus("completed")
    ]


@pytest.mark.parametrize(
    ("pickup", "ring_ms", "reason"),
    [("answers", 700, "no_answer"), ("busy", 0, "busy"), ("failed", 0, "unreachable")],
)
async def test_a_telephone_rings_for_so_long_and_nobody_is_spoken_to(
    gemini: SimulatedGemini,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pickup: Pickup,
    ring_ms: int,
    reason: str,
) -> None:
    monkeypatch.setattr(simulated, "MS_A_SECOND", 100)  # it rings for a tenth of the time
    script = replace(TWO_TURNS, faults=replace(TWO_TURNS.faults, pickup=pickup, ring_ms=ring_ms))
    persona = PERSONA + "ring_s = 5\n"
    async with office(gemini, tmp_path, script, persona=persona) as placing:
        call_sid = (await placing.ask()).json()["call_sid"]
        report, record = await placing.over(call_sid)
        assert (report.streams, report.webhooks[-1].path) == (0, "/twilio/status")
        [placed] = placing.exchange.placed
        assert placed.ring_s == 5
        assert record is not None
        assert (record.ended_reason, record.lines) == (reason, ())
        assert (record.persona, record.direction) == ("Grace", "outbound")
    assert len(gemini.server.sessions) == 0
