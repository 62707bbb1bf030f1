"""Persona files become agents, and a dialled number finds its agent."""

from pathlib import Path

from agent.conversation.persona import words_of
from agent.conversation.turn_taking import TurnTaking
from agent.persona.agents import BUILT_IN, Agent
from agent.persona.example import EXAMPLE
from agent.persona.places import line_of, places
from agent.persona.reading import GREETS, files_of, read

LEAST = 'name = "Bo"\ninstructions = "Be kind."\n'


def read_one(folder: Path, text: str) -> Agent:
    (folder / "bo.toml").write_text(text, encoding="utf-8")
    return read(files_of(folder)).default


def test_two_keys_are_enough(tmp_path: Path) -> None:
    agent = read_one(tmp_path, LEAST)
    assert (agent.persona.name, agent.persona.instructions) == ("Bo", "Be kind.")
    assert agent.persona.greeting_cue == GREETS
    assert (agent.persona.minutes, agent.persona.silence_s) == (60, 30)
    assert agent.hours is None


def test_every_key_arrives(tmp_path: Path) -> None:
    agent = read_one(
        tmp_path,
        LEAST
        + """
voice = "Kore"
language = "de-DE"
greeting = "Guten Tag, hier ist Bo."
numbers = ["+493012345678"]
default = true
blocked = ["+4930999*"]
[turns]
detection = "ours"
silence_ms = 800
prefix_ms = 40
start_sensitivity = "low"
end_sensitivity = "low"
[hours]
timezone = "Europe/Berlin"
mon = "09:00-17:30"
closed = "Wir haben geschlossen."
[limits]
minutes = 2.5
silence_s = 0
[says]
apology = "A"
transfer = "B"
no_answer = "C"
goodbye = "D"
still_there = "E"
""",
    )
    persona = agent.persona
    assert (persona.voice, persona.language, persona.timezone) == ("Kore", "de-DE", "Europe/Berlin")
    assert words_of(persona.greeting_cue) == "Guten Tag, hier ist Bo."
    assert persona.turns == TurnTaking(800, 40, "low", "low", "ours")
    assert (persona.minutes, persona.silence_s) == (2.5, 0)
    assert (persona.goodbye, persona.still_there) == ("D", "E")
    assert (agent.says.apology, agent.says.transfer, agent.says.no_answer) == ("A", "B", "C")
    assert (agent.numbers, agent.blocked) == (("+493012345678",), ("+4930999*",))
    assert agent.hours is not None
    assert agent.hours.closed == "Wir haben geschlossen."
    assert agent.closed is None
    assert agent.after_hours is agent


def test_an_agent_that_answers_outside_its_hours_knows_that_it_is_closed(tmp_path: Path) -> None:
    hours = '[hours]\nfri = "20:00-02:00"\nholidays = ["12-25"]\n'
    says = 'closed_instructions = "Take a message."\nclosed_greeting = "Wir haben zu."\n'
    agent = read_one(tmp_path, LEAST + hours + says)
    assert agent.hours is not None
    assert agent.hours.days == {"fri": ((1200, 1560),)}
    assert agent.hours.holidays == frozenset({"12-25"})
    closed = agent.after_hours.persona
    assert closed.instructions == (
        f"{agent.persona.instructions}\n\nIt is outside the opening hours now. Take a message."
    )
    assert words_of(closed.greeting_cue) == "Wir haben zu."
    assert (agent.outside, agent.after_hours.outside) == (False, True)


def test_the_example_is_an_agent(tmp_path: Path) -> None:
    assert read_one(tmp_path, EXAMPLE).persona.name == "Ada"


def test_a_file_may_begin_with_a_mark_and_end_its_lines_in_two_characters(tmp_path: Path) -> None:
    agent = read_one(tmp_path, "\N{ZERO WIDTH NO-BREAK SPACE}" + LEAST.replace("\n", "\r\n"))
    assert agent.persona.name == "Bo"


def test_a_dialled_number_finds_its_agent_and_every_other_the_default(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(LEAST.replace("Bo", "Al") + 'numbers = ["+14155550100"]')
    (tmp_path / "b.toml").write_text(LEAST + "default = true")
    agents = read(files_of(tmp_path))
    assert agents.answering("+14155550100").persona.name == "Al"
    assert agents.answering("+14155550101").persona.name == "Bo"
    assert agents.named("Al").persona.name == "Al"
    assert agents.named("somebody who is gone").persona.name == "Bo"
    assert BUILT_IN.answering("").persona.name == "Ada"


def test_blocked_callers_are_numbers_beginnings_and_those_who_withhold_theirs(
    tmp_path: Path,
) -> None:
    agent = read_one(tmp_path, LEAST + 'blocked = ["+14155550100", "+1900*", "anonymous"]')
    refused = ["+14155550100", "+19005550100", ""]
    assert [agent.refuses(caller) for caller in [*refused, "+14155550101"]] == [
        True,
        True,
        True,
        False,
    ]
    assert not read_one(tmp_path, LEAST).refuses("")


def test_the_line_of_each_key_and_element_is_found() -> None:
    text = '''# name = "no"
name = "Bo"
say = """
name = "no"
[no]
"""
many = [ # one
  "a", { x = 1,
  }, [2,
      3]]
"quoted key" = 'literal # [no]'
a.b = 1979-05-27 07:32:00
[turns]   # a comment
x = 1
[[tools]]
name = "one"
[tools.parameters.city]
type = "text"
[[tools]]
name = "two"
'''
    found = places(text)
    assert found == {
        ("name",): 2,
        ("say",): 3,
        ("many",): 7,
        ("many", 0): 8,
        ("many", 1): 8,
        ("many", 1, "x"): 8,
        ("many", 2): 9,
        ("many", 2, 0): 9,
        ("many", 2, 1): 10,
        ("quoted key",): 11,
        ("a", "b"): 12,
        ("turns",): 13,
        ("turns", "x"): 14,
        ("tools",): 15,
        ("tools", 0): 15,
        ("tools", 0, "name"): 16,
        ("tools", 0, "parameters", "city"): 17,
        ("tools", 0, "parameters", "city", "type"): 18,
        ("tools", 1): 19,
        ("tools", 1, "name"): 20,
    }
    assert line_of(("turns", "missing"), found) == 13
    assert line_of(("missing",), found) == 1


def test_an_agent_records_only_if_its_file_says_so(tmp_path: Path) -> None:
    agent = read_one(tmp_path, LEAST + '[recording]\nnotice = "It is recorded."\n')
    tools = [tool.name for tool in agent.persona.tools]
    assert (agent.notice, agent.persona.recording_days) == ("", 0)
    agent = read_one(tmp_path, LEAST + '[recording]\non = true\nnotice = "So."\nkeep_days = 7\n')
    assert (agent.notice, agent.persona.recording_days) == ("So.", 7)
    assert {tool.name for tool in agent.persona.tools} - {*tools} == {"stop_recording"}
