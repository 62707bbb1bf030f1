"""The tools of offhook's own in a persona file, and whom callers may be put through to."""

from collections.abc import Iterator, Mapping

from agent.conversation.built_in_tools import (
    BUILT_IN_TOOLS,
    SEND_SMS,
    STOP_RECORDING,
    STOPS_RECORDING,
    TRANSFER,
    Target,
    puts_through,
)
from agent.conversation.declaration import Tool
from agent.conversation.sms import sends
from agent.persona.agents import Destination
from agent.persona.places import Key
from agent.persona.schema import PersonaFile
from agent.persona.sms_schema import templates_of


def built_in(given: PersonaFile) -> dict[str, Tool]:
    """The tools of our own that a file wants, by name."""
    tools: dict[str, Tool] = {name: BUILT_IN_TOOLS[name] for name in given.builtin}
    if given.recording.on:
        tools[STOP_RECORDING] = STOPS_RECORDING
    if targets := targets_of(given):
        tools[TRANSFER] = puts_through(targets, given.language)
    if given.sms:
        tools[SEND_SMS] = sends(templates_of(given.sms), given.limits.sms)
    return tools


def targets_of(given: PersonaFile) -> tuple[Target, ...]:
    """Whom the agent may put callers through to, as the model knows them."""
    return tuple(Target(name, each.says, each.warm) for name, each in given.transfers.items())


def to_agents(
    transfers: Mapping[str, Destination], numbers: Mapping[str, object]
) -> Iterator[tuple[Key, str]]:
    """Transfers that would only lead to an agent again, each with its key.

    Args:
        transfers: Whom an agent may put callers through to, by name.
        numbers: The numbers that agents answer, each with the file of its agent.
    """
    for name, target in transfers.items():
        if (other := numbers.get(target.to)) is not None:
            what = f"expected a number that no agent answers, got {target.to}, which is in {other}"
            yield ("transfers", name, "to"), f"{what}; give somebody else's number"
