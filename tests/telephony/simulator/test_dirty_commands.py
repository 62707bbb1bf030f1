"""The commands that play a simulated call take the switches of both simulators."""

import pytest

import telephony.demo  # noqa: F401 - what it imports tries whether this machine has IPv6
from telephony.cli import app
from telephony.errors import UsageError

LINE = ["--fault", "line.background=traffic"]
CALL = ["simulate", "call", "--url", "http://127.0.0.1:1", "--public-url", "https://x.org"]
REST = ["--rest-port", "1"]
MODEL = ["--behaviour", "chunks=40"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["demo", *LINE], "--fault line.background: expected one of nothing, murmur, room"),
        (["try", *LINE], "--fault line.background: expected one of nothing, murmur, room"),
        (["demo", *MODEL], "--behaviour: expected one of models, keys"),
        (["try", *MODEL], "--behaviour: expected one of models, keys"),
        (["simulate", "gemini", *MODEL], "--behaviour: expected one of models, keys"),
        ([*CALL, "--person", "+14155550100=busy"], "--person and --rest-fault: expected --rest"),
        ([*CALL, *REST, "--person", "busy"], "--person: expected NUMBER=SCRIPT, such as"),
        ([*CALL, *REST, *["--person", "+1=busy"] * 2], "--person: expected each number once"),
        ([*CALL, *REST, "--person", "+1=lazy"], "script: expected a script, got 'lazy'"),
        ([*CALL, *REST, "--rest-fault", "place"], "--rest-fault: expected REQUEST=FAULT"),
        (["try", "--live", "--behaviour", "chunk_ms=40"], "--behaviour: expected the simulated"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_a_switch_that_is_not_there_is_said_before_anything_runs(
    command: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    with pytest.raises(UsageError) as error:
        app(command, standalone_mode=False)
    assert str(error.value).startswith(says)
