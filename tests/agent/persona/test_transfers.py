"""`[transfers.NAME]`: whom an agent may put callers through to, as a file names them."""

import json
from pathlib import Path

import pytest

from agent.conversation.built_in_tools import Target
from agent.persona.agents import Agents, Destination
from agent.persona.mistakes import PersonaError
from agent.persona.reading import read

AGENT = 'name = "Ada"\ninstructions = "You are Ada."\nnumbers = ["+14155550100"]\n'


def agents(tmp_path: Path, text: str) -> Agents:
    file = tmp_path / "ada.toml"
    file.write_text(AGENT + text)
    return read([file])


def test_an_agent_may_put_callers_through_to_those_whom_its_file_names(tmp_path: Path) -> None:
    agent = agents(
        tmp_path,
        '[transfers.sales]\nto = "+14155550101"\nsays = "Sales it is."\n'
        '[transfers.desk]\nto = "sip:desk@example.com"\nwarm = false\n',
    ).default
    assert agent.transfers == {
        "sales": Destination("+14155550101"),
        "desk": Destination("sip:desk@example.com"),
    }
    words = "One moment, please. I will put you through."
    assert agent.persona.transfers == (Target("sales", "Sales it is."), Target("desk", words))
    [tool] = [tool for tool in agent.persona.tools if tool.name == "transfer"]
    assert json.loads(tool.parameters)["properties"]["to"]["enum"] == ["sales", "desk"]
    assert "+1" not in repr(agent.persona)  # the model knows names, and no numbers


def test_who_is_told_of_the_caller_first_is_told_what_the_model_writes(tmp_path: Path) -> None:
    agent = agents(
        tmp_path,
        'language = "de-DE"\n[says]\nbriefing = "Hallo."\nkeys = "Mit der 1 nehmen Sie an."\n'
        '[transfers.sales]\nto = "+14155550101"\nwarm = true\nnotice_machines = true\n',
    ).default
    assert agent.transfers == {"sales": Destination("+14155550101", True, True)}
    assert (agent.says.briefing, agent.says.keys) == ("Hallo.", "Mit der 1 nehmen Sie an.")
    [tool] = [tool for tool in agent.persona.tools if tool.name == "transfer"]
    parameters = json.loads(tool.parameters)
    assert parameters["required"] == ["to", "summary"]
    assert "de-DE" in parameters["properties"]["summary"]["description"]


def test_an_agent_without_targets_has_no_such_tool(tmp_path: Path) -> None:
    tools = agents(tmp_path, "").default.persona.tools
    assert [tool.name for tool in tools] == ["end_call", "note"]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ('[transfers.sales]\nto = "5551234"', ":5: transfers.sales.to:", "+14155550100"),
        ('[transfers.sales]\nto = "sip:desk"', ":5: transfers.sales.to:", "sip:desk@example.com"),
        ("[transfers.sales]\nwarm = false", ":4: transfers.sales.to:", "expected"),
        ('[transfers.Sales]\nto = "+14155550101"', ":4: transfers.Sales:", "small letters"),
        (
            '[transfers.sales]\nto = "+14155550101"\nnotice_machines = true',
            ":6: transfers.sales.notice_machines:",
            "expected false without warm = true, got true",
        ),
        (
            '[transfers.sales]\nto = "+14155550101"\nsay = "x"',
            ":6: transfers.sales.say:",
            "says",
        ),
        ('[transfers.me]\nto = "+14155550100"', ":5: transfers.me.to:", "no agent answers"),
        ('[[tools]]\npython = "shutil:move"\nname = "transfer"', ": tools", "type"),
    ],
)
def test_a_mistake_in_a_target_is_named(tmp_path: Path, text: str, place: str, told: str) -> None:
    with pytest.raises(PersonaError) as error:
        agents(tmp_path, text)
    assert place in str(error.value)
    assert told in str(error.value)


def test_no_other_tool_may_be_called_transfer(tmp_path: Path) -> None:
    url = 'url = "https://example.com/"\ndescription = "Transfers."\n'
    with pytest.raises(PersonaError, match="another tool has"):
        agents(tmp_path, f'[[tools]]\nname = "transfer"\n{url}')
