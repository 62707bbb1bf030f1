"""What a simulated caller does: a TOML script.

    quiet_ms = 700            # the agent has finished when it was quiet for so long
    patience_ms = 20000       # how long to wait for the agent before giving up

    [[steps]]
    wait = "agent"            # until the agent has spoken and is quiet again
    after_ms = 200            # and this long after it
    say = "table"             # a caller's clip, or a path ending in .wav (8 kHz, mono)
    answer = "times"          # the agent's clip that has to answer it; any, without this

    [[steps]]
    barge_in_ms = 2500        # this long after the agent is first heard again
    say = "half-past"

    [[steps]]
    until_said = "goodbye"    # until the agent has said this clip of its own to the end
    say = "thanks"

    [[steps]]
    press = "1#"              # keys, 120 ms apart

    [[steps]]
    beep = true               # the tone of a voicemail

    [[steps]]
    after_ms = 4000
    cut = "reset"             # the socket breaks: reset, close (no stop), zombie (open, dead)

    [[steps]]
    wait = "line"             # until there is a line again, be it silent, or a conference
    say = "are-you-there"

    [[steps]]
    hang_up = true

    [faults]                  # how Twilio behaves: any switch of `faults.CallFaults`
    after_loss = "ends"
    line = { stall_rate = 0.05 }

A step waits for one thing at most (`wait`, `barge_in_ms` or `until_said`), then `after_ms`, then
does one thing at most; the next begins when it has been done, a `say` when all of it has been said.
After the last step the caller stays on the line until the call ends.

Use `until_said` where the agent may fall silent in the middle of what it says, such as when the
socket breaks: a caller who waits for silence takes that for the end.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from agent.simulator.voice import agent_clip, clip, texts
from telephony.audio.formats import FRAME_SAMPLES, PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.audio.g711 import encode
from telephony.audio.resample import model_to_phone
from telephony.audio.wav import AudioFileError, read_mono
from telephony.errors import UsageError
from telephony.simulator.ear import last_sound_ms
from telephony.simulator.fault_table import read_faults
from telephony.simulator.faults import CallFaults
from telephony.simulator.tones import BEEP

SCRIPTS = Path(__file__).parent / "scripts"

_GOOD = CallFaults()
_KEYS = re.compile(r"[0-9A-D*#]+")
_DOES = ("say", "press", "beep", "hang_up", "cut")
_WAITS = ("wait", "barge_in_ms", "until_said")
_STEP_FIELDS = (*_WAITS, "after_ms", *_DOES, "answer")


class ScriptError(UsageError):
    """A script cannot be used. The message says where, expected, got, and the fix."""

    def __init__(self, where: str, expected: str, got: object, fix: str) -> None:
        super().__init__(f"{where}: expected {expected}, got {got!r}; fix: {fix}")


class Cut(StrEnum):
    """How a socket breaks."""

    RESET = "reset"
    CLOSE = "close"
    ZOMBIE = "zombie"


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance of the caller: its text, if known, and its µ-law, 8 kHz."""

    name: str
    text: str
    ulaw: bytes

    @property
    def duration_ms(self) -> int:
        """How long it takes to say, rounded up."""
        return -(-len(self.ulaw) // PHONE_SAMPLES_PER_MS)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys the caller presses, in order."""

    digits: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up."""


type Deed = Utterance | Keys | HangUp | Cut


@dataclass(frozen=True, slots=True)
class Step:
    """One step: first wait, then act.

    Args:
        wait_for_agent: Wait until the agent has spoken and is quiet again.
        wait_for_line: Wait until there is a line.
        barge_in_ms: Wait so long after the agent is first heard; None for no wait.
        last_words: Wait until the caller has heard this µ-law, the end of an agent's clip; b"" for
            no wait.
        after_ms: How long to wait after that.
        deed: The action, or None for none.
        answer: The agent's clip that must answer the caller; None for any answer.
    """

    wait_for_agent: bool = False
    wait_for_line: bool = False
    barge_in_ms: int | None = None
    last_words: bytes = b""
    after_ms: int = 0
    deed: Deed | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script; see the module's docstring."""

    steps: tuple[Step, ...]
    quiet_ms: int = 700
    patience_ms: int = 20_000
    faults: CallFaults = _GOOD


def load(name_or_path: str | Path) -> Script:
    """Read a shipped script by its name (`booking`), or any script by its path.

    Raises:
        ScriptError: There is no such script, or it cannot be used.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = SCRIPTS / f"{name_or_path}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        ours = ", ".join(sorted(each.stem for each in SCRIPTS.glob("*.toml")))
        fix = f"name one of {ours}, or the path of a .toml file"
        raise ScriptError("script", "a script", str(name_or_path), fix) from error
    return parse(text, path.parent)


def parse(text: str, folder: Path = SCRIPTS) -> Script:
    """Read a script from TOML text. Paths of WAV files are relative to `folder`.

    Raises:
        ScriptError: It cannot be used.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError("script", "TOML", str(error), "mend the TOML there") from error
    return read(table, folder)


def read(table: Mapping[str, Any], folder: Path = SCRIPTS) -> Script:
    """Read a script from a parsed TOML table, such as a part of a larger file.

    Raises:
        ScriptError: It cannot be used.
        FaultError: Its faults cannot be used.
    """
    _only("script", table, ("quiet_ms", "patience_ms", "steps", "faults"))
    steps = table.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ScriptError("script", "[[steps]]", steps, "give it one step at least")
    return Script(
        tuple(_step(f"step {n}", step, folder) for n, step in enumerate(steps, start=1)),
        quiet_ms=_ms("script", table, "quiet_ms", 700),
        patience_ms=_ms("script", table, "patience_ms", 20_000),
        faults=read_faults("faults", table.get("faults", {})),
    )


def _step(where: str, table: Mapping[str, Any], folder: Path) -> Step:
    _only(where, table, _STEP_FIELDS)
    if not table:
        raise ScriptError(where, "something to wait for or to do", "an empty step", "remove it")
    for group in (_WAITS, _DOES):
        if len(several := [key for key in group if key in table]) > 1:
            raise ScriptError(where, f"one of {', '.join(group)}", several, "make it two steps")
    if (wait := table.get("wait")) not in {None, "agent", "line"}:
        fix = "use after_ms to wait for a time"
        raise ScriptError(where, 'wait = "agent" or wait = "line"', wait, fix)
    return Step(
        wait_for_agent=wait == "agent",
        wait_for_line=wait == "line",
        barge_in_ms=_ms(where, table, "barge_in_ms", 0) if "barge_in_ms" in table else None,
        last_words=_last_words(where, table["until_said"]) if "until_said" in table else b"",
        after_ms=_ms(where, table, "after_ms", 0),
        deed=_deed(where, table, folder),
        answer=_answer(where, table),
    )


def _answer(where: str, table: Mapping[str, Any]) -> str | None:
    """The name of an agent's clip. Only a step with `say` can have an answer."""
    answer = table.get("answer")
    if answer is None:
        return None
    if "say" not in table:
        raise ScriptError(where, "answer beside say", answer, "put it into the step that says it")
    if f"agent/{answer}" not in texts():
        raise ScriptError(where, "an agent's clip", answer, f"name one of {_clips('agent')}")
    return str(answer)


def _deed(where: str, table: Mapping[str, Any], folder: Path) -> Deed | None:
    match {key: table[key] for key in _DOES if key in table}:
        case {"say": str(name)}:
            return _utterance(where, name, folder)
        case {"press": str(digits)} if _KEYS.fullmatch(digits):
            return Keys(digits)
        case {"beep": True}:
            return Utterance("beep", "", BEEP)
        case {"hang_up": True}:
            return HangUp()
        case {"cut": str(how)} if how in set(Cut):
            return Cut(how)
        case unusable if unusable:
            expected = (
                "say = NAME, press = KEYS, beep or hang_up = true, or cut = reset|close|zombie"
            )
            raise ScriptError(
                where, expected, unusable, "see the top of telephony/simulator/script.py"
            )
    return None


def _last_words(where: str, name: object) -> bytes:
    """The last frame of speech in a clip of the agent's, as a caller hears it."""
    if f"agent/{name}" not in texts():
        raise ScriptError(where, "an agent's clip", name, f"until_said = one of {_clips('agent')}")
    resampler = model_to_phone()
    ulaw = encode(resampler.push(agent_clip(str(name)).pcm) + resampler.flush())
    end = last_sound_ms(ulaw) * PHONE_SAMPLES_PER_MS
    return ulaw[end - FRAME_SAMPLES : end]


def _clips(role: str) -> str:
    return ", ".join(name.removeprefix(f"{role}/") for name in texts() if name.startswith(role))


def _utterance(where: str, name: str, folder: Path) -> Utterance:
    if name.endswith(".wav"):
        try:
            pcm, rate_hz = read_mono(folder / name)
        except (AudioFileError, OSError) as error:
            raise ScriptError(
                where, "an 8 kHz WAV", str(error), "give a file that can be read"
            ) from error
        if rate_hz != PHONE_RATE_HZ:
            raise ScriptError(where, "8000 Hz", rate_hz, f"sox {name} -r 8000 OUT.wav")
        return Utterance(name, "", encode(pcm))
    if f"caller/{name}" not in texts():
        fix = f"say one of {_clips('caller')}, or a .wav file"
        raise ScriptError(where, "a caller's clip", name, fix)
    voice = clip(f"caller/{name}", PHONE_RATE_HZ)
    return Utterance(name, voice.text, encode(voice.pcm))


def _ms(where: str, table: Mapping[str, Any], key: str, default: int) -> int:
    value = table.get(key, default)
    if type(value) is not int or value < 0:
        raise ScriptError(f"{where}, {key}", "whole ms, 0 or more", value, f"{key} = {default}")
    return value


def _only(where: str, table: object, known: tuple[str, ...]) -> None:
    if not isinstance(table, Mapping):
        raise ScriptError(where, "a table", table, "write [[steps]] above it")
    for key in table:
        if key not in known:
            raise ScriptError(where, f"one of {', '.join(known)}", key, "mend or remove it")
