"""`[sms.NAME]`: the text messages that an agent may send, as a file names them."""

import json
from pathlib import Path

import pytest

from agent.conversation.sms import SmsField, Template
from agent.persona.agents import Agents
from agent.persona.mistakes import PersonaError
from agent.persona.reading import read
from agent.persona.sms_schema import Route

AGENT = 'name = "Ada"\ninstructions = "You are Ada."\nnumbers = ["+14155550100"]\n'
FIELD = "[sms.booked.fields.when]\n"


def agents(tmp_path: Path, text: str, agent: str = AGENT) -> Agents:
    file = tmp_path / "ada.toml"
    file.write_text(agent + text)
    return read([file])


def test_an_agent_sends_the_messages_of_its_file(tmp_path: Path) -> None:
    agent = agents(
        tmp_path,
        '[limits]\nsms = 5\n[sms.booked]\ntext = "Booked for {when}."\ndescription = "Booked."\n'
        f'{FIELD}type = "date"\n[sms.desk]\ntext = "Call {{name}}."\nfrom = "+14155550199"\n'
        'to = "+14155550101"\nregions = ["US", "CA"]\n[sms.desk.fields.name]\nmax_chars = 20\n',
    ).default
    assert agent.persona.sms == (
        Template("booked", "Booked for {when}.", "Booked.", (SmsField("when", "date"),)),
        Template("desk", "Call {name}.", fields=(SmsField("name", max_chars=20),)),
    )
    assert agent.sms == {
        "booked": Route("+14155550100"),
        "desk": Route("+14155550199", "+14155550101", frozenset({"US", "CA"})),
    }
    [tool] = [tool for tool in agent.persona.tools if tool.name == "send_sms"]
    assert (tool.max_per_call, tool.idempotent) == (5, False)
    parameters = json.loads(tool.parameters)["properties"]
    assert parameters["template"]["enum"] == ["booked", "desk"]
    assert list(parameters["fields"]["properties"]) == ["name", "when"]
    assert "+1" not in repr(agent.persona)  # the model knows no numbers


def test_an_agent_without_messages_has_no_such_tool(tmp_path: Path) -> None:
    tools = agents(tmp_path, "").default.persona.tools
    assert [tool.name for tool in tools] == ["end_call", "note"]


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ('[sms.x]\ntext = ""', ":5: sms.x.text:", "not empty"),
        ('[sms.x]\ntext = "Hi {when}"', ":5: sms.x.text:", "[sms.x.fields.when]"),
        (f'[sms.booked]\ntext = "Hi"\n{FIELD}', ":6: sms.booked.fields.when:", "{when}"),
        (
            '[sms.x]\ntext = "https://{c}/"\n[sms.x.fields.c]\ntype = "code"',
            ":5: sms.x.text:",
            "says where it leads, got {c}; write the whole host yourself",
        ),
        ('[sms.x]\ntext = "Hi"\nto = "owner"', ":6: sms.x.to:", '"caller"'),
        ('[sms.x]\ntext = "Hi"\nfrom = "555"', ":6: sms.x.from:", "+14155550100"),
        ('[sms.x]\ntext = "Hi"\nregions = ["UK"]', ":6: sms.x.regions:", "ISO code"),
        ('[sms.x]\ntext = "Hi"\nmax_segments = 11', ":6: sms.x.max_segments:", "at most 10"),
        ('[sms.X]\ntext = "Hi"', ":4: sms.X:", "small letters"),
        (
            f'[sms.booked]\ntext = "See https://x.example/{{when}}"\n{FIELD}',
            ":5: sms.booked.text:",
            'type = "code"',
        ),
        (
            f'[sms.booked]\ntext = "{{when}}"\n{FIELD}max_chars = 301',
            ":7: sms.booked.fields.when.max_chars:",
            "at most 300",
        ),
        (f'[sms.x]\ntext = "{"ж" * 135}"', ":5: sms.x.text:", "at most 2 segments, got 3"),
        (
            f'[sms.booked]\ntext = "{{when}}"\n{FIELD}type = "url"',
            ":7: sms.booked.fields.when.type:",
            '"code"',
        ),
        ('[sms.x]\ntext = "At {When}."', ":5: sms.x.text:", "got {When}; its name"),
        ('[sms.x]\ntext = "At {when"', ":5: sms.x.text:", "got {when; its name"),
        (
            f'[sms.booked]\ntext = "{{when}}"\n{FIELD}max_chars = 3\nenum = ["lunch"]',
            ":8: sms.booked.fields.when.enum:",
            "at most 3 characters, got 'lunch'",
        ),
        (
            f'[sms.booked]\ntext = "{{when}}"\n{FIELD}type = "date"\nmax_chars = 5',
            ":8: sms.booked.fields.when.max_chars:",
            "at least 10, got 5",
        ),
        ("[limits]\nsms = 0", ":5: limits.sms:", "at least 1"),
    ],
)
def test_a_mistake_in_a_message_is_named(tmp_path: Path, text: str, place: str, told: str) -> None:
    with pytest.raises(PersonaError) as error:
        agents(tmp_path, text)
    assert place in str(error.value)
    assert told in str(error.value)


def test_a_message_needs_a_number_that_sends_it(tmp_path: Path) -> None:
    with pytest.raises(PersonaError, match=r"sms\.x\.from: expected a number that sends it"):
        agents(tmp_path, '[sms.x]\ntext = "Hi"', AGENT.rpartition("numbers")[0])


def test_no_other_tool_may_be_called_send_sms(tmp_path: Path) -> None:
    url = 'url = "https://example.com/"\ndescription = "Sends."\n'
    with pytest.raises(PersonaError, match="another tool has"):
        agents(tmp_path, f'[[tools]]\nname = "send_sms"\n{url}')
