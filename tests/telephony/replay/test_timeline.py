"""A recorded call as a table: what it had cost, and when."""

import pytest

from agent.conversation.checkpoint import NOTHING_KNOWN
from agent.conversation.commands import SaveCheckpoint
from agent.conversation.events import UsageReported
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.meter import NANO
from telephony.call.commands import Command, EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import Event, StoreBack
from telephony.replay.recording import Step
from telephony.replay.timeline import timeline

USAGE = UsageReported(1, 600, 60, 40, 660)


def told(*steps: tuple[Event, Command]) -> list[str]:
    rows = timeline(Step(event, 0, [command]) for event, command in steps).rows
    return [row.wire for row in rows]


def saved(usd: float | None) -> SaveCheckpoint:
    return SaveCheckpoint(NOTHING_KNOWN, None if usd is None else round(usd * NANO))


def test_it_tells_what_the_call_had_cost_after_each_turn() -> None:
    ended = EndCall(EndedReason.LIMIT, final=True, cost=round(0.0215 * NANO), tokens=700)
    assert told(
        (USAGE, saved(0.0105)),
        (StoreBack(), saved(0.0105)),
        (USAGE, saved(0.013)),
        (BudgetSpent("day"), ended),
    ) == [
        "$0.0105 so far",
        "store back",
        "$0.0130 so far",
        "the day's money is spent",
        "over: limit, $0.0215",
    ]


@pytest.mark.parametrize(("tokens", "end"), [(700, ", price unknown"), (0, "")])
def test_a_price_that_is_not_known_is_said_if_something_was_billed(tokens: int, end: str) -> None:
    ended = EndCall(EndedReason.SILENCE, final=True, tokens=tokens)
    assert told((USAGE, saved(None)), (USAGE, ended)) == [f"over: silence{end}"]
