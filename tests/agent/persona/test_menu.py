"""`[menu]`: what callers choose by a key before the agent answers, as a file has it."""

from pathlib import Path

import pytest

from agent.persona.agents import Agents
from agent.persona.menu import Menu
from agent.persona.mistakes import PersonaError
from agent.persona.reading import read

SALES = '[transfers.sales]\nto = "+14155550101"\n'
SAYS = '[menu]\nsays = "Press 1."\n'


def agents(tmp_path: Path, text: str) -> Agents:
    file = tmp_path / "ada.toml"
    file.write_text(f'name = "Ada"\ninstructions = "You are Ada."\n{text}')
    return read([file])


def test_a_menu_has_words_keys_and_a_time(tmp_path: Path) -> None:
    keys = '[menu.keys]\n1 = "agent"\n2 = "transfer:sales"\n"#" = "hang_up"\n'
    menu = {"1": "agent", "2": "transfer:sales", "#": "hang_up"}
    assert agents(tmp_path, SALES + SAYS + keys).default.menu == Menu("Press 1.", menu, 5)
    slow = agents(tmp_path, f"{SALES}{SAYS}timeout_s = 9\n{keys}").default.menu
    assert slow == Menu("Press 1.", menu, 9)
    assert agents(tmp_path, SALES).default.menu is None


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ('[menu]\nsays = "x"', ":3: menu.keys:", "add a line such as keys"),
        ('[menu]\nsays = "x"\nkeys = {}', ":5: menu.keys:", "expected at least 1 of them, got 0"),
        ('[menu]\nsays = " "\nkeys = { 1 = "agent" }', ":4: menu.says:", "what each key does"),
        (f'{SAYS}[menu.keys]\n10 = "agent"', ":6: menu.keys.10:", "expected one key"),
        (f'{SAYS}[menu.keys]\n1 = "hangup"', ":6: menu.keys.1:", 'expected "agent", "hang_up"'),
        (f"{SAYS}[menu.keys]\n1 = 2", ":6: menu.keys.1:", "expected a text in quotes, got 2"),
        (
            f'{SAYS}[menu.keys]\n1 = "transfer:sale"\n{SALES}',
            ":6: menu.keys.1:",
            "got 'sale'; there are: sales; correct it, or add [transfers.sale]",
        ),
        (
            f'{SAYS}timeout_s = 31\n[menu.keys]\n1 = "agent"',
            ":5: menu.timeout_s:",
            "expected at most 30, got 31",
        ),
        (f'{SAYS}timeout = 3\n[menu.keys]\n1 = "agent"', ":5: menu.timeout:", "timeout_s"),
    ],
)
def test_a_mistake_in_a_menu_is_named(tmp_path: Path, text: str, place: str, told: str) -> None:
    with pytest.raises(PersonaError) as error:
        agents(tmp_path, text)
    assert place in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("busy", "They were not put through. The line is busy."),
        ("canceled", "They were not put through. Nobody could be reached."),
        ("", "Nobody knows whether they have talked."),
    ],
)
def test_an_agent_greets_a_caller_who_wanted_somebody_else_and_says_why(
    tmp_path: Path, outcome: str, told: str
) -> None:
    for greeting, first in (("", "say your name"), ('greeting = "Hello."\n', "Hello. Then tell")):
        agent = agents(tmp_path, greeting).default.after_menu("sales", outcome)
        assert agent.tried == ("sales", outcome)
        cue = agent.persona.greeting_cue
        assert f'asked for "sales" first. {told}' in cue
        assert first in cue
