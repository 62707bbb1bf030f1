"""Webhooks fail, the fallback goes on; and what a number, and a call, tell of themselves."""

from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from fastapi import Response, WebSocket

from telephony.number import webhooks
from telephony.simulator import elements
from telephony.simulator.faults import ProgressEvent
from telephony.simulator.identity import CALLER, NumberWebhooks, linked
from tests.telephony.simulator.small_server import (
    PUBLIC,
    QUICK,
    Failing,
    Server,
    broken,
    dial,
    greet,
)

PLAIN = NumberWebhooks(
    elements.Request(f"{PUBLIC}/twilio/voice"), status=elements.Request(f"{PUBLIC}/twilio/status")
)
"""A number that was linked by hand: no fallback, and nothing said of retries."""


async def test_a_webhook_that_fails_ends_the_call_where_nobody_says_how_to_ask_again() -> None:
    server = Failing(fails={"/twilio/voice": [broken()]})
    report = await dial(server, number=PLAIN)
    assert len(server.forms("/twilio/voice")) == 1
    assert report.ended_by == "application-error"
    assert report.problems[0].startswith("11200")


async def test_a_linked_numbers_webhook_is_asked_again_and_nothing_is_lost() -> None:
    server = Failing(fails={"/twilio/voice": [broken(), broken(), broken()]})
    report = await dial(server)
    tokens = {
        headers["i-twilio-idempotency-token"]
        for path, _, headers in server.requests
        if path == "/twilio/voice"
    }
    assert (len(server.forms("/twilio/voice")), len(tokens)) == (4, 1)
    assert (report.ended_by, report.problems) == ("caller", ())


FALLBACK = replace(PLAIN, fallback=elements.Request(f"{PUBLIC}/twilio/fallback"))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (broken(), "11200"),
        (broken(404), "11200"),
        (Response("<Response>", media_type="text/xml"), "12100"),
        (Response("<Response/>", media_type="application/json"), "12300"),
    ],
)
@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/resume"])
async def test_the_fallback_goes_on_with_a_call_whose_webhook_failed(
    path: str, answer: Response, code: str
) -> None:
    async def leave(websocket: WebSocket, sid: str) -> None:
        await greet(websocket, sid)
        await websocket.close()

    server = Failing(agent=leave, fails={path: [answer]})
    report = await dial(server, number=FALLBACK)
    [asked] = server.forms("/twilio/fallback")
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == (code, PUBLIC + path)
    assert asked["CallSid"] == report.call_sid
    assert [problem[:5] for problem in report.problems] == [code]
    assert (report.ended_by, report.announced) == ("agent", ())


async def test_a_fallback_that_fails_too_ends_the_call() -> None:
    fails = {"/twilio/voice": [broken()], "/twilio/fallback": [broken(503)]}
    report = await dial(Failing(fails=fails), number=FALLBACK)
    assert report.ended_by == "application-error"
    assert [problem.partition(" http")[0] for problem in report.problems] == [
        "11200:",
        "fallback: 11200:",
    ]


async def test_a_number_may_have_no_fallback() -> None:
    server = Failing(fails={"/twilio/voice": [broken()]})
    report = await dial(server, number=FALLBACK, faults=replace(QUICK, fallback=False))
    assert server.forms("/twilio/fallback") == []
    assert report.ended_by == "application-error"


async def test_a_number_tells_the_end_of_a_call_and_nothing_of_a_sequence() -> None:
    server = Server()
    await dial(server)
    [end] = server.forms("/twilio/status")
    assert (end["CallStatus"], end["CallDuration"]) == ("completed", "1")
    assert end.keys().isdisjoint({"SequenceNumber", "CallbackSource", "Timestamp", "Duration"})
    server = Server()
    await dial(server, faults=replace(QUICK, full_status=True))
    [end] = server.forms("/twilio/status")
    assert (end["SequenceNumber"], end["CallbackSource"]) == ("0", "call-progress-events")
    assert parsedate_to_datetime(end["Timestamp"]).tzinfo is not None
    assert end["Duration"] == "1"


async def test_a_number_may_tell_nothing() -> None:
    server = Server()
    await dial(server, faults=replace(QUICK, status_callback=False))
    assert server.forms("/twilio/status") == []


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "failed")])
async def test_a_rejected_call_is_not_completed(reason: str, status: str) -> None:
    server = Server(documents=[f'<Response><Reject reason="{reason}"/></Response>'])
    report = await dial(server)
    assert report.ended_by == "rejected"
    assert [form["CallStatus"] for form in server.forms("/twilio/status")] == [status]


EVENTS: tuple[ProgressEvent, ...] = ("initiated", "ringing", "answered", "completed")


async def test_a_call_placed_by_rest_tells_what_it_was_asked_to_in_a_sequence() -> None:
    server = Server()
    await dial(server, faults=replace(QUICK, outbound=True, status_events=EVENTS))
    [voice] = server.forms("/twilio/voice")
    assert (voice["Direction"], voice["CallStatus"]) == ("outbound-api", "in-progress")
    assert (voice["From"], voice["To"]) == ("+14155550199", CALLER)
    told = sorted(server.forms("/twilio/status"), key=lambda form: int(form["SequenceNumber"]))
    assert [form["CallStatus"] for form in told] == [
        *("initiated", "ringing", "in-progress", "completed")
    ]
    assert [form["SequenceNumber"] for form in told] == ["0", "1", "2", "3"]
    assert {form["CallbackSource"] for form in told} == {"call-progress-events"}


async def test_what_a_call_tells_of_itself_may_come_after_its_end() -> None:
    server = Server()
    faults = replace(
        QUICK, outbound=True, status_events=("answered", "completed"), progress_late_ms=3_000
    )
    await dial(server, faults=faults)
    told = [(form["CallStatus"], form["SequenceNumber"]) for form in server.forms("/twilio/status")]
    assert told == [("completed", "1"), ("in-progress", "0")]


def test_the_simulated_number_is_linked_as_ours_is() -> None:
    ours = webhooks.ours(PUBLIC)
    simulated = linked(PUBLIC)
    assert simulated.fallback is not None
    assert simulated.status is not None
    assert [ours["voice_url"], ours["voice_fallback_url"], ours["status_callback"]] == [
        *(simulated.voice.url, simulated.fallback.url, simulated.status.url)
    ]
