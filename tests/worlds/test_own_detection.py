"""Calls in which we tell the model when the caller speaks: what is said in them is the same."""

from dataclasses import replace

import pytest

from agent.conversation.commands import EndCallerAudio, MarkSpeech, SendCallerAudio
from telephony.simulator.world import World
from telephony.simulator.world_file import load
from tests.replay.make import CALLS
from tests.worlds.sdk import WireSdk

CLEAN = (
    "barge-in-generated",
    "ignored-speech",
    "lost-frames",
    "model-lost-while-asked",
    "monologue",
    "no-idle-silence",
    "two-questions",
    "worker-killed",
    "yes",
)


def lived(name: str, *, ours: bool) -> World:
    """The call of a recorded world, with the server's detection or with ours."""
    spec = load(CALLS / f"{name}.call/world.toml")
    world = replace(spec, detection="ours" if ours else "server").world(WireSdk())
    world.run(60_000)
    return world


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_said_and_heard_does_not_depend_on_who_detects_speech(name: str) -> None:
    theirs, ours = (
        [(line.role, line.heard) for line in lived(name, ours=ours).store.lines]
        for ours in (False, True)
    )
    assert ours == theirs


@pytest.mark.parametrize("name", ["model-lost-while-asked", "two-questions"])
def test_no_audio_is_outside_of_what_we_mark(name: str) -> None:
    speaking: dict[int, bool] = {}
    for step in lived(name, ours=True).steps:
        for command in step.commands:
            assert not isinstance(command, EndCallerAudio)
            if isinstance(command, MarkSpeech):
                assert speaking.get(command.session, False) is not command.begins
                speaking[command.session] = command.begins
            elif isinstance(command, SendCallerAudio):
                assert speaking[command.session]
    assert speaking
