"""Verbs: said, dialled, pressed in vain."""

from collections.abc import AsyncIterator

import pytest
from fastapi.responses import StreamingResponse

from telephony.simulator.faults import CallFaults
from telephony.simulator.report import (
    CallEvent,
    KeyPressed,
)
from tests.telephony.simulator.small_server import DESK, Failing, Server, broken, dial


async def test_a_document_that_twilio_refuses_ends_the_call() -> None:
    report = await dial(Server(documents=["<Response><Dance/></Response>"]))
    assert report.ended_by == "application-error"
    assert report.problems == ("12200: Dance is no verb we know",)


DIAL = f'<Response><Say>Hi</Say><Dial action="/twilio/resume">{DESK}</Dial></Response>'


async def test_verbs_run_one_after_another_and_an_exhausted_document_ends_the_call() -> None:
    server = Server(documents=[DIAL, '<Response><Pause length="0"/></Response>'])
    report = await dial(server, faults=CallFaults(dial_ms=0, dial_status="busy"))
    assert (report.announced, report.dialled) == (("Hi",), (DESK,))
    [action] = server.forms("/twilio/resume")
    assert (action["DialCallStatus"], action["DialBridged"]) == ("busy", "false")
    assert action["DialCallSid"].startswith("CA")
    assert action["DialCallSid"] != action["CallSid"]
    assert "DialCallDuration" not in action
    assert (report.ended_by, report.problems) == ("document", ())


async def test_a_dial_that_was_answered_tells_how_long_they_talked() -> None:
    server = Server(documents=[DIAL])
    await dial(server, faults=CallFaults(dial_ms=20))
    [action] = server.forms("/twilio/resume")
    assert (action["DialCallStatus"], action["DialBridged"]) == ("completed", "true")
    assert action["DialCallDuration"] == "1"


@pytest.mark.parametrize("asked", [False, True])
async def test_the_action_of_a_dial_that_ended_with_the_call_may_be_asked(asked: bool) -> None:
    server = Server(documents=[DIAL])
    faults = CallFaults(dial_ms=600_000, dial_action_after_end=asked)
    leaves = "steps = [{after_ms = 300, hang_up = true}]"
    report = await dial(server, script=leaves, faults=faults)
    assert report.ended_by == "caller"
    told = [(form["CallStatus"], form["DialCallStatus"]) for form in server.forms("/twilio/resume")]
    assert told == [("completed", "completed")] * asked


@pytest.mark.parametrize("caller", ["client:alice", "sip:bob@example.com", "anonymous"])
async def test_a_dial_without_a_number_to_show_fails_with_twilios_warning(caller: str) -> None:
    server = Server(documents=[DIAL])
    report = await dial(server, faults=CallFaults(dial_ms=0), caller=caller)
    assert server.forms("/twilio/resume")[0]["DialCallStatus"] == "failed"
    [problem] = report.problems
    assert problem.startswith("13214: no callerId is given")


async def test_a_dial_without_a_number_to_show_may_end_the_call() -> None:
    server = Server(documents=[DIAL])
    faults = CallFaults(dial_ms=0, caller_id_ends_call=True)
    report = await dial(server, faults=faults, caller="client:alice")
    assert (report.ended_by, report.dialled) == ("application-error", ())


@pytest.mark.parametrize("counts", [False, True])
async def test_a_fragment_in_a_redirect_may_count(counts: bool) -> None:
    redirect = "<Response><Redirect>/twilio/resume#rp=5xx</Redirect></Response>"
    server = Failing(documents=[redirect], fails={"/twilio/resume": [broken()]})
    faults = CallFaults(fallback=False, redirect_overrides=counts)
    report = await dial(server, faults=faults)
    assert len(server.forms("/twilio/resume")) == 1 + counts
    assert report.ended_by == ("agent" if counts else "application-error")


async def test_a_document_in_chunks_is_refused() -> None:
    async def parts() -> AsyncIterator[str]:
        yield "<Response>"
        yield "</Response>"

    chunked = StreamingResponse(parts(), media_type="text/xml")
    server = Failing(fails={"/twilio/voice": [chunked]})
    report = await dial(server, faults=CallFaults(fallback=False))
    assert report.ended_by == "application-error"
    assert report.problems[0].startswith("12100: a document has a Content-Length")


async def test_keys_without_a_stream_are_pressed_in_vain_but_for_a_star_in_a_dial() -> None:
    pause = '<Response><Pause length="1"/><Redirect>/twilio/resume</Redirect></Response>'
    waiting = f"""<Response><Dial hangupOnStar="true" action="/twilio/resume">{DESK}</Dial>
        </Response>"""
    server = Server(documents=[pause, waiting])
    keys: list[str] = []

    def note(event: CallEvent) -> None:
        if isinstance(event, KeyPressed):
            keys.append(event.digit)

    script = """steps = [{press = "1*"}, {after_ms = 1500, press = "2*"}]"""
    report = await dial(server, script=script, faults=CallFaults(dial_ms=600_000), on_event=note)
    assert keys == ["1", "*", "2", "*"]
    assert [form.get("DialCallStatus") for form in server.forms("/twilio/resume")] == [
        None,
        "completed",
    ]
    assert (report.ended_by, report.problems) == ("agent", ())
