"""What happens in a call, as the page is told."""

import asyncio
import json
from typing import Any

from agent.conversation.commands import AppendLine
from agent.conversation.events import SessionLost, SessionReady
from agent.conversation.transcript import Line
from telephony.browser_phone.live import KEPT_CALLS, KEPT_EVENTS, Happened, Live
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import Tick

CALL = "CA1"


def of(event: str) -> tuple[int, dict[str, Any]]:
    """The id and the data of a server-sent event."""
    head, data, *rest = event.split("\n")
    assert rest == ["", ""]
    return int(head.removeprefix("id: ")), json.loads(data.removeprefix("data: "))


async def test_a_page_gets_what_has_happened_and_then_what_happens() -> None:
    live = Live()
    line = Line(1, "agent", "Hello there.", "Hello", 120, 1)
    live(CALL, Tick(), 500, [AppendLine(line)])
    events = live.events(CALL, -1)
    number, told = of(await anext(events))
    assert number == 0
    assert told == {
        "kind": "line", "role": "agent", "text": "Hello there.", "heard": "Hello", "at_ms": 120,
    }  # fmt: skip
    waiting = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    live(CALL, Tick(), 900, [EndCall(EndedReason.CALLER_HANGUP, final=True, cost=12)])
    assert of(await waiting) == (1, {"kind": "over", "reason": "caller_hangup", "cost": 12})
    await events.aclose()  # type: ignore[attr-defined] # it is a generator


def test_a_call_that_is_put_through_is_not_over() -> None:
    live = Live()
    live(CALL, Tick(), 900, [EndCall(EndedReason.PUT_THROUGH, final=False)])
    assert live.of(CALL).events == []


async def test_a_page_that_comes_back_gets_only_what_it_has_not_seen() -> None:
    live = Live()
    for at_ms in (1, 2, 3):
        live(CALL, SessionReady(1), at_ms, [])
    assert of(await anext(live.events(CALL, 1)))[0] == 2


async def test_calls_are_kept_apart() -> None:
    live = Live()
    live("CA2", SessionLost(1, 1006, ""), 7, [])
    live(CALL, SessionReady(1), 8, [])
    assert of(await anext(live.events(CALL, -1)))[1]["state"] == "ready"
    assert of(await anext(live.events("CA2", -1)))[1]["state"] == "lost"


async def test_a_server_that_stops_lets_its_pages_go() -> None:
    live = Live()
    live.of(CALL)
    live.close()
    assert [event async for event in live.events(CALL, -1)] == []


async def test_only_the_newest_calls_are_kept() -> None:
    live = Live()
    oldest = live.of("CA0")
    for number in range(1, KEPT_CALLS + 1):
        live.of(f"CA{number}")
    assert oldest.over
    assert live.of("CA0") is not oldest


def test_the_events_of_a_call_are_bounded() -> None:
    happened = Happened()
    for number in range(KEPT_EVENTS + 5):
        happened.put("model", at_ms=number)
    assert len(happened.events) == KEPT_EVENTS
