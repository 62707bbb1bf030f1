"""Mistakes in persona files: each is named by file, line and key, with what was expected."""

import re
import sys
import tomllib
from pathlib import Path
from random import Random

import pytest

from agent.persona.example import EXAMPLE
from agent.persona.mistakes import PersonaError
from agent.persona.reading import files_of, read

WHOLE = re.sub(r"^# (?=[a-z0-9_]+ = |\[)", "", EXAMPLE, flags=re.MULTILINE)
"""The example with every key that it only mentions."""

LINES = WHOLE.splitlines()

CLOSED_DAYS = ("hours.mon", "hours.tue", "hours.fri")

WRONG_VALUES = {
    "a text": ["7", "true", '["x"]', "{ x = 1 }", '""'],
    "a list": ["7", '"x"', '["0123"]', "[7]"],
    "a number": ['"7"', "true", "-1", "1e9", "nan"],
    "true or false": ['"yes"', "1"],
}


def kind_of(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "a text"


def keys() -> list[tuple[int, str, object]]:
    """Line, from 1, dotted key and value of each `key = value` on one line, but of no digit."""
    found, table = [], ""
    for n, line in enumerate(LINES, start=1):
        if header := re.fullmatch(r"\[([\w.]+)\]", line):
            table = f"{header[1]}."
        elif (pair := re.fullmatch(r"(\w\w+) = (.*)", line)) and pair[2] != '"""':
            found.append((n, table + pair[1], tomllib.loads(line)[pair[1]]))
    return found


def seeded() -> list[tuple[str, int, str]]:
    """Files with one mistake each, and where it is."""
    random = Random(14)
    found = []
    for n, key, value in keys():
        name = key.rpartition(".")[2]
        at = random.randrange(len(name) - 1)
        slip = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        if slip == name:
            slip = name + name[-1]
        changed = LINES[n - 1].replace(name, slip, 1)
        found.append((with_line(n, changed), n, key.removesuffix(name) + slip))
        if key == "name":
            found.append((with_line(n, ""), 1, key))
        for wrong in WRONG_VALUES[kind_of(value)]:
            if wrong == '""' and key in {
                "language",
                *CLOSED_DAYS,
            }:
                continue  # which may be empty
            if wrong == '["0123"]' and key.endswith(".enum"):
                continue  # which are texts
            found.append((with_line(n, f"{name} = {wrong}"), n, key))
    return found


def with_line(n: int, line: str) -> str:
    return "\n".join([*LINES[: n - 1], line, *LINES[n:]]) + "\n"


def mistakes(path: Path) -> list[str]:
    with pytest.raises(PersonaError) as error:
        read(files_of(path))
    return [str(mistake) for mistake in error.value.mistakes]


def test_the_whole_example_has_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "ada.toml").write_text(WHOLE)
    assert len(read(files_of(tmp_path))) == 1


def test_of_more_than_100_seeded_mistakes_each_is_named_by_file_line_and_key(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ada.toml"
    cases = seeded()
    assert len(cases) >= 100
    for text, line, key in cases:
        file.write_text(text)
        found = mistakes(file)
        begins = rf"{re.escape(str(file))}:(\d+): ([^:]+): (expected .*, got .*)$"
        named = [re.match(begins, one) for one in found]
        assert all(named), found
        where = {(int(one[1]), one[2].partition("[")[0]) for one in named if one}
        missing = (1, key.rpartition(".")[2])
        assert (line, key) in where or missing in where, (found, line, key)
    sys.stdout.write(f"{len(cases)} seeded mistakes: each named by file, line and key\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x\n', "1: name: expected valid TOML, got 'name = \"x'"),
        ('name = "x"\nname = "y"\n', "2: name: expected valid TOML, got 'name = \"y\"': cannot"),
        ("", "1: name: expected this key, got nothing; add a line such as name = …"),
        ('voice = "Pukc"', "1: voice: expected one of Gemini's voices such as"),
        ('langauge = "de-DE"', "1: langauge: expected a known key, got 'langauge'; did you mean"),
        ("turns = 3", "1: turns: expected a table, got 3; write [turns] and its keys below it"),
        ('[turns]\nstart_sensitivity = "hgih"', '2: turns.start_sensitivity: expected "high" or'),
        ('[hours]\nmon = "09:00-09:00"', "2: hours.mon: expected an end after the beginning"),
        ('[hours]\nmon = "17:00-09:00, 10:00-11:00"', "2: hours.mon: expected intervals one after"),
        ('[hours]\nholidays = ["24.12."]', '2: hours.holidays[0]: expected a date such as "2026-'),
        ('[hours]\nholidays = ["2026-02-29"]', "2: hours.holidays[0]: expected a date such as"),
        ('[hours]\nclosed_greeting = "Hi."', "2: hours.closed_greeting: expected closed_instr"),
        ('[hours]\nmon = "9-17"', '2: hours.mon: expected hours such as "09:00-17:30", got'),
        ('[hours]\nmon = "09:00-12:00, 11:00-13:00"', "2: hours.mon: expected intervals one after"),
        ('[hours]\ntimezone = "Mars"', "2: hours.timezone: expected a time zone such as"),
        ('numbers = ["+14155550100", "0800"]', "1: numbers[1]: expected a telephone number such"),
        ('blocked = ["+1*9"]', "1: blocked[0]: expected a telephone number such as"),
        ("[limits]\nminutes = 0", "2: limits.minutes: expected more than 0, got 0"),
        ("[limits]\nusd_per_day = 0", "2: limits.usd_per_day: expected more than 0, got 0"),
        (
            '[limits]\nusd_per_caller_day = "2"',
            '2: limits.usd_per_caller_day: expected a number, got "2"',
        ),
        (
            "[limits]\nusd_per_dy = 3",
            "2: limits.usd_per_dy: expected a known key, got 'usd_per_dy'; did you mean usd_per",
        ),
    ],
)
def test_a_mistake_says_what_was_expected_what_came_and_how_to_fix_it(
    tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "ada.toml"
    file.write_text(text)
    assert any(one.startswith(f"{file}:{told}") for one in mistakes(file)), mistakes(file)


def test_a_file_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "ada.toml").write_bytes(b'name = "Ada"\ninstructions = "\xe9"\n')
    [only] = mistakes(tmp_path)
    assert only.endswith(
        "ada.toml:2: encoding: expected UTF-8, got the byte 0xe9; save it as UTF-8"
    )


def test_a_path_without_files_says_how_to_make_one(tmp_path: Path) -> None:
    [none] = mistakes(tmp_path)
    [nothing] = mistakes(tmp_path / "no.toml")
    assert "expected *.toml files in this folder" in none
    assert "expected a persona file or a folder" in nothing
    assert none.endswith("`offhook persona new FILE` writes an example")


def persona(name: str, more: str = "") -> str:
    return f'name = "{name}"\ninstructions = "Be kind."\n{more}\n'


def test_files_that_disagree_are_mistakes_of_the_later_one(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(persona("Ada", 'numbers = ["+14155550100"]\ndefault = true'))
    (tmp_path / "b.toml").write_text(persona("ADA", 'numbers = ["+14155550100"]\ndefault = true'))
    b = tmp_path / "b.toml"
    assert [one.partition(", got")[0] for one in mistakes(tmp_path)] == [
        f"{b}:1: name: expected a name of its own",
        f"{b}:3: numbers[0]: expected a number of its own",
        f"{b}:4: default: expected one default",
    ]


def test_several_files_need_a_default(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(persona("Ada"))
    (tmp_path / "b.toml").write_text(persona("Bo"))
    [only] = mistakes(tmp_path)
    assert "expected default = true in one of the files, got none" in only


def test_a_summary_may_be_asked_for_20_things_with_names_of_their_own(tmp_path: Path) -> None:
    fields = [f'[summary.f{n}]\ntype = "integer"\ndescription = "A number."\n' for n in range(21)]
    file = tmp_path / "ada.toml"
    file.write_text('name = "Ada"\ninstructions = "x"\n' + "".join(fields[:20]))
    assert len(read([file]).default.summary) == 20
    file.write_text('name = "Ada"\ninstructions = "x"\n' + "".join(fields))
    assert mistakes(file) == [f"{file}:3: summary: expected at most 20 of them, got more"]


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        (
            'outcome]\ntype = "string"\ndescription = "x"',
            "3: summary.outcome: expected another name, got 'outcome', which every summary has",
        ),
        (
            'Name]\ntype = "string"\ndescription = "x"',
            '3: summary.Name: expected a name of small letters, digits and "_"',
        ),
        (
            'n]\ntype = "integer"\ndescription = "x"\nenum = ["one"]',
            '6: summary.n.enum: expected enum only with type = "string", got it with "int',
        ),
        (
            'n]\ntype = "text"\ndescription = "x"',
            '4: summary.n.type: expected "string", "integer", "number", "boolean" or "list", got',
        ),
    ],
)
def test_what_a_summary_cannot_hold_is_named(tmp_path: Path, table: str, mistake: str) -> None:
    file = tmp_path / "ada.toml"
    file.write_text(f'name = "Ada"\ninstructions = "x"\n[summary.{table}\n')
    [found] = mistakes(file)
    assert found.startswith(f"{file}:{mistake}")
