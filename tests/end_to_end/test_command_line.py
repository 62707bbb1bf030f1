"""The commands, as processes of their own. Where one is started anew, it is started as anybody
would start it; else it is forked (`tests.forked`).
"""

import asyncio
import json
import re
import signal
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi import WebSocket

from agent.simulator.server import SimulatedGemini
from telephony.simulator.interrupt import WHAT_NEXT
from telephony.twilio import urls
from tests.end_to_end import scripts, twilio
from tests.end_to_end.serving import (
    AUTH_TOKEN,
    PUBLIC_URL,
    Start,
    offhook,
    offhook_anew,
    place,
    run,
    run_anew,
    worker_process,
    worker_process_anew,
)
from tests.end_to_end.watching import PATIENCE_S
from tests.telephony.simulator.small_server import Server, greet
from tests.telephony.simulator.small_server import serving as small_servers

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Demo

DEMO_PATIENCE_S = 120

AGENT_SCRIPT = """
greeting = "still-here"
[[turns]]
expect = "morgan"
say = "goodbye"
"""
CALLER_SCRIPT = """
quiet_ms = 400
[[steps]]
wait = "agent"
say = "morgan"
[[steps]]
wait = "agent"
hang_up = true
"""


@dataclass(frozen=True, slots=True)
class GeminiProcess:
    """Where `offhook simulate gemini` says it is."""

    base_url: str
    ca_file: Path


@asynccontextmanager
async def simulated_gemini(folder: Path, start: Start = offhook) -> AsyncIterator[GeminiProcess]:
    """`offhook simulate gemini` on a free port."""
    script = folder / "agent.toml"
    script.write_text(AGENT_SCRIPT)
    process = await start(
        *("simulate", "gemini", "--port", "0", "--seed", "3"),
        *("--cert-dir", str(folder / "cert"), "--script", str(script)),
        environment={},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            lines = [(await process.stdout.readline()).decode().split() for _ in range(3)]
        assert [words[0] for words in lines] == ["export"] * 3
        given = dict(words[1].split("=", 1) for words in lines)
        yield GeminiProcess(given["GOOGLE_GEMINI_BASE_URL"], Path(given["SSL_CERT_FILE"]))
    finally:
        process.kill()
        await process.communicate()


def wav(path: Path) -> tuple[int, int, float]:
    """Channels, rate in Hz, length in seconds."""
    with wave.open(str(path)) as file:
        rate_hz = file.getframerate()
        return file.getnchannels(), rate_hz, file.getnframes() / rate_hz


async def test_three_commands_make_a_call_and_report_it_as_json(tmp_path: Path) -> None:
    script, heard = tmp_path / "caller.toml", tmp_path / "heard.wav"
    script.write_text(CALLER_SCRIPT)
    async with (
        simulated_gemini(tmp_path, offhook_anew) as gemini,
        worker_process_anew(gemini) as worker,
    ):
        code, out, err = await run_anew(
            *("simulate", "call", "--json", "--url", worker.url, "--public-url", PUBLIC_URL),
            *("--script", str(script), "--heard", str(heard)),
            TWILIO_AUTH_TOKEN=AUTH_TOKEN,
        )
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["problems"] == []
    assert report["ended_by"] == "caller"
    assert len(report["turns"]) == 2
    assert report["warnings"] == {}
    channels, rate_hz, length_s = wav(heard)
    assert (channels, rate_hz) == (1, 8000)
    assert length_s * 1000 >= report["heard_ms"] > 0


async def _warned_of(websocket: WebSocket, sid: str) -> None:
    await websocket.send_bytes(b"RIFF")
    await greet(websocket, sid)


@pytest.mark.parametrize(
    ("switches", "code", "said"),
    [
        ([], 1, "Twilio: warning 31950 at "),
        (["--allow-warnings"], 0, "1 warnings of Twilio"),
        (["--fault", "upgrade_signature=absent", "--allow-warnings"], 0, "the call is over"),
        (["--fault", "upgrade_signature=gone"], 2, "upgrade_signature: Invalid enum value 'gone'"),
        (["--fault", "gone=1"], 2, "expected one of connect_ms, "),
    ],
)
async def test_a_simulated_call_fails_on_a_warning_and_takes_every_switch(
    tmp_path: Path, switches: list[str], code: int, said: str
) -> None:
    script = tmp_path / "caller.toml"
    script.write_text(
        """quiet_ms = 200
        steps = [{wait = "agent", hang_up = true}]
        faults = {connect_ms = [0, 10]}
        """
    )
    async with small_servers(server := Server(agent=_warned_of)) as [url]:
        ended, out, err = await run(
            *("simulate", "call", "--url", url, "--public-url", PUBLIC_URL),
            *("--script", str(script), "--caller", "client:alice", *switches),
        )
    assert (ended, said in out + err) == (code, True), out + err
    assert [form["From"] for form in server.forms("/twilio/voice")] == ["client:alice"] * (code < 2)
    forged = [upgrade for upgrade in server.upgrades if "x-twilio-signature" not in upgrade]
    assert len(forged) == ("upgrade_signature=absent" in switches)


async def test_a_caller_whom_the_agent_does_not_understand_is_a_failure_that_says_the_words(
    tmp_path: Path,
) -> None:
    script = tmp_path / "caller.toml"
    script.write_text(CALLER_SCRIPT.replace("morgan", "q1"))
    async with simulated_gemini(tmp_path) as gemini, worker_process(gemini) as worker:
        code, out, err = await run(
            *("simulate", "call", "--url", worker.url, "--public-url", PUBLIC_URL),
            *("--script", str(script)),
            TWILIO_AUTH_TOKEN=AUTH_TOKEN,
        )
    assert (code, err) == (1, "")
    assert re.search(r"^ *[\d.]+  agent     said “I am still here", out, re.MULTILINE)
    assert re.search(r"^ *[\d.]+  problem   step 1: .*heard: “Sorry, I did", out, re.MULTILINE)


async def test_ctrl_c_in_a_simulated_call_hangs_up_and_still_reports_and_records(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    heard = tmp_path / "heard.wav"
    async with worker_process(gemini) as worker:
        process = await offhook(
            *("simulate", "call", "--url", worker.url, "--public-url", PUBLIC_URL),
            *("--heard", str(heard)),
            environment={"TWILIO_AUTH_TOKEN": AUTH_TOKEN, "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while b"agent     is heard" not in await process.stdout.readline():
                pass
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
        ended = await worker.tells("call ended")
    assert (process.returncode, err.decode().strip()) == (130, WHAT_NEXT)
    assert re.search(rb"^[\d.]+ s, 1 turns of the agent", out, re.MULTILINE)
    assert ended["reason"] == "caller_hangup"
    assert wav(heard)[2] > 0


async def test_scripts_of_ones_own_are_tried_in_one_go(tmp_path: Path) -> None:
    agent, caller = tmp_path / "agent.toml", tmp_path / "caller.toml"
    agent.write_text(AGENT_SCRIPT)
    caller.write_text(CALLER_SCRIPT.replace('"morgan"', '"morgan"\nanswer = "goodbye"'))
    files = ("--agent", str(agent), "--caller", str(caller), "--out", str(tmp_path / "out"))
    code, out, err = await run_anew("try", *files)
    assert (code, err) == (0, "")
    assert "“Thank you for calling. Goodbye.”" in out
    assert "left: the caller; right: the agent" in out
    assert wav(tmp_path / "out" / "call.wav")[0] == 2


@pytest.mark.parametrize(
    "files", [("--agent", "none.toml"), ("--caller", "none.toml"), ("no-such-name",)]
)
async def test_a_script_that_is_not_there_is_one_message(files: tuple[str, ...]) -> None:
    code, out, err = await run("try", *files)
    assert (code, out) == (2, "")
    assert err.startswith("offhook: ")
    assert "Traceback" not in err


async def test_a_second_ctrl_c_ends_a_server_in_a_call_at_once_and_without_a_traceback(
    gemini: SimulatedGemini,
) -> None:
    async with worker_process(gemini) as worker:
        async with asyncio.TaskGroup() as tasks:
            call = tasks.create_task(place(scripts.TWO_TURNS, worker.url))
            await worker.tells("model ready")
            worker.process.send_signal(signal.SIGINT)
            told = await worker.tells("draining")
            worker.process.send_signal(signal.SIGINT)
            assert await worker.wait() == 0
            call.cancel()
        lines = list(worker.log.seen)
    assert "second signal" in told["hint"]
    assert not [line for line in lines if "Traceback" in line]


async def test_settings_that_are_missing_are_named_with_a_hint_and_no_traceback() -> None:
    code, out, err = await run_anew(
        "serve", TWILIO_AUTH_TOKEN="", PUBLIC_URL="http://plain.example"
    )
    assert (code, out) == (2, "")
    for name in ("GEMINI_API_KEY", "TWILIO_AUTH_TOKEN", "PUBLIC_URL"):
        assert re.search(rf"{name}: .+\n +hint: ", err)
    assert "Traceback" not in err


async def test_a_server_tells_of_a_setting_that_is_misspelt_and_of_a_refused_webhook(
    gemini: SimulatedGemini,
) -> None:
    async with worker_process(gemini, REDIAL_WINDOW="5") as worker:
        misspelt = await worker.tells("REDIAL_WINDOW is set")
        form = twilio.form_of(twilio.new_call_sid())
        headers = twilio.signed(urls.VOICE_PATH, form, "another-token")
        answer = await twilio.post(worker.url, urls.VOICE_PATH, form, headers)
        refused = await worker.tells("webhook refused")
    assert misspelt["event"].endswith("did you mean REDIAL_WINDOW_S?")
    assert answer.status_code == 403
    assert "`offhook doctor`" in refused["hint"]


def test_the_demo_shows_a_barge_in_a_clear_and_a_resume_and_leaves_a_recording(
    demo: "Demo",
) -> None:
    out, err = demo.process.communicate(timeout=DEMO_PATIENCE_S)
    assert (demo.process.returncode, err) == (0, "")
    assert "\x1b" not in out
    for word in ("barge-in", "clear", "resume"):
        assert re.search(rf"^ *\d+\.\d\d  {word} ", out, re.MULTILINE), word
    assert "problem" not in out
    assert " 0 of them with a gap" in out
    assert "GEMINI_API_KEY" in out
    summary = re.search(r"^([\d.]+) s, (\d+) turns of the agent.* 1 clear", out, re.MULTILINE)
    assert summary is not None
    assert f"{demo.out / 'call.wav'} (left: the caller; right: the agent" in out
    assert "The response time is the simulated model's" in out
    channels, rate_hz, length_s = wav(demo.out / "call.wav")
    assert (channels, rate_hz) == (2, 8000)
    assert abs(length_s - float(summary[1])) < 0.5

    bill = r"^cost: \$([\d.]+) for (\d+) tokens read \((\d+) of .*, (\d+) spoken and (\d+) thought"
    found = re.search(bill, out, re.MULTILINE)
    assert found is not None
    usd, read, heard, spoken, thought = (float(figure) for figure in found.groups())
    # By hand: US$ per million tokens, as in the fact sheet of Gemini 3.8 Live, and for the line.
    by_hand = (read - heard) * 0.75 + heard * 3 + spoken * 12 + thought * 4.5
    assert thought > 0
    assert usd == pytest.approx(by_hand / 1e6 + ceil(length_s / 60) * 0.0085, rel=0.01)
