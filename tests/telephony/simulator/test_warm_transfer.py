"""Two calls in a conference, one of them placed by REST, with Twilio's own client library."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import Request, Response
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]  # as below
from twilio.rest import Client  # type: ignore[import-untyped]  # twilio ships no types

from telephony.audio.g711 import decode
from telephony.audio.wav import write_mono
from telephony.server.twilio_rest import HttpClient
from telephony.simulator import exchange
from telephony.simulator.caller import call
from telephony.simulator.exchange import Exchange
from telephony.simulator.hearing import Sound
from telephony.simulator.keys import key_tone
from telephony.simulator.report import Report
from telephony.simulator.rest import RestAccount
from telephony.simulator.rest_server import SimulatedRest
from telephony.simulator.script import Script, Utterance, parse
from tests.telephony.simulator.small_server import ACCOUNT, PUBLIC, TOKEN, Server, serving

OURS, DESK = "+14155550199", "+14155550100"
EVENTS = ["initiated", "ringing", "answered", "completed"]

HOLD = f"""<Response><Play>{PUBLIC}/hold.wav</Play>
  <Redirect>{PUBLIC}/wait</Redirect></Response>"""
CALLERS = f"""<Response><Dial action="{PUBLIC}/after"><Conference waitUrl="{PUBLIC}/wait"
  startConferenceOnEnter="false" endConferenceOnExit="true" beep="false"
  statusCallback="{PUBLIC}/conference" statusCallbackEvent="start end join leave"
  >a-name</Conference></Dial></Response>"""
BRIEFING = """<Response><Gather numDigits="1" timeout="1" action="/briefed">
  <Say>Ann waits.</Say></Gather><Hangup/></Response>"""
ACCEPTED = """<Response><Dial><Conference startConferenceOnEnter="true"
  endConferenceOnExit="true" beep="false">a-name</Conference></Dial></Response>"""
HANGUP = "<Response><Hangup/></Response>"

STAYS = "quiet_ms = 200\n"
ACCEPTS = (
    STAYS
    + """steps = [{wait = "agent", press = "1"}, {wait = "line", say = "goodbye"},
  {wait = "agent", hang_up = true}]"""
)
CALLER = STAYS + 'steps = [{wait = "agent", say = "yes"}]'


@dataclass
class Desk(Server):
    """Answers each path with its document, and places a leg when music is asked for."""

    pages: dict[str, str] = field(default_factory=dict)
    hold: bytes = b""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    rings: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        path = request.url.path
        self.requests.append((path, form, dict(request.headers)))
        if path == "/hold.wav":
            return Response(self.hold, media_type="audio/wav")
        if path == "/wait":
            self.asked.set()
        if form.get("CallStatus") == "ringing" and path == "/leg":
            self.rings.set()
        if path in self.pages:
            return Response(self.pages[path], media_type="text/xml")
        return Response(status_code=204)


@dataclass(frozen=True)
class Office:
    """A caller in a conference, and Twilio's client for the account."""

    desk: Desk
    account: RestAccount
    exchange: Exchange
    twilio: Any
    caller: asyncio.Task[Report]

    async def place(self, **more: Any) -> str:
        """Place the leg, once the caller waits; its CallSid."""
        await self.desk.asked.wait()
        wish: dict[str, Any] = {
            "to": DESK,
            "from_": OURS,
            "url": f"{PUBLIC}/briefing",
            "status_callback": f"{PUBLIC}/leg",
            "status_callback_event": EVENTS,
            "timeout": 20,
        }
        placed = await asyncio.to_thread(self.twilio.calls.create, **wish | more)
        assert placed.status == "queued"
        return str(placed.sid)

    async def update(self, call_sid: str, **form: str) -> None:
        await asyncio.to_thread(self.twilio.calls(call_sid).update, **form)

    def statuses(self) -> list[str]:
        return [form["CallStatus"] for form in self.desk.forms("/leg")]


@asynccontextmanager
async def office(
    tmp_path: Any, person: str, caller: str = CALLER, **pages: str
) -> AsyncIterator[Office]:
    write_mono(tmp_path / "hold.wav", decode(key_tone("5") * 4), 8_000)
    desk = Desk(hold=(tmp_path / "hold.wav").read_bytes())
    desk.pages = {"/twilio/voice": CALLERS, "/wait": HOLD, "/briefing": BRIEFING,
                  "/briefed": ACCEPTED, "/after": HANGUP}  # fmt: skip
    desk.pages |= {f"/{name}": page for name, page in pages.items()}
    account = RestAccount(ACCOUNT, TOKEN)
    account.add(OURS)
    people: dict[str, Script] = {DESK: parse(person)}
    async with (
        serving(desk) as urls,
        SimulatedRest(account) as rest,
        Exchange(account, urls, PUBLIC, parse(caller), people=people) as phones,
        asyncio.TaskGroup() as group,
    ):
        running = group.create_task(call(urls, PUBLIC, TOKEN, ACCOUNT, parse(caller), rest=account))
        client = Client(ACCOUNT, TOKEN, http_client=HttpClient(rest.url, 3.0))
        yield Office(desk, account, phones, client, running)


def kinds(report: Report) -> list[str]:
    found: list[str] = []
    for sound in report.sounds:
        if not found or found[-1] != sound.kind:
            found.append(sound.kind)
    return found


def total_ms(report: Report, chosen: Callable[[Sound], bool]) -> int:
    return sum(each.length_ms for each in report.sounds if chosen(each))


async def test_a_caller_hears_music_and_then_the_one_who_accepts_and_both_hear_each_other(
    tmp_path: Any,
) -> None:
    async with office(tmp_path, ACCEPTS) as there:
        leg_sid = await there.place()
        caller, leg = await there.caller, await there.exchange.report(leg_sid)
    assert (caller.problems, leg.problems) == ((), ())
    assert kinds(caller) == ["music", "person"]
    assert kinds(leg) == ["voice", "person"]
    assert total_ms(caller, lambda each: each.source == f"{PUBLIC}/hold.wav") > 500
    assert {each.source for each in caller.sounds if each.kind == "person"} == {leg_sid}
    assert {each.source for each in leg.sounds if each.kind == "person"} == {caller.call_sid}
    assert len(there.desk.forms("/hold.wav")) == 1, "a file is fetched once"
    assert len(there.desk.forms("/wait")) > 1, "the wait document is asked again at its end"

    said = parse(ACCEPTS).steps[1].deed
    assert isinstance(said, Utterance)
    heard = b"".join(ulaw for _, ulaw in caller.pieces)
    assert said.ulaw[1600:8000] in heard, "to the sample"

    [briefed] = there.desk.forms("/briefed")
    assert (briefed["Digits"], briefed["CallSid"]) == ("1", leg_sid)
    assert there.statuses() == ["initiated", "ringing", "in-progress", "completed"]
    told = [
        (form["StatusCallbackEvent"], form.get("CallSid", ""))
        for form in sorted(there.desk.forms("/conference"), key=lambda each: each["SequenceNumber"])
    ]
    assert told == [
        ("participant-join", caller.call_sid),
        ("participant-join", leg_sid),
        ("conference-start", ""),
        ("participant-leave", leg_sid),
        ("participant-leave", caller.call_sid),
        ("conference-end", ""),
    ]
    [after] = there.desk.forms("/after")
    assert (after["DialCallStatus"], after["DialBridged"]) == ("answered", "true")
    assert (caller.ended_by, leg.ended_by) == ("agent", "caller")


async def test_a_caller_is_brought_back_from_the_conference_after_one_who_declined(
    tmp_path: Any,
) -> None:
    declines = STAYS + 'steps = [{wait = "agent", press = "2"}]'
    back = "<Response><Say>Back</Say><Hangup/></Response>"
    async with office(tmp_path, declines, briefed=HANGUP, back=back) as there:
        leg_sid = await there.place()
        leg = await there.exchange.report(leg_sid)
        assert not there.caller.done()
        caller_sid = there.desk.forms("/wait")[0]["CallSid"]
        await there.update(caller_sid, url=f"{PUBLIC}/back")
        caller = await there.caller
    assert (leg.ended_by, kinds(leg)) == ("agent", ["voice"])
    assert [form["Digits"] for form in there.desk.forms("/briefed")] == ["2"]
    assert (caller.announced, caller.ended_by) == (("Back",), "agent")
    assert len(there.desk.forms("/after")) == 1, (
        "the action is asked, and its answer does not count"
    )
    told = {form["StatusCallbackEvent"]: form for form in there.desk.forms("/conference")}
    assert "conference-start" not in told
    assert told["conference-end"]["CallSidEndingConference"] == caller_sid


async def test_a_leg_that_rings_or_waits_to_ring_can_be_cancelled_and_not_redirected(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "INTERVAL_S", 600.0)
    rings = STAYS + "steps = [{hang_up = true}]\nfaults = {ring_ms = 60000}"
    async with office(tmp_path, rings) as there:
        first, second = await there.place(), await there.place()
        await there.desk.rings.wait()
        for call_sid, status in ((first, "ringing"), (second, "queued")):
            seen = await asyncio.to_thread(there.twilio.calls(call_sid).fetch)
            assert seen.status == status
            with pytest.raises(TwilioRestException) as refused:
                await there.update(call_sid, url=f"{PUBLIC}/back")
            assert (refused.value.status, refused.value.code) == (400, 21220)
        await there.update(second, status="canceled")
        await there.update(first, status="completed")
        reports = [await there.exchange.report(each) for each in (first, second)]
        with pytest.raises(TwilioRestException) as refused:
            await there.update(first, status="canceled")
        assert refused.value.code == 21220
        await there.update(there.desk.forms("/wait")[0]["CallSid"], status="completed")
    assert [each.ended_by for each in reports] == ["canceled", "canceled"]
    assert there.statuses() == ["initiated", "ringing", "canceled"], "of the second one, nothing"


async def test_a_machine_is_noticed_before_the_briefing_and_its_leg_tells_of_itself_backwards(
    tmp_path: Any,
) -> None:
    machine = (
        STAYS
        + """steps = [{say = "yes"}, {beep = true}]
        [faults]
        answered_by = "machine_start"
        answered_by_ms = 200
        status_order = "reversed"
        status_twice = true"""
    )
    async with office(tmp_path, machine) as there:
        leg_sid = await there.place(machine_detection="Enable")
        leg = await there.exchange.report(leg_sid)
        await there.update(there.desk.forms("/wait")[0]["CallSid"], status="completed")
    [briefing] = there.desk.forms("/briefing")
    assert (briefing["AnsweredBy"], briefing["MachineDetectionDuration"]) == (
        "machine_start",
        "200",
    )
    assert (leg.ended_by, leg.announced) == ("agent", ("Ann waits.",))
    assert there.desk.forms("/briefed") == []
    once = ["completed", "in-progress", "ringing", "initiated"]
    assert there.statuses() == once * 2
    assert [form["SequenceNumber"] for form in there.desk.forms("/leg")] == list("3210") * 2
