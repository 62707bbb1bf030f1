"""Every recorded call of fixtures/calls: it replays equal, and its world makes it again.

A thousand times, which is not for every run:

    offhook replay --repeat 1000 fixtures/calls
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from agent.conversation.events import UnknownModelMessage
from telephony.call.commands import Command
from telephony.call.events import Event
from telephony.replay.player import Played, play
from telephony.replay.reader import read
from telephony.replay.recording import EVENTS_FILE, GOLDEN_FILE, Recording
from telephony.replay.suite import find
from telephony.replay.verdict import Options, judge
from telephony.twilio.messages import MALFORMED_REASONS, Malformed
from tests.replay import make

FOLDERS = find([make.CALLS])
ROOM_BYTES = 6_000_000
REPEATS = 3


@cache
def recorded(folder: Path) -> tuple[Recording, Played]:
    recording = read(folder)
    return recording, play(recording.events)


def events() -> Iterator[Event]:
    yield from (event for folder in FOLDERS for event, _ in recorded(folder)[0].events)


def commands() -> Iterator[Command]:
    steps = (step for folder in FOLDERS for step in recorded(folder)[1].steps)
    yield from (command for step in steps for command in step.commands)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.stem)
def test_a_call_replays_to_the_bit_every_time(folder: Path) -> None:
    verdict = judge(folder, Options(repeat=REPEATS))
    problems = [verdict.error, verdict.bug, verdict.difference, *verdict.broken]
    assert (verdict.hashes, [problem for problem in problems if problem]) == (1, [])


@pytest.mark.parametrize("world_file", make.worlds(), ids=lambda file: file.parent.stem)
def test_a_world_makes_its_recording_again(world_file: Path, tmp_path: Path) -> None:
    for made in make.make(world_file, tmp_path):
        for name in (EVENTS_FILE, GOLDEN_FILE):
            assert (made / name).read_bytes() == (make.CALLS / made.name / name).read_bytes()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.stem)
def test_a_call_says_why_it_is_here_and_what_is_expected(folder: Path) -> None:
    header = make.header(folder)
    assert header.why.endswith(".")
    assert header.licence
    assert header.consent
    expected: msgspec.Struct | None = header.expect
    assert expected is not None
    for name in ("lines", "clears", "sessions", "ended_reason"):
        assert getattr(expected, name) is not None, name


def test_the_same_hashes_come_from_another_blas_kernel() -> None:
    ours = [recorded(folder)[1].sha256 for folder in FOLDERS]
    assert _hashes("Prescott") == _hashes("Haswell") == ours


def _hashes(core_type: str) -> list[str]:
    """What `offhook replay` says in a process that computes with this kernel."""
    command = [sys.executable, "-m", "telephony", "replay", "--json", str(make.CALLS)]
    environment = {**os.environ, "OPENBLAS_CORETYPE": core_type}
    ran = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, check=True
    )
    return [verdict["sha256"] for verdict in json.loads(ran.stdout)]


def test_every_kind_of_event_and_command_occurs() -> None:
    assert set(map(type, events())) == set(get_args(Event))
    assert set(map(type, commands())) == set(get_args(Command))


def test_every_malformed_and_unknown_message_occurs() -> None:
    malformed = {event.reason for event in events() if isinstance(event, Malformed)}
    unknown = {event.what for event in events() if isinstance(event, UnknownModelMessage)}
    assert malformed == MALFORMED_REASONS
    assert unknown >= {"tool_call", "tool_call_cancellation", "go_away in 'soon'"}


def test_no_two_calls_are_kept_for_the_same_reason() -> None:
    reasons = [make.header(folder).why for folder in FOLDERS]
    assert len(set(reasons)) == len(reasons) >= 40


def test_the_calls_are_small() -> None:
    sizes = [path.stat().st_size for path in make.CALLS.rglob("*") if path.is_file()]
    assert sum(sizes) < ROOM_BYTES
