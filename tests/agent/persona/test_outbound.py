"""`[outbound]`: what an agent may place, and each mistake in it."""

from pathlib import Path

import pytest

from agent.persona.mistakes import PersonaError
from agent.persona.outbound import CALLS, GREETS, Outbound
from agent.persona.reading import read

HEAD = 'name = "Ada"\ninstructions = "x"\n'
LEAST = '[outbound]\nfrom = "+14155550199"\nregions = ["US", "DE"]\n'


def outbound(folder: Path, table: str) -> Outbound | None:
    file = folder / "ada.toml"
    file.write_text(HEAD + table)
    return read([file]).default.outbound


def test_an_agent_places_no_calls_unless_its_file_says_so(tmp_path: Path) -> None:
    assert outbound(tmp_path, "") is None


def test_two_keys_are_enough_and_the_others_are_careful(tmp_path: Path) -> None:
    assert outbound(tmp_path, LEAST) == Outbound("+14155550199", frozenset({"US", "DE"}))


def test_a_wrong_country_is_not_also_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(PersonaError) as caught:
        outbound(tmp_path, LEAST.replace('"US", "DE"', '"us"'))
    assert len(caught.value.mistakes) == 1


def test_every_key_is_read(tmp_path: Path) -> None:
    read_one = outbound(
        tmp_path,
        LEAST + 'hours = "09:00-12:00, 13:00-20:00"\nper_number_day = 3\nring_s = 40\n'
        'do_not_call = "never.txt"\ngreeting = "Hello."\non_machine = "voicemail"\n'
        'voicemail = "Call back."\n',
    )
    assert read_one is not None
    assert read_one.hours == ((540, 720), (780, 1200))
    assert (read_one.per_number_day, read_one.ring_s) == (3, 40)
    assert read_one.do_not_call == tmp_path / "never.txt"
    assert read_one.greeting_cue.endswith("nothing else: Hello.]")
    assert (read_one.on_machine, read_one.voicemail) == ("voicemail", "Call back.")


def test_an_agent_that_calls_greets_as_one_who_calls_and_answers_who_screens_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ada.toml"
    file.write_text(HEAD + LEAST)
    agent = read([file]).default
    assert agent.calling.persona.greeting_cue == GREETS
    assert agent.calling.persona.instructions == f"x{CALLS}"
    assert agent.calling.persona.name == agent.persona.name
    file.write_text(HEAD)
    agent = read([file]).default
    assert agent.calling is agent


@pytest.mark.parametrize(
    ("table", "mistake"),
    [
        ("[outbound]\n", ":3: outbound.from: expected this key"),
        ('[outbound]\nfrom = "0415"\nregions = ["US"]\n', ":4: outbound.from: expected one of"),
        (LEAST.replace('"DE"', '"UK"'), "got 'UK'; did you mean \"GB\"?"),
        (LEAST.replace('"US", "DE"', ""), ":5: outbound.regions: expected at least one country"),
        (LEAST + 'hours = ""\n', "leave out the whole table"),
        (LEAST + 'hours = "9-5"\n', ":6: outbound.hours: expected hours such as"),
        (LEAST + "per_number_day = 0\n", "expected at least 1, got 0"),
        (LEAST + 'do_not_call = " "\n', "leave the key out"),
        (LEAST + 'on_machine = "voicemail"\n', "got only on_machine"),
        (LEAST + 'voicemail = "Hello."\n', "got only voicemail"),
        (LEAST + 'form = "x"\n', "did you mean from?"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_fix(
    tmp_path: Path, table: str, mistake: str
) -> None:
    with pytest.raises(PersonaError) as caught:
        outbound(tmp_path, table)
    assert mistake in str(caught.value)
