"""The simulated Gemini's behaviour can be set from the command line."""

from dataclasses import fields

import pytest

from agent.simulator.behaviour import Behaviour
from agent.simulator.switches import SwitchError, with_behaviour

OTHERS = {
    "models": "one,two",
    "keys": "secret",
    "text_in_thought": "joins",
    "transcription": "letters",
    "output_transcription": "first",
    "turn_complete_at": "last audio",
    "replays": "words",
    "rest": "anew",
    "speech_dbfs": "-33",
    "swallowed_end": "closes",
    "blocked_audio": "closes",
    "max_sessions": "2",
}
"""Values that differ from the default, of the switches that are words, or not set."""

TABLES = {"unknown_handle", "lifetime_close", "over_quota", "resumed_end"}
"""What one value cannot express."""

NAMES = [field.name for field in fields(Behaviour) if field.name not in TABLES]


def other(name: str) -> str:
    """A value that is not the default."""
    match getattr(Behaviour(), name):
        case bool() as was:
            return str(not was).lower()
        case int() | float() as was if name not in OTHERS:
            return str(was + 1)
        case (int() as least, int() as most):
            return f"{least + 1},{most + 1}"
        case _:
            return OTHERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_switch_is_set(name: str) -> None:
    changed = with_behaviour(Behaviour(), [f"{name}={other(name)}"])
    assert getattr(changed, name) != getattr(Behaviour(), name)


def test_a_limit_is_taken_away() -> None:
    assert with_behaviour(Behaviour(), ["lifetime_ms=none"]).lifetime_ms is None


@pytest.mark.parametrize(
    ("switch", "wrong"),
    [
        ("markup", "--behaviour: expected name=value, such as chunk_ms=40, got 'markup'"),
        ("chunks=40", "--behaviour: expected one of models, keys, "),
        ("unknown_handle=1", "--behaviour: expected one of models, keys, "),
        ("chunk_ms=x", "--behaviour chunk_ms: Expected `int`, got `str`, got 'x'"),
        ("chunk_ms=-4", "--behaviour chunk_ms: expected 0 or more, got -4"),
        ("think_ms=2,1", "expected the least first, then the most, got [2, 1]"),
        ("transcription=x", "expected one of utterance, words, letters, nothing, got 'x'"),
    ],
)
def test_an_error_says_what_was_expected(switch: str, wrong: str) -> None:
    with pytest.raises(SwitchError) as error:
        with_behaviour(Behaviour(), [switch])
    assert wrong in str(error.value)
