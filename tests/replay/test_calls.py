"""Every recorded call of fixtures/calls: it replays equal, and its world makes it again.

A thousand times, which is not for every run:

    offhook replay --repeat 1000 fixtures/calls
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from agent.conversation.events import UnknownModelMessage
from telephony.call.events import Event
from telephony.replay.codec import COMMANDS
from telephony.replay.reader import read, read_golden
from telephony.replay.suite import find
from telephony.replay.verdict import Options, judge
from telephony.twilio.messages import MALFORMED_REASONS, Malformed
from tests.replay import make

FOLDERS = find([make.CALLS])
ROOM_BYTES = 8_000_000
"""A hundred calls of 60 to 80 kB. A clone carries them."""


@cache
def events() -> list[Event]:
    return [event for folder in FOLDERS for event, _ in read(folder).events]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.stem)
def test_a_call_replays_to_the_bit(folder: Path) -> None:
    verdict = judge(folder, Options())
    problems = [verdict.error, verdict.bug, verdict.difference, *verdict.broken]
    assert [problem for problem in problems if problem] == []


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


@pytest.mark.real
def test_the_same_hashes_come_from_another_blas_kernel_and_with_another_hash_seed() -> None:
    some = FOLDERS[::4]
    golden = [read_golden(folder).sha256 for folder in some]
    assert _hashes(some, OPENBLAS_CORETYPE="Prescott", PYTHONHASHSEED="2") == golden


def _hashes(folders: Sequence[Path], **changed: str) -> list[str]:
    """What `offhook replay` says in a process with this environment."""
    command = [sys.executable, "-m", "telephony", "replay", "--json", *map(str, folders)]
    environment = {**os.environ, **changed}
    ran = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, check=True
    )
    return [verdict["sha256"] for verdict in json.loads(ran.stdout)]


def test_every_kind_of_event_and_command_occurs() -> None:
    assert set(map(type, events())) == set(get_args(Event))
    golden = (line for folder in FOLDERS for line in read_golden(folder).lines)
    assert {json.loads(line)["cmd"] for line in golden} == {one.__name__ for one in COMMANDS}


def test_every_malformed_and_unknown_message_occurs() -> None:
    malformed = {event.reason for event in events() if isinstance(event, Malformed)}
    unknown = {event.what for event in events() if isinstance(event, UnknownModelMessage)}
    assert malformed == MALFORMED_REASONS
    assert unknown >= {"voice_activity_detection_signal", "go_away in 'soon'"}


def test_no_two_calls_are_kept_for_the_same_reason() -> None:
    reasons = [make.header(folder).why for folder in FOLDERS]
    assert len(set(reasons)) == len(reasons) >= 40


def test_the_calls_are_small() -> None:
    sizes = [path.stat().st_size for path in make.CALLS.rglob("*") if path.is_file()]
    assert sum(sizes) < ROOM_BYTES
