from pathlib import Path

import pytest

from telephony.audio.wav import write_mono
from telephony.simulator.script import (
    SCRIPTS,
    Cut,
    HangUp,
    Keys,
    ScriptError,
    Step,
    Utterance,
    load,
    parse,
)


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_script_that_ships_can_be_used_and_ends_with_the_caller_hanging_up(
    path: Path,
) -> None:
    assert load(path.stem).steps[-1].deed == HangUp()


def test_the_demo_talks_over_the_second_answer() -> None:
    said = [
        (step.deed.name, step.barge_in_ms)
        for step in load("booking").steps
        if isinstance(step.deed, Utterance)
    ]
    assert said == [("table", None), ("half-past", 2500), ("morgan", None), ("goodbye", None)]


def test_a_step_says_what_it_waits_for_and_what_it_does() -> None:
    script = parse(
        """
        quiet_ms = 500
        [[steps]]
        wait = "agent"
        after_ms = 30
        press = "1#"
        [[steps]]
        after_ms = 40
        cut = "zombie"
        """
    )
    assert script.quiet_ms == 500
    assert script.steps == (
        Step(wait_for_agent=True, after_ms=30, deed=Keys("1#")),
        Step(after_ms=40, deed=Cut.ZOMBIE),
    )


def test_a_caller_can_say_a_recording_of_ones_own(tmp_path: Path) -> None:
    write_mono(tmp_path / "own.wav", b"\x00\x10" * 800, 8000)
    [step] = parse('steps = [{say = "own.wav"}]', tmp_path).steps
    assert isinstance(step.deed, Utterance)
    assert step.deed.duration_ms == 100


@pytest.mark.parametrize(
    ("text", "where", "fix"),
    [
        ("steps = [", "script", "mend the TOML"),
        ("", "script", "one step at least"),
        ("quiet_ms = -1\nsteps = [{hang_up = true}]", "script, quiet_ms", "quiet_ms = 700"),
        ("steps = [{}]", "step 1", "remove it"),
        ("steps = [3]", "step 1", "[[steps]]"),
        ('steps = [{say = "table"}, {sing = "la"}]', "step 2", "mend or remove"),
        ('steps = [{say = "nothing of ours"}]', "step 1", "half-past"),
        ('steps = [{say = "gone.wav"}]', "step 1", "can be read"),
        ('steps = [{say = "table", press = "1"}]', "step 1", "two steps"),
        ('steps = [{wait = "agent", barge_in_ms = 3}]', "step 1", "two steps"),
        ('steps = [{until_said = "table", hang_up = true}]', "step 1", "one of greeting, "),
        ("steps = [{until_said = 3}]", "step 1", "one of greeting, "),
        ('steps = [{press = "1", answer = "a1"}]', "step 1", "the step that says it"),
        ('steps = [{say = "table", answer = "q1"}]', "step 1", "greeting"),
        ('steps = [{wait = "godot"}]', "step 1", "after_ms"),
        ('steps = [{press = "5x"}]', "step 1", "script.py"),
        ('steps = [{cut = "cord"}]', "step 1", "script.py"),
        ("steps = [{hang_up = false}]", "step 1", "script.py"),
        ('steps = [{after_ms = "1"}]', "step 1, after_ms", "after_ms = 0"),
        ("steps = [{barge_in_ms = true}]", "step 1, barge_in_ms", "barge_in_ms = 0"),
    ],
)
def test_an_unusable_script_says_where_and_the_way_out(
    text: str, where: str, fix: str, tmp_path: Path
) -> None:
    with pytest.raises(ScriptError) as raised:
        parse(text, tmp_path)
    assert str(raised.value).startswith(f"{where}: expected ")
    assert fix in str(raised.value).partition("; fix: ")[2]


def test_a_recording_of_another_rate_is_refused(tmp_path: Path) -> None:
    write_mono(tmp_path / "wide.wav", bytes(320), 16_000)
    with pytest.raises(ScriptError, match="expected 8000 Hz, got 16000"):
        parse('steps = [{say = "wide.wav"}]', tmp_path)


def test_a_script_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ScriptError, match="booking"):
        load("no-such-script")
