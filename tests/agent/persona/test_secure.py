"""`[secure_entries.NAME]`: each names one HTTP call, which alone gets what is typed."""

from pathlib import Path

import pytest

from agent.conversation.secret_digits import SecureEntry
from agent.persona.mistakes import PersonaError
from agent.persona.reading import read

FILE = """
name = "Ada"
instructions = "Be kind."
[[tools]]
name = "charge"
description = "Charges the card."
url = "https://pay.example.com/charges"
method = "POST"
[tools.parameters.amount]
type = "integer"
[[tools]]
name = "look"
description = "Looks something up."
url = "https://pay.example.com/look"
"""
CARD = """
[secure_entries.card]
tool = "charge"
says = "Please type your card number."
min_digits = 12
max_digits = 19
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "ada.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_model_is_not_told_of_what_is_typed_and_the_tool_gets_it(tmp_path: Path) -> None:
    more = '[secure_entries.code]\ntool = "charge"\nparameter = "cvc"\nsays = "And the code."\n'
    agent = read([file(tmp_path, FILE + CARD + more)]).default
    charge = next(tool for tool in agent.persona.tools if tool.name == "charge")
    assert charge.secure == (
        SecureEntry("card", "Please type your card number.", 12, 19),
        SecureEntry("cvc", "And the code."),
    )
    assert "card" not in charge.parameters
    assert "Never ask the caller for it" in charge.description


@pytest.mark.parametrize(
    ("given", "key", "why"),
    [
        (CARD.replace("charge", "pay"), "secure_entries.card.tool", "there are: charge, look"),
        (CARD.replace('"charge"', '"look"'), "secure_entries.card.tool", 'method = "POST"'),
        (CARD + 'parameter = "amount"\n', "secure_entries.card.parameter", "from nowhere else"),
        (CARD.replace("19", "4"), "secure_entries.card.min_digits", "at most max_digits, 4"),
        (CARD.replace("19", "41"), "secure_entries.card.max_digits", "40"),
        (CARD.replace("says", "say"), "secure_entries.card.say", "says"),
        (
            CARD + CARD.replace(".card]", '.code]\nparameter = "card"'),
            "secure_entries.code.parameter",
            "another entry has",
        ),
    ],
)
def test_a_mistake_names_its_key_and_how_to_mend_it(
    tmp_path: Path, given: str, key: str, why: str
) -> None:
    with pytest.raises(PersonaError) as caught:
        read([file(tmp_path, FILE + given)])
    told = [(each.key, str(each)) for each in caught.value.mistakes if why in str(each)]
    assert key in {each for each, _ in told}
