"""The edge, against a small real server: what Twilio sends, and how it goes on after a fault."""

import asyncio
import base64
import contextlib
import json
import re
import socket
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from twilio.request_validator import (  # type: ignore[import-untyped] # twilio ships no types
    RequestValidator,
)
from websockets.utils import accept_key

from telephony.audio.g711 import encode
from telephony.number import webhooks
from telephony.simulator import elements
from telephony.simulator.caller import call
from telephony.simulator.faults import AfterLoss, CallFaults, UpgradeSignature
from telephony.simulator.identity import CALLER, NumberWebhooks, linked
from telephony.simulator.report import (
    AgentHeard,
    CallEvent,
    Dialled,
    KeyPressed,
    Report,
    StreamClosed,
    StreamOpened,
    WebhookAnswered,
)
from telephony.simulator.rest import RestAccount, RestAnswer, RestRequest
from telephony.simulator.script import parse

PUBLIC = "https://voice.example.com"
TOKEN = "an auth token"
ACCOUNT = "AC" + "2" * 32
TONE = encode((b"\x00\x20" * 4 + b"\x00\xe0" * 4) * 200)
"""200 ms."""
HANG_UP = 'quiet_ms = 200\nsteps = [{wait = "agent", hang_up = true}]'
QUICK = CallFaults(connect_ms=(0, 10), reconnect_ms=(0, 10))

CONNECT = """<Response><Connect action="/twilio/resume">
  <Stream url="wss://voice.example.com/twilio/media"
          statusCallback="https://voice.example.com/twilio/stream-status">
    <Parameter name="token" value="secret"/></Stream></Connect></Response>"""
HANGUP = "<Response><Hangup/></Response>"


def message(event: str, sid: str, **fields: object) -> str:
    return json.dumps({"event": event, "streamSid": sid, **fields})


def media(sid: str, ulaw: bytes) -> str:
    return message("media", sid, media={"payload": base64.b64encode(ulaw).decode()})


async def greet(websocket: WebSocket, sid: str) -> None:
    """Say a tone, and mark its end."""
    await websocket.send_text(media(sid, TONE))
    await websocket.send_text(message("mark", sid, mark={"name": "end"}))


type Agent = Callable[[WebSocket, str], Awaitable[None]]


@dataclass
class Server:
    """A worker that answers with the given documents, one after another, then hangs up."""

    documents: list[str] = field(default_factory=lambda: [CONNECT])
    agent: Agent = greet
    requests: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    upgrades: list[dict[str, str]] = field(default_factory=list)
    received: list[dict[str, object]] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for requested, form, _ in self.requests if requested == path]

    async def answer(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        self.requests.append((request.url.path, form, dict(request.headers)))
        if request.url.path in {"/twilio/voice", "/twilio/resume", "/twilio/fallback"}:
            document = self.documents.pop(0) if self.documents else HANGUP
            return Response(document, media_type="text/xml")
        return Response(status_code=204)

    async def media(self, websocket: WebSocket) -> None:
        self.upgrades.append(dict(websocket.headers))
        await websocket.accept()
        try:
            while True:
                said = json.loads(await websocket.receive_text())
                self.received.append(said)
                if said["event"] == "start":
                    await self.agent(websocket, said["streamSid"])
        except WebSocketDisconnect:
            self.gone.set()
        except RuntimeError:  # the agent itself closed it
            return


@asynccontextmanager
async def serving(*servers: Server) -> AsyncIterator[list[str]]:
    async with asyncio.TaskGroup() as group:
        running = []
        for server in servers:
            app = FastAPI()
            app.add_api_route("/{path:path}", server.answer, methods=["GET", "POST"])
            app.add_api_websocket_route("/twilio/media", server.media)
            listener = socket.create_server(("127.0.0.1", 0))
            server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            config = uvicorn.Config(
                app, log_config=None, lifespan="off", ws="websockets-sansio", loop="none"
            )
            running.append(uvicorn.Server(config))
            group.create_task(running[-1].serve(sockets=[listener]))
        yield [server.url for server in servers]
        for each in running:
            each.should_exit = True


async def dial(
    *servers: Server,
    script: str = HANG_UP,
    faults: CallFaults = QUICK,
    on_event: Callable[[CallEvent], None] | None = None,
    heard_path: Path | None = None,
    route: Callable[[str], int] | None = None,
    rest: RestAccount | None = None,
    allow_warnings: bool = False,
    caller: str = CALLER,
    number: NumberWebhooks | None = None,
) -> Report:
    async with serving(*servers) as urls:
        return await call(
            urls, PUBLIC, TOKEN, ACCOUNT, parse(script), caller=caller, number=number, rest=rest,
            route=route, faults=faults, on_event=on_event, heard_path=heard_path,
            allow_warnings=allow_warnings,
        )  # fmt: skip


async def test_a_call_is_signed_heard_and_ended_by_the_caller(tmp_path: Path) -> None:
    server, heard = Server(), tmp_path / "heard.wav"
    report = await dial(server, heard_path=heard)
    assert (report.ended_by, report.streams, report.problems) == ("caller", 1, ())
    assert report.complaints == ()
    assert (report.marks.sent, report.marks.returned, report.marks.outstanding) == (1, 1, 0)
    assert report.heard_ms == 200
    assert [turn.ended_ms - turn.started_ms for turn in report.turns] == [200]
    with wave.open(str(heard)) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 1)
        pcm = file.readframes(file.getnframes())
    assert encode(pcm).count(TONE) == 1
    assert len(pcm) == len(report.said_pcm())
    assert json.loads(report.to_json())["turns"][0]["started_ms"] == report.turns[0].started_ms


async def test_every_webhook_carries_a_signature_over_the_public_url_and_all_its_fields() -> None:
    server = Server()
    await dial(server)
    assert [path for path, _, _ in server.requests] == [
        "/twilio/voice",
        "/twilio/stream-status",
        "/twilio/stream-status",
        "/twilio/status",
    ]
    for path, form, headers in server.requests:
        right = RequestValidator(TOKEN).compute_signature(PUBLIC + path, form)
        assert headers["x-twilio-signature"] == right
        assert headers["user-agent"] == "TwilioProxy/1.1"
        assert headers["i-twilio-idempotency-token"]
    [first] = server.forms("/twilio/voice")
    assert first["CallStatus"] == "ringing"
    assert first["FromCity"] == ""
    [last] = server.forms("/twilio/status")
    assert last["CallStatus"] == "completed"
    started, stopped = server.forms("/twilio/stream-status")
    assert (started["StreamEvent"], stopped["StreamEvent"]) == ("stream-started", "stream-stopped")


async def test_the_upgrade_is_as_twilios_is_and_the_stream_ends_with_stop() -> None:
    server = Server()
    await dial(server)
    [upgrade] = server.upgrades
    assert upgrade["user-agent"] == "Twilio.TmeWs/1.0"
    assert upgrade.keys().isdisjoint(
        {"origin", "sec-websocket-protocol", "sec-websocket-extensions"}
    )
    right = RequestValidator(TOKEN).compute_signature("wss://voice.example.com/twilio/media", {})
    assert upgrade["x-twilio-signature"] == right
    assert server.received[1]["start"]["customParameters"] == {"token": "secret"}  # type: ignore[index] # JSON
    assert server.received[-1]["event"] == "stop"


async def test_a_warning_of_twilios_is_a_problem_that_says_what_was_sent() -> None:
    async def wrong(websocket: WebSocket, sid: str) -> None:
        for _ in range(3):
            await websocket.send_text(message("media", sid, media={"chunk": "1"}))
        await websocket.send_bytes(b"RIFF")
        await greet(websocket, sid)

    report = await dial(Server(agent=wrong))
    unreadable, binary = report.problems
    assert unreadable.startswith("Twilio: warning 31951 at ")
    assert '"media": {"chunk": "1"}' in unreadable
    assert unreadable.endswith("(2 more)")
    assert "warning 31950" in binary
    assert "b'RIFF'" in binary
    report = await dial(Server(agent=wrong), allow_warnings=True)
    assert (report.problems, report.warnings) == ((), {31951: 3, 31950: 1})


async def test_media_long_after_stop_is_a_problem_and_media_that_crossed_it_is_none() -> None:
    @dataclass
    class Deaf(Server):
        pause_s: float = 0

        async def media(self, websocket: WebSocket) -> None:
            await websocket.accept()
            sid = ""
            while True:
                said = json.loads(await websocket.receive_text())
                if said["event"] == "start":
                    sid = said["streamSid"]
                    await greet(websocket, sid)
                if said["event"] == "stop":
                    await asyncio.sleep(self.pause_s)
                    await websocket.send_text(media(sid, TONE))
                    return

    faults = replace(QUICK, linger_ms=1_000)
    assert (await dial(Deaf(), faults=faults)).problems == ()
    [problem] = (await dial(Deaf(pause_s=0.7), faults=faults)).problems
    assert "message after stop" in problem
    assert '"event": "media"' in problem


@pytest.mark.parametrize("kind", [UpgradeSignature.WRONG, UpgradeSignature.ABSENT])
async def test_an_upgrade_can_be_forged(kind: UpgradeSignature) -> None:
    server = Server()
    await dial(server, faults=CallFaults(connect_ms=(0, 0), upgrade_signature=kind))
    right = RequestValidator(TOKEN).compute_signature("wss://voice.example.com/twilio/media", {})
    assert server.upgrades[0].get("x-twilio-signature") != right


async def test_twilio_may_ping_and_a_server_that_answers_keeps_its_stream() -> None:
    report = await dial(Server(), faults=replace(QUICK, ping_ms=20, pong_ms=5_000))
    assert (report.streams, report.ended_by, report.problems) == (1, "caller", ())


async def test_a_server_that_answers_no_ping_may_lose_its_stream() -> None:
    server = Server()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        [key] = re.findall(r"(?i)sec-websocket-key: (\S+)", head)
        upgraded = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        accepted = f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        writer.write((upgraded + accepted).encode())
        with contextlib.suppress(ConnectionError):
            await reader.read(-1)
        writer.close()

    async with serving(server) as [url], await asyncio.start_server(mute, "127.0.0.1", 0) as there:
        port = there.sockets[0].getsockname()[1]
        report = await call(
            [url, f"http://127.0.0.1:{port}"], PUBLIC, TOKEN, ACCOUNT, parse(HANG_UP),
            faults=replace(QUICK, ping_ms=20, pong_ms=100),
            route=lambda path: int(path == "/twilio/media"),
        )  # fmt: skip
    assert (report.streams, report.ended_by) == (1, "agent")
    assert server.forms("/twilio/stream-status")[-1]["StreamError"] == "31903 connection broken"


@pytest.mark.parametrize(("is_error", "event"), [(False, "stream-stopped"), (True, "stream-error")])
async def test_when_the_server_closes_the_documents_action_goes_on(
    is_error: bool, event: str
) -> None:
    async def leave(websocket: WebSocket, sid: str) -> None:
        await greet(websocket, sid)
        await websocket.close()

    server = Server(agent=leave)
    faults = CallFaults(connect_ms=(0, 0), close_is_error=is_error)
    report = await dial(server, faults=faults)
    assert report.ended_by == "agent"
    assert [path for path, _, _ in server.requests].count("/twilio/resume") == 1
    assert server.forms("/twilio/stream-status")[-1]["StreamEvent"] == event


@pytest.mark.parametrize("cut", ["reset", "close", "zombie"])
async def test_a_broken_socket_is_followed_by_a_new_stream_of_the_same_call(cut: str) -> None:
    server = Server(documents=[CONNECT, CONNECT])
    script = f"""quiet_ms = 200
        steps = [{{wait = "agent", cut = "{cut}"}}, {{barge_in_ms = 0, hang_up = true}}]"""
    report = await dial(server, script=script)
    first, second = (said["start"] for said in server.received if said["event"] == "start")
    assert first["callSid"] == second["callSid"] == report.call_sid  # type: ignore[index] # JSON
    assert first["streamSid"] != second["streamSid"]  # type: ignore[index] # JSON
    assert (report.streams, report.ended_by) == (2, "caller")
    events = [form["StreamEvent"] for form in server.forms("/twilio/stream-status")]
    assert events.count("stream-error") == 1
    assert len(report.said_pcm()) == len(report.heard_pcm())


async def test_a_broken_socket_can_end_the_call() -> None:
    faults = CallFaults(connect_ms=(0, 0), after_loss=AfterLoss.ENDS)
    report = await dial(Server(), script='steps = [{cut = "reset"}]', faults=faults)
    assert (report.streams, report.ended_by) == (1, "socket")


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


async def test_a_clear_is_told_with_what_it_dropped() -> None:
    async def change_mind(websocket: WebSocket, sid: str) -> None:
        await websocket.send_text(media(sid, TONE * 10))
        await websocket.send_text(message("clear", sid))
        await greet(websocket, sid)

    report = await dial(Server(agent=change_mind))
    [clear] = report.clears
    assert clear.dropped_ms + report.heard_ms == 2200
    assert report.turns


async def test_a_refused_worker_is_passed_over_and_the_route_decides_who_comes_first() -> None:
    voice, stream = Server(), Server()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        refusing = f"http://127.0.0.1:{closed.getsockname()[1]}"
    opened: list[CallEvent] = []
    async with serving(voice, stream) as urls:
        report = await call(
            [refusing, *urls], PUBLIC, TOKEN, ACCOUNT, parse(HANG_UP),
            faults=QUICK, on_event=opened.append,
            route=lambda path: 2 if path == "/twilio/media" else 0,
        )  # fmt: skip
    assert report.ended_by == "caller"
    assert {path for path, _, _ in stream.requests} == set()
    assert len(stream.upgrades) == 1
    assert len(voice.forms("/twilio/voice")) == 1
    assert [each.worker for each in opened if isinstance(each, StreamOpened)] == [stream.url]


async def test_a_refused_upgrade_is_told_and_the_document_goes_on() -> None:
    missing = CONNECT.replace("/twilio/media", "/twilio/nothing")
    server = Server(documents=[missing])
    report = await dial(server)
    [error] = server.forms("/twilio/stream-status")
    assert error["StreamEvent"] == "stream-error"
    assert error["StreamError"].startswith("31920")
    assert (report.streams, report.ended_by) == (0, "agent")


@dataclass
class Failing(Server):
    """Fails some requests: how, and how many, by path."""

    fails: dict[str, list[Response]] = field(default_factory=dict)

    async def answer(self, request: Request) -> Response:
        fails = self.fails.get(request.url.path, [])
        good = await super().answer(request) if not fails else None
        if good is None:
            form = {name: str(value) for name, value in (await request.form()).items()}
            self.requests.append((request.url.path, form, dict(request.headers)))
        return good or fails.pop(0)


def broken(status: int = 500) -> Response:
    return Response(status_code=status)


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


EVENTS = ("initiated", "ringing", "answered", "completed")


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


async def test_a_document_that_twilio_refuses_ends_the_call() -> None:
    report = await dial(Server(documents=["<Response><Dance/></Response>"]))
    assert report.ended_by == "application-error"
    assert report.problems == ("12200: Dance is no verb we know",)


DESK = "+14155550100"
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


@pytest.mark.parametrize("caller", ["client:alice", "sip:bob@example.com", "anonymous"])
async def test_a_dial_without_a_number_to_show_fails_with_twilios_warning(caller: str) -> None:
    server = Server(documents=[DIAL])
    report = await dial(server, faults=CallFaults(dial_ms=0), caller=caller)
    assert server.forms("/twilio/resume")[0]["DialCallStatus"] == "failed"
    [problem] = report.problems
    assert problem.startswith("13214: no callerId is given")


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


async def test_the_first_webhook_can_come_twice() -> None:
    server = Server(documents=[CONNECT, CONNECT])
    faults = CallFaults(connect_ms=(0, 0), webhook_twice=True)
    events: list[CallEvent] = []
    report = await dial(server, faults=faults, on_event=events.append)
    first, again = server.forms("/twilio/voice")
    assert first == again
    assert report.streams == 1
    assert report.webhooks == tuple(each for each in events if isinstance(each, WebhookAnswered))


async def test_a_caller_can_hang_up_before_there_is_a_stream() -> None:
    server = Server(documents=['<Response><Pause length="600"/></Response>'])
    report = await dial(server, script="steps = [{hang_up = true}]")
    assert (report.streams, report.ended_by) == (0, "caller")
    assert len(server.forms("/twilio/status")) == 1


async def test_a_cancelled_call_leaves_nothing_open() -> None:
    async with serving(server := Server()) as urls:
        script = parse("steps = [{after_ms = 3600000, hang_up = true}]")
        open_stream = asyncio.Event()

        def watch(event: CallEvent) -> None:
            if isinstance(event, StreamOpened):
                open_stream.set()

        async with asyncio.TaskGroup() as group:
            calling = group.create_task(
                call(urls, PUBLIC, TOKEN, ACCOUNT, script, faults=QUICK, on_event=watch)
            )
            await open_stream.wait()
            calling.cancel()
        await server.gone.wait()
    assert calling.cancelled()
