"""What a person expects is compared with what came, and no update blesses its breach."""

from pathlib import Path

import pytest

from agent.conversation.persona import DEFAULT_PERSONA
from telephony.replay.expectation import Expectation, Outcome, broken, outcome
from telephony.replay.recording import Header, Step, write
from telephony.replay.verdict import Options, judge


@pytest.fixture(scope="module")
def came(steps: list[Step]) -> Outcome:
    return outcome((c for step in steps for c in step.commands), DEFAULT_PERSONA)


def test_a_call_comes_to_its_figures(came: Outcome) -> None:
    assert came.ended_reason == "caller_hangup"
    assert (came.final, came.greetings, came.sessions, came.resumed) == (True, 1, 2, 1)
    assert came.clears >= 2
    assert came.marks > came.replies >= 4
    assert came.caller_ms > came.resent_ms > 0
    assert came.lines[0].startswith("agent: Hello")
    assert " ~ " in came.lines[0]


def another(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case list():
            return [*value, "more"]
        case _:
            return f"{value}!"


def test_every_field_is_compared(came: Outcome) -> None:
    assert broken(Expectation(), came) == []
    for name in Outcome.__struct_fields__:
        value = getattr(came, name)
        assert broken(Expectation(**{name: value}), came) == []
        other = another(value)
        (said,) = broken(Expectation(**{name: other}), came)
        assert said == f"expected {name} {other!r}, got {value!r}"


def test_an_update_does_not_bless_a_broken_expectation(folder: Path, steps: list[Step]) -> None:
    write(folder, Header(1, expect=Expectation(clears=99)), steps)
    before = (folder / "call.jsonl").read_bytes()
    for options in (Options(), Options(update=True), Options()):
        verdict = judge(folder, options)
        assert not verdict.passed
        assert verdict.difference is None
        (said,) = verdict.broken
        assert said.startswith("expected clears 99, got ")
    assert (folder / "call.jsonl").read_bytes() == before
