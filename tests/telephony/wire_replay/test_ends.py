"""Neither end of a replay on the wire says anything before what it answers."""

import json

import pytest

from agent.conversation.events import Interrupted, SessionReady
from agent.simulator.model import Refusal
from telephony.call.events import StreamStarted
from telephony.simulator import wire
from telephony.twilio.messages import Media
from telephony.wire_replay.call_time import CallTime
from telephony.wire_replay.carried import Place, ToPhone
from telephony.wire_replay.cues import Cue, Cues, SessionCues, StreamCues
from telephony.wire_replay.model import RecordedGemini, RecordedSession
from telephony.wire_replay.phone import RecordedStream

SETUP = {"setup": {"model": "models/gemini-3.8-live"}}

AUDIO = "//////////8="
"""8 bytes of µ-law, which is 1 ms."""


def session(time: CallTime) -> RecordedSession:
    """It is interrupted 500 ms after the call began."""
    says = SessionCues([Cue(100, SessionReady(1)), Cue(500, Interrupted(1))])
    connected = RecordedGemini(Cues(sessions=[says]), time).connect(
        0, path="//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
        key="k",
    )  # fmt: skip
    assert not isinstance(connected, Refusal)
    connected.receive(SETUP, 0)
    assert len(connected.poll(100)) == 1
    return connected


def test_the_model_goes_on_when_the_stream_has_begun_and_as_much_later() -> None:
    time = CallTime([300])
    model = session(time)
    assert (model.deadline_ms(), model.poll(1_000)) == (None, [])
    time.begun(1_000)
    assert model.deadline_ms() == 1_200
    assert (model.poll(1_199), len(model.poll(1_200))) == ([], 1)


def test_a_stream_that_began_early_hurries_nobody() -> None:
    time = CallTime([300])
    model = session(time)
    time.begun(290)
    assert model.deadline_ms() == 500


@pytest.mark.parametrize(("at_ms", "waits"), [(299, False), (300, False), (301, True)])
def test_only_what_came_after_a_stream_began_waits_for_it(at_ms: int, waits: bool) -> None:
    assert CallTime([300, 900]).waits(at_ms) is waits


def test_the_call_is_as_late_as_its_latest_stream() -> None:
    time = CallTime([300, 900, 1_500])
    for clock_ms in (500, 1_000, 1_900):
        time.begun(clock_ms)
    assert (time.at(2_000), time.clock_at(1_600)) == (1_600, 2_000)


def stream() -> RecordedStream:
    """One whose second mark came back at 250 ms, because a clear at 200 ms had dropped its audio,
    and whose third, in the next reply, at 400 ms.
    """
    cues = StreamCues(Cue(0, StreamStarted("MZ1", 1)), [Cue(9_000, Media("MZ1", b"\xff", 0))])
    echoes: dict[Place, int | None] = {Place(0, 8): 100, Place(0, 16): 250, Place(1, 8): 400}
    line = RecordedStream(cues, echoes, {0: 200}, ToPhone())
    line.open("CA1", "AC1", {})
    for name in ("r1:1", "r1:2"):
        reply(line, name, 10)
    return line


def reply(line: RecordedStream, mark: str, now_ms: int) -> None:
    """The server sends 1 ms of audio, and a mark."""
    for what in ({"event": "media", "media": {"payload": AUDIO}},
                 {"event": "mark", "mark": {"name": mark}}):  # fmt: skip
        line.receive(json.dumps(what | {"streamSid": "MZ1"}), now_ms)


def echoed(line: RecordedStream, now_ms: int) -> list[str]:
    frames = [json.loads(frame) for frame in line.poll(now_ms)]
    return [frame["mark"]["name"] for frame in frames]


def test_a_mark_that_came_back_behind_a_clear_waits_for_the_clear() -> None:
    line = stream()
    assert echoed(line, 1_000) == ["r1:1"]
    line.receive(json.dumps({"event": "clear", "streamSid": "MZ1"}), 1_000)
    assert echoed(line, 1_000) == ["r1:2"]
    reply(line, "r2:3", 1_100)
    assert echoed(line, 1_100) == ["r2:3"]


def test_a_clear_in_time_changes_nothing() -> None:
    line = stream()
    line.receive(json.dumps({"event": "clear", "streamSid": "MZ1"}), 200)
    assert (echoed(line, 249), echoed(line, 250)) == (["r1:1"], ["r1:2"])
    reply(line, "r2:3", 300)
    assert (echoed(line, 399), echoed(line, 400)) == ([], ["r2:3"])


def test_marks_are_what_twilio_would_send() -> None:
    (frame,) = stream().poll(100)
    assert isinstance(frame, str)
    assert json.loads(frame)["event"] == json.loads(wire.mark(1, "MZ1", "r1:1"))["event"]
