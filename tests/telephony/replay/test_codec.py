"""Every event and every command survives its line, and nothing else is taken for one."""

import dataclasses
import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.conversation.commands import SendCallerAudio
from agent.conversation.events import AgentSaid, HandleUpdated, ReplyAudio
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.transcript import Line
from telephony.call.commands import Command, MeasureCommand, SendMedia
from telephony.call.events import CallOpened, Event
from telephony.replay import command_lines, event_lines
from telephony.replay.codec import COMMANDS, EVENTS
from telephony.twilio.messages import Media
from tests.telephony.replay import anything

SOUNDS = {Media: "payload", ReplyAudio: "pcm", SendMedia: "ulaw", SendCallerAudio: "pcm"}


@pytest.mark.parametrize("cls", EVENTS, ids=lambda cls: str(cls.__name__))
@settings(max_examples=30)  # of each class; most have two or three fields
@given(data=st.data())
def test_every_event_comes_back_as_it_was(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(anything.event(cls))
    line = event_lines.CODEC.line(event, "where its audio is", t=7)
    read = event_lines.CODEC.decode(line)
    audio = getattr(event, SOUNDS.get(cls, ""), b"")
    assert event_lines.CODEC.thing(read, audio) == event
    assert (read.t, event_lines.CODEC.class_of(read)) == (7, cls)


@given(anything.commands)
def test_every_command_comes_back_as_it_was(command: Command) -> None:
    line = command_lines.CODEC.line(command, "the hash of its audio", step=3, t=7)
    read = command_lines.CODEC.decode(line)
    audio = getattr(command, SOUNDS.get(type(command), ""), b"")
    assert command_lines.CODEC.thing(read, audio) == command
    assert (read.step, read.t) == (3, 7)


def test_the_codecs_know_every_class_there_is() -> None:
    assert set(EVENTS) == set(get_args(Event))
    assert set(COMMANDS) == set(get_args(Command)) - set(get_args(MeasureCommand))
    for cls in (*EVENTS, *COMMANDS):
        sound = [f.name for f in dataclasses.fields(cls) if f.type in {bytes, "bytes"}]
        assert sound == ([SOUNDS[cls]] if cls in SOUNDS else [])


HALF, REPLACED = "a\ud800b", "a\ufffdb"


@pytest.mark.parametrize(
    ("event", "written"),
    [
        (AgentSaid(1, HALF), AgentSaid(1, REPLACED)),
        (AgentSaid(1, "\U0001f600" + HALF), AgentSaid(1, "\U0001f600" + REPLACED)),
        (HandleUpdated(1, HALF, resumable=True), HandleUpdated(1, REPLACED, resumable=True)),
        (
            CallOpened(HALF, 0, 0, DEFAULT_PERSONA, None, (Line(1, "agent", HALF, HALF, 0, 1),)),
            CallOpened(
                REPLACED, 0, 0, DEFAULT_PERSONA, None, (Line(1, "agent", REPLACED, REPLACED, 0, 1),)
            ),
        ),
    ],
    ids=["words", "beside a whole one", "a handle", "lines"],
)
def test_half_a_character_is_replaced_and_costs_nothing_else(event: Event, written: Event) -> None:
    line = event_lines.CODEC.line(event, "", t=7)
    assert line == event_lines.CODEC.line(written, "", t=7)
    assert event_lines.CODEC.thing(event_lines.CODEC.decode(line)) == written


def test_a_line_begins_with_its_kind_and_its_time() -> None:
    line = event_lines.CODEC.line(Media("MZ1", b"\xff", 20), "silence+1", t=412)
    assert line == (
        b'{"ev":"Media","t":412,"stream_sid":"MZ1","payload":"silence+1","timestamp_ms":20}\n'
    )


MARK: dict[str, Any] = {"ev": "Mark", "t": 1, "stream_sid": "MZ1", "name": "r1:1"}
LINE = {"n": 1, "role": "agent", "text": "", "heard": "", "at_ms": 0, "epoch": 1}
PERSONA = {"name": "", "instructions": "", "voice": "", "greeting_cue": ""}
OPENED: dict[str, Any] = {
    "ev": "CallOpened",
    "t": 0,
    "call_sid": "CA1",
    "seed": 1,
    "wall_time_ms": 1,
    "persona": PERSONA,
    "lines": [LINE],
}


@pytest.mark.parametrize("good", [MARK, OPENED])
def test_what_is_whole_is_read(good: dict[str, Any]) -> None:
    event_lines.CODEC.decode(json.dumps(good).encode())


@pytest.mark.parametrize(
    "wrong",
    [
        MARK | {"more": 1},
        MARK | {"t": "1"},
        MARK | {"t": 1.5},
        MARK | {"ev": "Marked"},
        {key: MARK[key] for key in ("t", "stream_sid", "name")},
        {key: MARK[key] for key in ("ev", "t", "name")},
        OPENED | {"persona": PERSONA | {"more": 1}},
        OPENED | {"lines": [LINE | {"more": 1}]},
        OPENED | {"lines": [LINE | {"role": "nobody"}]},
        OPENED | {"checkpoint": {}},
        [],
    ],
)
def test_what_is_not_quite_an_event_is_refused(wrong: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        event_lines.CODEC.decode(json.dumps(wrong).encode())
