"""A world is read from its file, and what is wrong with a file is said."""

from pathlib import Path

import pytest

from agent.conversation.events import TurnComplete
from agent.conversation.persona import DEFAULT_PERSONA, Persona
from agent.persona.menu import after_menu_cue
from agent.simulator.behaviour import EXACT
from agent.simulator.faults import GoAway
from telephony.call.events import CallOpened
from telephony.simulator.world_faults import DropNext, LoseStream
from telephony.simulator.world_file import WorldFileError, load, parse
from telephony.simulator.world_spec import TimedFault, WorldSpec
from tests.worlds.sdk import WireSdk

CALLER = "[caller]\n[[caller.steps]]\nhang_up = true\n"


def test_a_world_has_what_its_file_says() -> None:
    spec = parse(
        f"""seed = 7
        {CALLER}
        [model]
        greeting = "sorry"
        [behaviour]
        like = "exact"
        setup_ms = [10, 20]
        [line]
        stop = false
        [network]
        store_ms = [2, 3]
        [[faults]]
        at_ms = 10
        kind = "go-away"
        time_left_ms = 5
        [[faults]]
        at_ms = 20
        kind = "lose-stream"
        elsewhere = true
        [[faults]]
        at_ms = 30
        kind = "drop-next"
        event = "TurnComplete"
        """
    )
    assert spec.seed == 7
    assert spec.model.greeting == "sorry"
    assert (spec.behaviour.setup_ms, spec.behaviour.think_ms) == ((10, 20), EXACT.think_ms)
    assert not spec.line.stop
    assert spec.network.store_ms == (2, 3)
    assert spec.faults == (
        TimedFault(10, GoAway(5)),
        TimedFault(20, LoseStream(elsewhere=True)),
        TimedFault(30, DropNext(TurnComplete)),
    )


def opened(spec: WorldSpec) -> Persona:
    world = spec.world(WireSdk())
    world.run()
    [event] = [step.event for step in world.steps if isinstance(step.event, CallOpened)]
    return event.persona


def test_the_agent_of_a_world_knows_whom_its_caller_has_tried_by_a_key() -> None:
    persona = opened(parse(f'{CALLER}[tried]\nto = "sales"'))
    assert persona.greeting_cue == after_menu_cue(DEFAULT_PERSONA.greeting_cue, "sales", "busy")
    plain = opened(parse(CALLER))
    assert plain.greeting_cue == DEFAULT_PERSONA.greeting_cue


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed =", "expected TOML"),
        ("", r"expected \[caller\]"),
        ("caller = 1", "expected a table, got 1"),
        ("[caller]", r"expected \[\[steps\]\], got None"),
        (CALLER + "[colour]", "got 'colour'"),
        (CALLER + "[model]\ngreeting = 'x'", "greeting: expected a clip of the agent"),
        (CALLER + "[line]\nstop = 1", "line: Expected `bool`, got `int`"),
        (CALLER + "[line]\nstopp = true", "line: expected one of .*, got 'stopp'"),
        (CALLER + "[network]\nstore_ms = 3", "network: Expected `array`, got `int`"),
        (CALLER + "[behaviour]\nlike = 'good'", "measured, exact, brisk, got 'good'"),
        (CALLER + "[[faults]]\nkind = 'fire'", "kind: expected one of close, .*, got 'fire'"),
        (CALLER + "[[faults]]\nkind = 'reset'", "at_ms: Expected `int`, got `null`"),
        (CALLER + "[[faults]]\nkind = 'reset'\nat_ms = -1", "expected 0 or more, got -1"),
        (CALLER + "[[faults]]\nkind = 'reset'\nat_ms = 1\ncode = 2", "got 'code'"),
        (CALLER + "[[faults]]\nkind = 'drop-next'\nat_ms = 1\nevent = 'X'", "got 'X'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, message: str) -> None:
    with pytest.raises(WorldFileError, match=message):
        parse(text)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WorldFileError, match="expected a world's TOML file"):
        load(tmp_path / "world.toml")
