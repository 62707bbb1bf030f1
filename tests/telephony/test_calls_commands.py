"""`offhook calls purge`: what cannot be meant is one sentence. That it purges, row 54 measures."""

import sys

import pytest

from telephony import cli


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected --call or --caller, got neither"),
        (["--call", "CA1", "--caller", "+14155550123"], "expected --call or --caller, got both"),
        (["--caller", "415 555"], "--caller: expected a number such as +14155550123"),
        (["--call", "CA1*"], "--call: expected a CallSid such as CA0123"),
    ],
)
def test_a_purge_of_what_is_nothing_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["offhook", "calls", "purge", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
