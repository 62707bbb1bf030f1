"""streamdouble, a Twilio Media Streams simulator by others, calls the running server.

Its verdict is `exit_code`: 0 clean, 1 an expectation failed, 2 the agent never spoke, 3 a message
that Twilio would refuse. It knows no webhooks and signs nothing, so a signed webhook brings the
token, and a relay adds the signature.
"""

import json
from typing import Any

import pytest
from streamdouble.api import CallReport
from streamdouble.chaos import Impairments
from streamdouble.metrics import compute
from streamdouble.protocol import StreamIdentity
from streamdouble.scenario import parse
from streamdouble.session import Session, SessionConfig

from agent.simulator.server import SimulatedGemini
from agent.simulator.voice import CLIPS
from telephony.audio.formats import FRAME_SAMPLES, ULAW_SILENCE
from telephony.twilio.messages import Dtmf
from tests.end_to_end.barge_ins import ulaw_of
from tests.end_to_end.serving import ACCOUNT_SID, LocalWorker
from tests.end_to_end.twilio import new_call_sid, ring
from tests.end_to_end.watching import Step, Watch
from tests.judges.relay import Change, faithful, relay


def reply(name: str) -> bytes:
    """A clip as the server sends it: the last frame is filled up."""
    ulaw = ulaw_of(name)
    return ulaw + ULAW_SILENCE * (-len(ulaw) % FRAME_SAMPLES)


GREETING, ANSWER = reply("name"), reply("still-here")

SAY_MORGAN = {"say": str(CLIPS / "caller/morgan.wav")}
HEAR_OUT: list[dict[str, Any]] = [{"wait_for": "audio"}, {"wait_for": "quiet"}]
TALK: list[dict[str, Any]] = [
    *HEAR_OUT,
    SAY_MORGAN,
    {"wait": 1},  # otherwise the quiet before the answer is taken for that after it
    {"wait_for": "quiet"},
    {"expect": "audio"},
    {"expect": "mark"},
    {"expect": "no clear"},
    {"expect": "no_violations"},
]
BARGE_IN: list[dict[str, Any]] = [
    {"wait_for": "audio"},
    {"wait": 0.5},
    SAY_MORGAN,
    {"wait_for": {"event": "clear", "timeout": 5}},
    {"expect": "clear"},
    {"expect": "no_violations"},
    {"wait": 1},
]


async def call(
    worker: LocalWorker,
    steps: list[dict[str, Any]],
    *,
    impairments: Impairments | None = None,
    change: Change = faithful,
) -> CallReport:
    """Let streamdouble place a call, as `streamdouble scenario` does; returns its report."""
    call_sid = new_call_sid()
    token = await ring(worker.url, call_sid)
    config = SessionConfig(
        custom_parameters={"token": token},
        impairments=impairments or Impairments(),
        response_timeout_s=3,
    )
    async with relay(worker.url, change) as url:
        session = Session(
            url,
            scenario=parse({"name": "scenario", "steps": steps}),
            config=config,
            identity=StreamIdentity(account_sid=ACCOUNT_SID, call_sid=call_sid),
        )
        result = await session.run()
    return CallReport(result, compute(result))


def understood(gemini: SimulatedGemini) -> list[str | None]:
    return [utterance.phrase for utterance in gemini.server.heard]


def assert_clean(report: CallReport) -> None:
    """Nothing that streamdouble can hold against a server. Each mark is echoed, but for those of a
    cleared buffer: Twilio would send them back too, streamdouble forgets them.
    """
    result = report.result
    assert report.exit_code == 0, report.to_dict()
    assert (result.violations, result.unknown_events, result.warnings) == ([], [], [])
    assert result.closed_by is None
    assert result.marks_received
    forgotten = [
        name
        for clear in result.events_of("clear_received")
        for name in clear.detail["dropped_marks"]
    ]
    assert sorted(result.marks_echoed + forgotten) == sorted(result.marks_received)


async def test_a_talk_is_without_fault_and_each_reply_is_whole(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    report = await call(worker, TALK)
    assert_clean(report)
    assert report.audio_received == GREETING + ANSWER
    assert understood(gemini) == ["morgan"]
    assert gemini.server.heard[0].coverage == 1


async def test_a_barge_in_brings_one_clear(worker: LocalWorker, gemini: SimulatedGemini) -> None:
    report = await call(worker, BARGE_IN)
    assert_clean(report)
    assert report.result.clears_received == 1
    before = report.audio_received.removesuffix(ANSWER)
    assert len(before) < len(GREETING)
    assert GREETING.startswith(before)
    assert understood(gemini) == ["morgan"]


async def test_keys_arrive_and_the_talk_goes_on(
    worker: LocalWorker, gemini: SimulatedGemini, steps: Watch[Step]
) -> None:
    report = await call(worker, [*HEAR_OUT, {"dtmf": "42#"}, *TALK])
    assert_clean(report)
    pressed = [step.event.digit for step in steps.seen if isinstance(step.event, Dtmf)]
    assert pressed == ["4", "2", "#"]
    assert understood(gemini) == ["morgan"]


async def test_words_survive_a_line_that_loses_and_delays_frames(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    report = await call(worker, TALK, impairments=Impairments(loss=0.03, jitter_ms=15))
    assert_clean(report)
    assert report.result.frames_dropped > 0
    assert understood(gemini) == ["morgan"]


# It would have told


def without(event: str) -> Change:
    """Withhold one kind of message."""
    return lambda message: None if json.loads(message)["event"] == event else message


def with_base64_cut(message: str) -> str:
    """Take one character from each payload."""
    fields = json.loads(message)
    if "media" in fields:
        fields["media"]["payload"] = fields["media"]["payload"][:-1]
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("change", "scenario", "exit_code"),
    [
        pytest.param(without("mark"), [*HEAR_OUT, {"expect": "mark"}], 1, id="no mark"),
        pytest.param(without("clear"), BARGE_IN[:-1], 1, id="no clear"),
        pytest.param(without("media"), [{"wait": 0.5}], 2, id="no audio"),
        pytest.param(with_base64_cut, [{"wait": 0.5}], 3, id="bad base64"),
        pytest.param(
            lambda message: message.replace('"streamSid":"MZ', '"streamSid":"MX'),
            [{"wait": 0.5}],
            3,
            id="another stream",
        ),
    ],
)
async def test_streamdouble_finds_fault_with_a_server_that_has_one(
    worker: LocalWorker, change: Change, scenario: list[dict[str, Any]], exit_code: int
) -> None:
    report = await call(worker, scenario, change=change)
    assert report.exit_code == exit_code, report.to_dict()
