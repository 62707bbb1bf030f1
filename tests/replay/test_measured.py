"""What is measured of the recorded calls, beside what a count of their frames says.

Their callers speak clearly and are silent between, so the loudness of a frame says who speaks.
"""

from functools import cache
from pathlib import Path

import pytest

from telephony.audio import g711
from telephony.audio.level import LevelGate
from telephony.call.commands import NO_REPLY, SendMedia
from telephony.call.figures import Answered, Finding, Gap, Heard
from telephony.call.measures import Measures
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.recording import Step
from telephony.replay.suite import find
from telephony.twilio.messages import Mark, Media
from tests.replay import make

FOLDERS = find([make.CALLS])

every_call = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.stem)


@cache
def steps(folder: Path) -> list[Step]:
    return play(read(folder).events).steps


def findings(folder: Path) -> list[tuple[int, Finding]]:
    measures = Measures()
    return [
        (step.now_ms, finding)
        for step in steps(folder)
        for finding in measures.step(step.event, step.now_ms, step.commands)
    ]


@every_call
def test_the_stages_of_each_answer_add_up_to_what_its_frames_say(folder: Path) -> None:
    gate, last_sound_ms, since_sound_ms = LevelGate(), 0, dict[int, int]()
    for step in steps(folder):
        if isinstance(step.event, Media) and gate.hears(g711.decode(step.event.payload)):
            last_sound_ms = step.now_ms
        for command in step.commands:
            if isinstance(command, SendMedia) and command.reply != NO_REPLY:
                since_sound_ms.setdefault(command.reply, step.now_ms - last_sound_ms)
    marks_ms = [step.now_ms for step in steps(folder) if isinstance(step.event, Mark)]
    for now_ms, found in findings(folder):
        match found:
            case Answered():
                assert found.model_ms + found.sending_ms == since_sound_ms[found.reply]
                assert found.model_ms >= 0 <= found.sending_ms
            case Heard():
                assert now_ms in marks_ms
                sum_ms = found.answer.model_ms + found.answer.sending_ms + found.playing_ms
                assert sum_ms == found.ear_to_ear_ms
            case _:
                pass


@every_call
def test_what_is_measured_needs_only_the_steps_that_it_asks_for(folder: Path) -> None:
    """As the driver shows them: no frame of the caller is among these, unless it leads to more."""
    few, wants = Measures(), Measures.wants
    for step in steps(folder):
        if type(step.event) in wants or any(type(each) in wants for each in step.commands):
            few.step(step.event, step.now_ms, step.commands)
    everything = Measures()
    for step in steps(folder):
        everything.step(step.event, step.now_ms, step.commands)
    assert few.figures == everything.figures
    assert Media not in wants


def test_nearly_every_answer_is_heard() -> None:
    found = [finding for folder in FOLDERS for _, finding in findings(folder)]
    answered = [each for each in found if isinstance(each, Answered)]
    heard = [each for each in found if isinstance(each, Heard)]
    assert len(answered) >= 150
    assert len(answered) - len(heard) <= 2  # cut before the first mark was back


def test_the_gaps_of_a_model_that_is_slower_than_speech_are_its_own() -> None:
    found = [finding for _, finding in findings(make.CALLS / "slow-reply.call")]
    gaps = [each.late for each in found if isinstance(each, Gap)]
    assert len(gaps) >= 10
    assert set(gaps) == {"model"}
