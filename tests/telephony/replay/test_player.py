"""A recording replays to the same commands, and every difference from them is found."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from telephony.call.commands import SendClear, SendMark, SendMedia
from telephony.call.events import StreamStarted
from telephony.call.machine import Call
from telephony.replay.event_lines import MEDIA
from telephony.replay.player import difference, play
from telephony.replay.reader import read, read_golden
from telephony.replay.recording import Header, Step, write
from telephony.replay.verdict import Options, judge

ROOT = Path(__file__).parents[3]


def test_a_call_does_again_what_it_did(folder: Path, steps: list[Step]) -> None:
    recording = read(folder)
    played = play(recording.events)
    assert [list(step.commands) for step in played.steps] == [list(s.commands) for s in steps]
    golden = read_golden(folder)
    assert difference(golden, played) is None
    assert played.sha256 == golden.sha256


def without_clears(steps: list[Step]) -> list[Step]:
    return [
        step._replace(commands=[c for c in step.commands if not isinstance(c, SendClear)])
        for step in steps
    ]


def with_one_clear_more(steps: list[Step]) -> list[Step]:
    first, *rest = steps
    return [first._replace(commands=[*first.commands, SendClear("MZ1")]), *rest]


def with_one_bit_flipped(steps: list[Step]) -> list[Step]:
    changed, done = [], False
    for step in steps:
        commands = list(step.commands)
        for n, command in enumerate(commands):
            if isinstance(command, SendMedia) and command.reply == 3 and not done:
                ulaw = bytes([command.ulaw[0] ^ 1]) + command.ulaw[1:]
                commands[n], done = dataclasses.replace(command, ulaw=ulaw), True
        changed.append(step._replace(commands=commands))
    assert done
    return changed


def with_two_swapped(steps: list[Step]) -> list[Step]:
    for n, step in enumerate(steps):
        if [type(c) for c in step.commands[:2]] == [SendMedia, SendMark]:
            commands = [step.commands[1], step.commands[0], *step.commands[2:]]
            return [*steps[:n], step._replace(commands=commands), *steps[n + 1 :]]
    raise AssertionError("expected a mark behind audio")


def without_the_last(steps: list[Step]) -> list[Step]:
    *rest, last = steps
    return [*rest, last._replace(commands=last.commands[:-1])]


CHANGES = (
    without_clears,
    with_one_clear_more,
    with_one_bit_flipped,
    with_two_swapped,
    without_the_last,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.__name__))
def test_a_command_too_many_too_few_or_another_is_a_difference(
    folder: Path, steps: list[Step], change: Callable[[list[Step]], list[Step]]
) -> None:
    write(folder, Header(1), change(steps))
    golden = read_golden(folder)
    found = difference(golden, play(read(folder).events))
    assert found is not None
    assert [*found.expected, ""][0] != [*found.got, ""][0]
    before = [line.decode().rstrip() for line in golden.lines[: found.line - 1]]
    assert list(found.before) == before[-5:]
    verdict = judge(folder, Options())
    assert not verdict.passed
    assert verdict.difference == found


def test_a_bug_of_the_call_is_told_and_is_no_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Call.step

    def step(call: Call, event: object, now_ms: int) -> object:
        if isinstance(event, StreamStarted):
            raise ZeroDivisionError("a bug")
        return honest(call, event, now_ms)  # type: ignore[arg-type]  # as the call was given it

    monkeypatch.setattr(Call, "step", step)
    verdict = judge(folder, Options())
    assert not verdict.passed
    assert verdict.bug.startswith("ZeroDivisionError: a bug (")
    assert "StreamStarted, step 1," in verdict.bug
    assert verdict.difference is not None


def test_what_a_crash_left_replays_as_a_prefix(folder: Path) -> None:
    for medium in MEDIA:
        (own,) = folder.glob(f"*{medium.suffix}")
        own.rename(folder / f"{medium.label}{medium.suffix}")
    files = {name: (folder / name).read_bytes() for name in ("call.jsonl", "expect.jsonl")}
    for share in (0.3, 0.7, 0.999):
        for name, data in files.items():
            (folder / name).write_bytes(data[: int(share * len(data))])
        assert judge(folder, Options()).error
        verdict = judge(folder, Options(partial=True))
        assert (verdict.passed, verdict.error, verdict.whole) == (True, "", False)
        broken = files["expect.jsonl"].replace(b'"SayToModel","step":', b'"SayToModel","step":1', 1)
        (folder / "expect.jsonl").write_bytes(broken[: int(share * len(broken))])
        assert not judge(folder, Options(partial=True)).passed


def test_the_golden_is_one_hash_over_its_lines(folder: Path) -> None:
    last = (folder / "expect.jsonl").read_bytes().splitlines()[-1]
    assert json.loads(last)["sha256"] == read_golden(folder).sha256
