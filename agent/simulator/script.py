"""The simulated model's script, in TOML.

    greeting = "greeting"     # said when the first message of a fresh session is a text, except
                              # one that belongs to a conversation in progress
    on_text = "still-here"    # said to any other text
    fallback = "sorry"        # said to speech that no turn expects, or that was not understood
    generates = "{}"          # the answer to generateContent; without it, one that fits its schema

    [[turns]]
    expect = "half-past"      # a caller clip; a turn without it accepts anything
    say = "name"              # an agent clip, several as "one+two", or a .wav (24 kHz, mono)
    think_ms = 900            # without it, the server's behaviour decides
    hear = "Half past seven"  # the transcription; without it, what the ear understood
    call = { tool = "look_up", arguments = { order = "7" } }  # and `say` is said to its result
    meanwhile = "still-here"  # said between the call and its result
    failed = "sorry"          # said if the tool has failed; without it, `fallback`
    then = { tool = "end_call" }  # called once all of `say` was sent
    faults = [{ kind = "reset", at_ms = 700 }]

    [[faults]]                # counted from the setup of a fresh session
    kind = "go-away"
    at_ms = 20000
    time_left_ms = 5000

The model looks for the turn that expects what it understood. It begins behind the turn that it
answered last, and goes round. So a script with `expect` answers by meaning, even if something was
lost or repeated. A script without `expect` answers in order.

A turn's fault comes `at_ms` after the first audio of its answer; without `at_ms`, just before it. A
fault of a script happens once in a conversation, even if that is resumed. `faults.FAULTS` has the
kinds; their fields may be set beside them.

A `say` may be any words, as "words:…". To the result of a call, {status} in it is the field
`status` of the result's data, and {data} is the data itself. A call of a tool that the client did
not declare is left out.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from agent.simulator.faults import FAULTS, Fault
from agent.simulator.voice import AGENT_RATE_HZ, WAV, WORDS, agent_clip, texts

SCRIPTS = Path(__file__).parent / "scripts"


class ScriptError(ValueError):
    """A script cannot be used. The message says where, what was expected, and what was found."""


@dataclass(frozen=True, slots=True)
class TimedFault:
    """A fault and its time; None for at once."""

    fault: Fault
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool."""

    tool: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer. `say` is for `voice.agent_clip`; `expect` is a caller's clip without its role."""

    say: str
    expect: str | None = None
    hear: str | None = None
    think_ms: int | None = None
    faults: tuple[TimedFault, ...] = ()
    after: str = ""
    """Words already said: only the rest is said when a session is asked to continue."""
    call: Call | None = None
    meanwhile: str | None = None
    failed: str | None = None
    then: Call | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script; see the module's docstring."""

    turns: tuple[Turn, ...]
    greeting: str = "greeting"
    on_text: str = "still-here"
    fallback: str = "sorry"
    faults: tuple[TimedFault, ...] = ()
    generates: str | None = None

    def rest(self, said: str) -> Turn | None:
        """The rest of the turn, or greeting, that begins with this text; None if none does."""
        meanwhile = (Turn(turn.meanwhile) for turn in self.turns if turn.meanwhile)
        for turn in (Turn(self.greeting), *self.turns, *meanwhile):
            text = agent_clip(turn.say).text
            if turn.call is None and said and said != text and text.startswith(said):
                return replace(turn, after=said, faults=())
        return None

    def answer(self, understood: str | None, answered: int) -> Turn:
        """Choose the turn that answers.

        Args:
            understood: The caller clip that was understood, without the role, or None.
            answered: How many turns have been answered before.
        """
        start = answered % len(self.turns) if self.turns else 0
        for turn in self.turns[start:] + self.turns[:start]:
            if turn.expect is None or turn.expect == understood:
                return turn
        return Turn(self.fallback)


def load(path: Path) -> Script:
    """Read a script from a file.

    Raises:
        OSError: The file cannot be read.
        ScriptError: It is not a script.
    """
    return parse(path.read_text(encoding="utf-8"), path.name, path.parent)


def shipped(name: str) -> Script:
    """A script of this package: ``booking`` or ``small-talk``."""
    return load(SCRIPTS / f"{name}.toml")


def named(name: str | Path) -> Script:
    """A script by its shipped name, or from a file.

    Raises:
        ScriptError: There is no such script, or the file is not a script.
    """
    known = sorted(path.stem for path in SCRIPTS.glob("*.toml"))
    if str(name) in known:
        return shipped(str(name))
    if not Path(name).is_file():
        raise ScriptError(f"script: expected {', '.join(known)} or a TOML file, got {str(name)!r}")
    return load(Path(name))


def parse(text: str, source: str = "script", folder: Path = SCRIPTS) -> Script:
    """Read a script from a text. Errors name `source`; WAV files are looked for in `folder`.

    Raises:
        ScriptError: It is not a script.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError(f"{source}: expected TOML, got: {error}") from error
    return read(table, source, folder)


def read(table: Mapping[str, object], source: str = "script", folder: Path = SCRIPTS) -> Script:
    """Read a script from a parsed TOML table, such as a part of a larger file. See `parse`.

    Raises:
        ScriptError: It is not a script.
    """
    top = _Table(table, source, folder)
    top.only("greeting", "on_text", "fallback", "generates", "turns", "faults")
    said = {name: top.agent_clip(name) for name in ("greeting", "on_text", "fallback")}
    return Script(
        turns=tuple(_turn(turn) for turn in top.tables("turns")),
        faults=tuple(_fault(fault) for fault in top.tables("faults")),
        generates=top.text("generates"),
        **{name: clip for name, clip in said.items() if clip is not None},
    )


def _turn(table: "_Table") -> Turn:
    table.only(
        *("say", "expect", "hear", "think_ms", "faults"), *("call", "meanwhile", "failed", "then")
    )
    say = table.agent_clip("say")
    if say is None:
        raise table.wrong("say", "the agent clip to answer with", "nothing")
    return Turn(
        say=say,
        expect=table.clip("expect", "caller"),
        hear=table.text("hear"),
        think_ms=table.ms("think_ms"),
        call=table.call("call"),
        meanwhile=table.agent_clip("meanwhile"),
        failed=table.agent_clip("failed"),
        then=table.call("then"),
        faults=tuple(_fault(fault) for fault in table.tables("faults")),
    )


def _fault(table: "_Table") -> TimedFault:
    kind = table.text("kind")
    if kind not in FAULTS:
        raise table.wrong("kind", f"one of {', '.join(FAULTS)}", repr(kind))
    fault = FAULTS[kind]
    types = {field.name: field.type for field in fields(fault)}
    table.only("kind", "at_ms", *types)
    values = {name: table.typed(name, types[name]) for name in types if name in table}
    return TimedFault(fault(**values), table.ms("at_ms"))  # type: ignore[arg-type]  # read by type above


@dataclass(frozen=True, slots=True)
class _Table:
    """A TOML table, with its place in the file for error messages."""

    values: Mapping[str, object]
    where: str
    folder: Path

    def __contains__(self, field: str) -> bool:
        return field in self.values

    def wrong(self, field: str, expected: str, got: str) -> ScriptError:
        return ScriptError(f"{self.where}: {field}: expected {expected}, got {got}")

    def only(self, *known: str) -> None:
        for name in self.values:
            if name not in known:
                raise self.wrong(name, f"one of {', '.join(known)}", "an unknown field")

    def text(self, field: str) -> str | None:
        value = self.values.get(field)
        if value is not None and not isinstance(value, str):
            raise self.wrong(field, "a text in quotes", repr(value))
        return value

    def ms(self, field: str) -> int | None:
        value = self.values.get(field)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value
        raise self.wrong(field, "a whole number, 0 or more", repr(value))

    def agent_clip(self, field: str) -> str | None:
        name = self.text(field)
        if name is not None and name.startswith(WORDS):
            return name
        if name is None or not name.endswith(WAV):
            for one in name.split("+") if name is not None else ():
                self.known_clip(field, "agent", one)
            return name
        path = str(self.folder / name)
        try:
            agent_clip(path)
        except (OSError, ValueError) as error:
            wanted = f"a mono 16-bit WAV of {AGENT_RATE_HZ} Hz"
            raise self.wrong(field, wanted, f"{name!r}: {error}") from error
        return path

    def call(self, field: str) -> Call | None:
        if field not in self:
            return None
        value = self.typed(field, dict)
        table = _Table(value, f"{self.where}: {field}", self.folder)  # type: ignore[arg-type]  # it is a table
        table.only("tool", "arguments")
        tool = table.text("tool")
        if tool is None:
            raise table.wrong("tool", "the name of a tool", "nothing")
        given = table.typed("arguments", dict) if "arguments" in table else {}
        return Call(tool, given)  # type: ignore[arg-type]  # it is a table

    def clip(self, field: str, role: str) -> str | None:
        name = self.text(field)
        if name is not None:
            self.known_clip(field, role, name)
        return name

    def known_clip(self, field: str, role: str, name: str) -> None:
        known = [clip.removeprefix(f"{role}/") for clip in texts() if clip.startswith(f"{role}/")]
        if name not in known:
            raise self.wrong(field, f"a clip of the {role} ({', '.join(known)})", repr(name))

    def typed(self, field: str, kind: object) -> object:
        if kind is int:
            return self.ms(field)
        if kind is str:
            return self.text(field)
        value = self.values.get(field)
        if not isinstance(value, dict):
            raise self.wrong(field, "a table", repr(value))
        return value

    def tables(self, field: str) -> list["_Table"]:
        value = self.values.get(field, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(field, "a list of tables", repr(value))
        return [
            _Table(entry, f"{self.where}: {field}[{n}]", self.folder)
            for n, entry in enumerate(value, 1)
        ]
