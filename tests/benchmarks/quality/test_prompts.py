"""Which prompts are taken, and what is said where they cannot be had."""

import gzip
from pathlib import Path

import pytest

from telephony.audio.wav import write_mono
from tests.benchmarks.quality import __main__ as command
from tests.benchmarks.quality.figures import Figure
from tests.benchmarks.quality.prompts import (
    TEXTS,
    VOICE,
    WANTED,
    PromptsMissingError,
    choose,
    fetch,
)

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
SENTENCES = [f"Press {a} or {b}." for a in NUMBERS for b in NUMBERS]


def unpacked(folder: Path, texts: dict[str, str], seconds: float = 2.0) -> Path:
    """A folder as the packages leave it."""
    (folder / TEXTS).parent.mkdir(parents=True)
    (folder / VOICE).mkdir(parents=True)
    lines = "".join(f"{name}: {text}\n" for name, text in texts.items())
    (folder / TEXTS).write_bytes(gzip.compress(f"; a comment: none\n{lines}".encode()))
    for name in texts:
        write_mono(folder / VOICE / f"{name}.wav", bytes(2 * int(8_000 * seconds)), 8_000)
    return folder


def test_prompts_are_spread_evenly_over_those_that_qualify(tmp_path: Path) -> None:
    names = {f"p{n:03}": text for n, text in enumerate(SENTENCES)}
    names["z"] = SENTENCES[0]  # said before, so it is not what is taken
    chosen = choose(unpacked(tmp_path, names))
    assert [prompt.name for prompt in chosen] == [f"p{n * 100 // 60:03}" for n in range(WANTED)]
    assert chosen[1].text == "press one or two"


@pytest.mark.parametrize("text", ["[a beep]", "Press 1.", "Leave the xqzzyq.", "Press one or one."])
def test_what_has_no_words_or_unknown_ones_or_was_there_before_is_left_out(
    tmp_path: Path, text: str
) -> None:
    names = {f"p{n:03}": sentence for n, sentence in enumerate(SENTENCES[: WANTED - 1])}
    with pytest.raises(PromptsMissingError, match=r"expected 60 prompts .* got 59"):
        choose(unpacked(tmp_path, names | {"z": text}))


@pytest.mark.parametrize("seconds", [1.4, 5.1])
def test_a_prompt_too_short_or_too_long_is_left_out(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(PromptsMissingError, match="got 0"):
        choose(unpacked(tmp_path, {"p": SENTENCES[0]}, seconds))


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    there = unpacked(tmp_path / "prompts", {"p": SENTENCES[0]})
    assert fetch(tmp_path) == there


@pytest.mark.real
def test_without_debian_it_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(command, "CACHE", tmp_path)
    monkeypatch.setattr("sys.argv", ["quality"])
    assert command.main() == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "expected the Debian packages" in told
    assert "apt-get" in told
    assert not (tmp_path / "prompts").exists()


def test_a_figure_not_as_wanted_fails_the_command_and_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good, bad = Figure("up", "drift", 0, 0), Figure("up", "STOI", 0.98, 0.99, at_least=True)
    unknown = Figure("up", "PESQ", float("nan"), 3.9, at_least=True)
    assert command.tell([good]) == 0
    assert command.tell([good, bad, unknown]) == 1
    assert "not as wanted: STOI, up; PESQ, up" in capsys.readouterr().err
