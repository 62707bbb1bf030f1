import wave
from pathlib import Path

import pytest

from agent.simulator.faults import Close, Freeze, Reset, Send, ShortTurn
from agent.simulator.script import (
    Script,
    ScriptError,
    TimedFault,
    Turn,
    load,
    named,
    parse,
    shipped,
)
from agent.simulator.voice import agent_clip


def test_the_booking_answers_by_what_was_understood_whatever_came_before() -> None:
    script = shipped("booking")
    for answered in range(7):
        assert script.answer("half-past", answered).say == "name"
        assert script.answer("morgan", answered).say == "confirm"


def test_what_no_turn_expects_is_answered_with_the_fallback() -> None:
    assert shipped("booking").answer("q1", 0).say == "sorry"
    assert shipped("booking").answer(None, 3).say == "sorry"


def test_small_talk_answers_in_order_and_round() -> None:
    script = shipped("small-talk")
    said = [script.answer(None, answered).say for answered in range(7)]
    assert said == ["a1", "a2", "a3", "a4", "a5", "a1", "a2"]


def test_a_script_is_read_in_full() -> None:
    script = parse(
        """
        greeting = "a1"
        fallback = "a2"
        on_text = "a3"
        faults = [{ kind = "freeze", at_ms = 900, duration_ms = 50 }]
        [[turns]]
        expect = "table"
        say = "times"
        hear = "A table."
        think_ms = 5
        faults = [{ kind = "reset", at_ms = 700 }, { kind = "short-turn" }]
        [[turns]]
        say = "name"
        faults = [
            { kind = "close", code = 1008, reason = "Aborted." },
            { kind = "send", message = { a = 1 } },
        ]
        """
    )
    first_faults = (TimedFault(Reset(), 700), TimedFault(ShortTurn()))
    second_faults = (TimedFault(Close(1008, "Aborted.")), TimedFault(Send({"a": 1})))
    assert script == Script(
        turns=(
            Turn("times", "table", hear="A table.", think_ms=5, faults=first_faults),
            Turn("name", faults=second_faults),
        ),
        greeting="a1",
        on_text="a3",
        fallback="a2",
        faults=(TimedFault(Freeze(50), 900),),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("turns = ]", r"x\.toml: expected TOML, got: .*line 1"),
        ("greting = 'a1'", r"x\.toml: greting: expected one of greeting, .*, got an unknown field"),
        ("greeting = 'q1'", r"x\.toml: greeting: expected a clip of the agent \(.*\), got 'q1'"),
        ("greeting = 1", r"x\.toml: greeting: expected a text in quotes, got 1"),
        ("turns = 1", r"x\.toml: turns: expected a list of tables, got 1"),
        ("[[turns]]", r"x\.toml: turns\[1\]: say: expected the agent clip .*, got nothing"),
        ("turns = [{say='a1'}, {say='a1', expect='a1'}]", r"turns\[2\]: expect: .*caller.*'a1'"),
        ("turns = [{say='a1', think_ms=-1}]", r"turns\[1\]: think_ms: .*0 or more, got -1"),
        ("faults = [{kind='rest'}]", r"faults\[1\]: kind: expected one of close, .*, got 'rest'"),
        ("faults = [{kind='reset', code=1}]", r"faults\[1\]: code: .*got an unknown field"),
        ("faults = [{kind='close', code='x'}]", r"faults\[1\]: code: .*whole number.*, got 'x'"),
        ("faults = [{kind='send', message=1}]", r"faults\[1\]: message: expected a table, got 1"),
    ],
)
def test_a_script_that_cannot_be_used_says_where_and_why(text: str, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        parse(text, "x.toml")


def test_a_script_is_found_by_its_name_or_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("fallback = 'a4'")
    assert named(path).fallback == "a4"
    assert named("booking") == shipped("booking")
    with pytest.raises(ScriptError, match=r"expected booking, small-talk or a TOML file, got 'no'"):
        named("no")


FIXTURES = sorted((Path(__file__).parents[3] / "fixtures" / "scripts").glob("gemini*.toml"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_script_among_the_fixtures_can_be_used(path: Path) -> None:
    assert load(path).turns


def test_the_agent_says_a_wav_file_beside_its_script(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "prompt.wav"), "wb") as file:
        file.setparams((1, 2, 24_000, 0, "NONE", ""))
        file.writeframes(b"\x01\x02" * 240)
    (tmp_path / "script.toml").write_text('[[turns]]\nsay = "prompt.wav"\n')
    spoken = agent_clip(load(tmp_path / "script.toml").turns[0].say)
    assert (spoken.text, spoken.pcm, spoken.rate_hz) == ("prompt", b"\x01\x02" * 240, 24_000)


@pytest.mark.parametrize(
    ("form", "got"),
    [((1, 2, 8_000), "8000 Hz"), ((2, 2, 24_000), "2 channel"), ((1, 1, 24_000), "8 bits")],
)
def test_a_wav_file_of_another_form_is_refused(
    tmp_path: Path, form: tuple[int, int, int], got: str
) -> None:
    with wave.open(str(tmp_path / "prompt.wav"), "wb") as file:
        file.setparams((*form, 0, "NONE", ""))
        file.writeframes(bytes(480))
    with pytest.raises(ScriptError, match=rf"turns\[1\]: say: expected a mono .* {got}"):
        parse('[[turns]]\nsay = "prompt.wav"', folder=tmp_path)


def test_a_wav_file_that_is_missing_or_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    for name in ("missing.wav", "text.wav"):
        with pytest.raises(ScriptError, match=f"greeting: expected a mono .* got '{name}'"):
            parse(f'greeting = "{name}"', folder=tmp_path)
