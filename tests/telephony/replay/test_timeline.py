"""A recorded call as a table: what it had cost, and when."""

import pytest

from agent.conversation.checkpoint import NOTHING_KNOWN
from agent.conversation.commands import SaveCheckpoint
from agent.conversation.events import UsageReported
from agent.conversation.listener_events import BudgetSpent
from agent.conversation.meter import NANO
from telephony.call.commands import (
    Command,
    EndCall,
    MeasureReply,
    MeasureSpeech,
    SendClear,
    SendMark,
    SendMedia,
)
from telephony.call.ending import EndedReason
from telephony.call.events import Event, StoreBack, StreamStarted, Tick
from telephony.replay.recording import Step
from telephony.replay.report import page
from telephony.replay.timeline import timeline
from telephony.replay.verdict import Verdict
from telephony.twilio.messages import Mark

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


def test_it_tells_how_soon_an_answer_was_heard_and_what_became_of_a_hold() -> None:
    def media(ms: int) -> SendMedia:
        return SendMedia("MZ", 1, b"\xff" * 8 * ms)

    told = timeline(
        [
            Step(StreamStarted("MZ", 1), 0, []),
            Step(Tick(), 3_000, [MeasureSpeech(2_000, 2_700, 700)]),
            Step(Tick(), 3_600, [MeasureReply(1), media(260), SendMark("MZ", "a"), media(200)]),
            Step(Mark("MZ", "a"), 3_950, []),
            Step(Tick(), 4_000, [SendClear("MZ")]),
            Step(Tick(), 4_400, [media(60)]),
            Step(Tick(), 4_800, [media(200), MeasureSpeech(3_900, 4_700, 100)]),
        ]
    )
    assert [(row.t, row.caller, row.agent, row.wire) for row in told.rows] == [
        (0, "[on the line]", "", "stream, epoch 1"),
        (3_000, "", "", "nobody spoke for 2000 ms"),
        (3_600, "", "[reply 1, 900 ms after the caller]", ""),
        (3_950, "", "[heard 990 ms after the caller]", "model, sending, playing: 900 + 0 + 90 ms"),
        (4_000, "~barge-in~", "", "clear, 60 ms unplayed"),
        (4_400, "", "[goes on]", "held for 400 ms"),
        (4_800, "", "", "gap of 340 ms: the worker was late"),
        (4_800, "[over the agent for 100 ms]", "", ""),
        (4_800, "[over the agent for 60 ms]", "", ""),
    ]
    assert page(Verdict("x", timeline=told))[-1] == (
        "response p50 900 p95 900 max 900 ms of 1 | heard p50 990 p95 990 max 990 ms of 1 | "
        "barge-ins 0, held in vain 1, clear max 0 ms, talked over 160 ms | silences 1, 2000 ms | "
        "gaps 1, 340 ms | lines 0/0 stored"
    )
