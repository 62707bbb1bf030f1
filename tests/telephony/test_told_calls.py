"""`offhook calls ls`, `show` and `export`: what they tell of calls that are kept."""

import asyncio
import json
import shutil
import sys
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.conversation.transcript import Line
from telephony import cli
from telephony.calls_commands import time_of
from telephony.errors import UsageError
from telephony.server import kept
from telephony.settings import load
from telephony.twilio.signature import called_key, token_secret

pytestmark = pytest.mark.real

CALL, OTHER, NUMBER = "CA1", "CA2", "+14155550123"
LINES = [
    Line(1, "agent", "Hello. How can I help you?", "Hello. How", 600, 1),
    Line(2, "caller", "Is A < B & C?", "Is A < B & C?", 2_500, 1),
    Line(3, "agent", "Yes.", "Yes.", 62_000, 1),
]
QUESTION = Path(__file__).parents[2] / "fixtures/calls/question.call"


@pytest.fixture(autouse=True)
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings, as the command reads them, and two calls in the store of our own server."""
    values = {
        "GEMINI_API_KEY": "simulated",
        "TWILIO_AUTH_TOKEN": "token",
        "PUBLIC_URL": "https://voice.example.com",
        "STATE_DIR": str(tmp_path / "state"),
        "RECORD_DIR": str(tmp_path / "recordings"),
        "REDIS_URL": "",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)

    async def write() -> None:
        settings = load()
        async with kept.opened(settings) as store:
            await store.open_call(CALL, "Ada")
            await store.parties.note(called_key(token_secret("token"), NUMBER), CALL)
            assert await store.take(CALL, "nonce", "worker", 60) is not None
            await store.append(CALL, LINES, 1)
            await store.end_call(CALL, 1, "caller_hangup")
            await store.open_call(OTHER, "Morgan")

    asyncio.run(write())
    return tmp_path


def offhook(*arguments: str) -> int:
    """Run the command. Returns its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["offhook", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_calls_are_listed_and_told_and_exported(
    capsys: pytest.CaptureFixture[str], given: Path
) -> None:
    def told(*arguments: str) -> str:
        assert offhook("calls", *arguments) == 0
        return capsys.readouterr().out

    def listed(*arguments: str) -> list[str]:
        return [each["call_sid"] for each in json.loads(told("ls", "--json", *arguments))]

    assert set(listed()) == {CALL, OTHER}
    assert listed("--persona", "Ada") == [CALL]
    assert listed("--number", NUMBER) == [CALL]
    assert listed("--number", "+14155550199") == []
    assert set(listed("--since", "1h")) == {CALL, OTHER}
    assert listed("--until", "1h") == []
    pages = [listed("--limit", "1", "--skip", skip) for skip in ("0", "1", "2")]
    assert pages == [[each] for each in listed()] + [[]]
    table = told("ls")
    assert "caller_hangup" in table
    assert table.count("\n") == 3
    assert told("ls", "--since", "2999-01-01") == "no such call is kept\n"

    record = json.loads(told("show", CALL, "--json"))
    assert record == json.loads(told("export", CALL))
    assert (record["persona"], record["ended_reason"]) == ("Ada", "caller_hangup")
    assert [line["heard"] for line in record["lines"]] == [line.heard for line in LINES]
    assert record["opened"].endswith("Z")
    assert "0:00.6  Agent: Hello. How\n" in told("show", CALL)
    assert told("export", CALL, "--format", "txt").splitlines()[2] == "1:02.0  Agent: Yes."

    file = given / "call.vtt"
    assert told("export", CALL, "--format", "vtt", "--out", str(file)) == ""
    assert file.read_text("utf-8").split("\n\n")[:3] == [
        "WEBVTT",
        "1\n00:00:00.600 --> 00:00:01.600\n<v Agent>Hello. How",
        "2\n00:00:02.500 --> 00:00:03.500\n<v Caller>Is A &lt; B &amp; C?",
    ]

    shutil.copytree(QUESTION, given / "recordings" / f"{CALL}.1.call")
    shutil.copytree(QUESTION.parent / "audio", given / "recordings/audio")
    told("export", CALL, "--format", "wav", "--out", str(given / "call.wav"))
    with wave.open(str(given / "call.wav")) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, 8_000)
    assert told("show", CALL, "--html", str(given / "call.html")).startswith("wrote ")
    assert "Is it far from the station?" in (given / "call.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "CA3"], "expected the CallSid of a call that is kept, got CA3"),
        (["show", "CA1*"], "expected a CallSid such as CA0123…, got 'CA1*'"),
        (["show", CALL, "--html", "x.html"], "expected a recording of CA1 in "),
        (["export", CALL, "--format", "wav"], "--out: expected a file for the sound, got none"),
        (["export", CALL, "--out", "/none/x"], "--out: expected a file that can be written"),
        (["ls", "--number", "415"], "--number: expected a number such as +14155550123, got '415'"),
        (["ls", "--since", "soon"], "--since: expected 30m, 24h, 7d or a time such as"),
    ],
)
def test_a_mistake_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert offhook("calls", *arguments) == 2
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_a_store_that_is_away_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert offhook("calls", "ls") == 2
    assert "REDIS_URL: expected a Redis that answers at" in capsys.readouterr().err


def test_what_a_purge_would_remove_is_told_as_json(
    capsys: pytest.CaptureFixture[str], given: Path
) -> None:
    arguments = ("purge", "--call", CALL, "--json")
    assert offhook("calls", *arguments, "--dry-run") == 0
    would = json.loads(capsys.readouterr().out)
    assert would["dry_run"]
    assert any(CALL in key for key in would["keys"])
    assert any(entry["member"] == CALL for entry in would["entries"])
    assert offhook("calls", *arguments) == 0
    assert json.loads(capsys.readouterr().out) == would | {"dry_run": False}


def test_a_time_is_so_long_ago_or_as_it_is_written() -> None:
    now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert time_of("--since", "", now) is None
    hour_ms = 3_600_000
    at_ms = int(now.timestamp()) * 1000
    assert time_of("--since", "30m", now) == at_ms - hour_ms // 2
    assert time_of("--since", "2h", now) == at_ms - 2 * hour_ms
    assert time_of("--since", "7d", now) == at_ms - 7 * 24 * hour_ms
    assert time_of("--since", "2026-11-30", now) == at_ms - 12 * hour_ms
    assert time_of("--since", "2026-11-30T13:00+01:00", now) == at_ms
    for bad in ("yesterday", "5", "9999999999d"):
        with pytest.raises(UsageError, match="--since: expected 30m"):
            time_of("--since", bad, now)
