"""A call is told by REST how to go on, or to end."""

import base64
import json
from dataclasses import replace

import pytest
from fastapi import WebSocket

from telephony.simulator.faults import AfterLoss, CallFaults
from telephony.simulator.report import (
    AgentHeard,
    CallEvent,
    Dialled,
    StreamClosed,
)
from telephony.simulator.rest import RestAccount, RestAnswer, RestRequest
from tests.telephony.simulator.small_server import (
    ACCOUNT,
    CONNECT,
    DESK,
    PUBLIC,
    QUICK,
    TOKEN,
    TONE,
    Server,
    dial,
    media,
)


def update(rest: RestAccount, **form: str) -> RestAnswer:
    """Tell the one call there is how to go on, as by REST."""
    [call_sid] = rest.calls
    good = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    path = f"/2010-04-01/Accounts/{ACCOUNT}/Calls/{call_sid}.json"
    answer = rest.answer(RestRequest("POST", path, {}, form, good))
    assert isinstance(answer, RestAnswer)
    return answer


def move(rest: RestAccount) -> RestAnswer:
    """Redirect the one call there is."""
    return update(rest, Url=f"{PUBLIC}/twilio/resume")


async def test_a_call_that_waits_after_its_socket_broke_goes_on_once_it_is_redirected() -> None:
    rest = RestAccount(ACCOUNT, TOKEN)
    server = Server(documents=[CONNECT, CONNECT])

    def saved(event: CallEvent) -> None:
        if isinstance(event, StreamClosed) and event.how == "31903":
            assert server.forms("/twilio/resume") == []
            assert move(rest).status == 200

    script = """quiet_ms = 200
        steps = [{wait = "agent", cut = "reset"}, {barge_in_ms = 0, hang_up = true}]"""
    faults = replace(QUICK, after_loss=AfterLoss.WAITS)
    report = await dial(server, script=script, faults=faults, on_event=saved, rest=rest)
    assert (report.streams, report.ended_by) == (2, "caller")
    assert len(server.forms("/twilio/resume")) == 1
    assert (move(rest).status, json.loads(move(rest).body)["code"]) == (400, 21220)


async def test_a_redirect_takes_a_call_off_its_stream_in_good_order() -> None:
    rest = RestAccount(ACCOUNT, TOKEN)
    server = Server()  # whose second document hangs up

    def moved(event: CallEvent) -> None:
        if isinstance(event, AgentHeard):
            assert move(rest).status == 200

    report = await dial(server, on_event=moved, rest=rest)
    assert (report.streams, report.ended_by) == (1, "agent")
    assert server.received[-1]["event"] == "stop"
    events = [form["StreamEvent"] for form in server.forms("/twilio/stream-status")]
    assert events == ["stream-started", "stream-stopped"]


async def test_a_call_goes_on_with_a_document_that_rest_is_given() -> None:
    rest = RestAccount(ACCOUNT, TOKEN)
    server = Server()

    def moved(event: CallEvent) -> None:
        if isinstance(event, AgentHeard):
            assert update(rest, Twiml="<Response><Say>Bye</Say></Response>").status == 200

    report = await dial(server, on_event=moved, rest=rest)
    assert (report.announced, report.ended_by) == (("Bye",), "document")
    assert server.received[-1]["event"] == "stop"
    assert server.forms("/twilio/resume") == []
    [end] = server.forms("/twilio/status")
    assert end["CallStatus"] == "completed"


async def test_rest_ends_a_call_on_its_stream_in_good_order() -> None:
    rest = RestAccount(ACCOUNT, TOKEN)
    server = Server()

    def done(event: CallEvent) -> None:
        if isinstance(event, AgentHeard):
            assert update(rest, Status="completed").status == 200

    report = await dial(server, on_event=done, rest=rest)
    assert (report.ended_by, report.problems) == ("rest", ())
    assert server.received[-1]["event"] == "stop"
    assert server.forms("/twilio/resume") == []
    assert [form["CallStatus"] for form in server.forms("/twilio/status")] == ["completed"]
    again = update(rest, Status="completed")
    assert (again.status, json.loads(again.body)["code"]) == (400, 21220)


@pytest.mark.parametrize("drains", [False, True])
async def test_a_redirect_may_wait_until_all_that_is_queued_was_heard(drains: bool) -> None:
    async def talk(websocket: WebSocket, sid: str) -> None:
        await websocket.send_text(media(sid, TONE * 5))

    rest = RestAccount(ACCOUNT, TOKEN)

    def moved(event: CallEvent) -> None:
        if isinstance(event, AgentHeard):
            move(rest)

    faults = replace(QUICK, update_drains=drains)
    report = await dial(Server(agent=talk), on_event=moved, rest=rest, faults=faults)
    assert (report.heard_ms == 1_000) is drains


async def test_a_redirect_in_a_dial_has_both_asked_and_the_new_document_counts() -> None:
    rest = RestAccount(ACCOUNT, TOKEN)
    action = "<Response><Say>The action's document</Say></Response>"
    new = "<Response><Say>The new document</Say></Response>"
    waiting = f"""<Response><Dial action="/twilio/resume">{DESK}</Dial></Response>"""
    server = Server(documents=[waiting, action, new])

    def moved(event: CallEvent) -> None:
        if isinstance(event, Dialled):
            update(rest, Url=f"{PUBLIC}/twilio/fallback")

    report = await dial(server, on_event=moved, rest=rest, faults=CallFaults(dial_ms=600_000))
    paths = [path for path, _, _ in server.requests]
    assert paths == ["/twilio/voice", "/twilio/resume", "/twilio/fallback", "/twilio/status"]
    assert server.forms("/twilio/resume")[0]["DialCallStatus"] == "completed"
    assert (report.announced, report.ended_by) == (("The new document",), "document")
