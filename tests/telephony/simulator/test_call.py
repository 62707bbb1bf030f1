"""The edge, against a small real server: what Twilio sends, and how it goes on after a fault."""

import asyncio
import contextlib
import json
import re
import socket
import wave
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi import WebSocket
from twilio.request_validator import (  # type: ignore[import-untyped] # twilio ships no types
    RequestValidator,
)
from websockets.utils import accept_key

from telephony.audio.g711 import encode
from telephony.simulator.caller import call
from telephony.simulator.faults import AfterLoss, CallFaults, UpgradeSignature
from telephony.simulator.report import (
    CallEvent,
    StreamOpened,
    WebhookAnswered,
)
from telephony.simulator.script import parse
from tests.telephony.simulator.small_server import (
    ACCOUNT,
    CONNECT,
    HANG_UP,
    PUBLIC,
    QUICK,
    TOKEN,
    TONE,
    Server,
    dial,
    greet,
    media,
    message,
    serving,
)


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
