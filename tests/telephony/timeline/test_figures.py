"""The ten kinds of figures: the span of each is that of its raw events, to 20 ms.

The two ends are worked out here again from nothing but the raw rows: their times, and how much
audio a message has.
"""

import json
import re
from collections.abc import Callable

import pytest

from telephony.call.figures import Figures
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.timeline import timeline as table
from telephony.timeline.model import CallTimeline, Kind, Raw, Span
from tests.telephony.timeline.timelines import CALLS, figures, rows_of, timeline

CLOSE_MS = 20

SHOWN: list[tuple[Kind, str, set[str], set[str]]] = [
    ("response", "question", {"Media"}, {"SendMedia"}),
    ("talk_over", "barge-in-twice", {"Media"}, {"SendClear"}),
    ("silence", "silent-caller", {"StreamStarted", "Mark", "Media"}, {"SendMedia", "Stop"}),
    ("hold", "cough", {"SendClear"}, {"SendMedia"}),
    ("barge_in", "barge-in-after-turn", {"Media"}, {"SendClear"}),
    ("dial", "question", {"OpenModel"}, {"SessionReady"}),
    ("tool", "tool-slow", {"RunTool"}, {"ToolFinished"}),
    ("resume", "stream-back", {"StreamEnded"}, {"StreamStarted"}),
    ("resume", "model-lost", {"SessionLost"}, {"SessionReady"}),
    ("store_away", "store-away", {"StoreAway"}, {"StoreBack"}),
]
"""Each kind of figure, a call that has it, and which raw events are its first and its last."""


@pytest.mark.parametrize(("kind", "name", "first", "last"), SHOWN)
def test_a_figure_lasts_from_its_first_raw_event_to_its_last(
    kind: Kind, name: str, first: set[str], last: set[str]
) -> None:
    call = timeline(name)
    found = list(figures(call, kind))
    assert found
    for figure, span in found:
        begins, *_, ends = rows_of(call, span)
        assert begins.name in first
        assert ends.name in last
        assert begins.count == ends.count == 1
        assert abs(span.from_ms - begins.from_ms) <= CLOSE_MS
        assert abs(span.until_ms - ends.from_ms) <= CLOSE_MS
        assert figure.value == span.until_ms - span.from_ms


@pytest.mark.parametrize("name", ["question", "cough", "far-away", "slow-reply"])
def test_an_answer_is_heard_before_its_first_mark_by_as_much_as_it_has_audio(name: str) -> None:
    call = timeline(name)
    found = list(figures(call, "heard"))
    assert found
    for figure, span in found:
        spoke, sent, mark = rows_of(call, span)
        assert [row.name for row in (spoke, sent, mark)] == ["Media", "SendMedia", "Mark"]
        assert abs(span.from_ms - spoke.from_ms) <= CLOSE_MS
        assert abs(span.until_ms - (mark.from_ms - sent_ms(call, sent, mark))) <= CLOSE_MS
        assert figure.value == span.until_ms - span.from_ms


def sent_ms(call: CallTimeline, first: Raw, mark: Raw) -> float:
    """How much audio was sent from a message on up to a mark."""
    (asked,) = (
        row
        for row in call.raw
        if row.name == "SendMark" and field(row, "name") == field(mark, "name")
    )
    media = [
        row
        for row in call.raw
        if row.name == "SendMedia" and first.n <= row.n < asked.n and row.step <= asked.step
    ]
    return sum(ulaw_bytes(row) for row in media) / 8


def field(row: Raw, name: str) -> str:
    found = re.search(rf'"{name}":"([^"]*)"', row.text)
    assert found
    return found[1]


def ulaw_bytes(row: Raw) -> int:
    found = re.search(r"\((\d+) bytes\)", row.text)
    assert found
    return int(found[1])


def test_a_gap_begins_when_all_that_was_sent_is_played() -> None:
    call = timeline("slow-reply")
    found = list(figures(call, "gap"))
    assert len(found) > 5
    for figure, span in found:
        before, after = rows_of(call, span)
        assert {before.name, after.name} <= {"Mark", "SendMedia"}
        assert abs(span.from_ms - played_ms(call, after)) <= CLOSE_MS
        assert abs(span.until_ms - after.from_ms) <= CLOSE_MS
        assert figure.value == span.until_ms - span.from_ms


def played_ms(call: CallTimeline, before: Raw) -> float:
    """When all was played that had been sent before a message, as far as marks had told by then."""
    ends, sent = 0.0, 0
    marked: dict[str, int] = {}
    for row in call.raw[: before.n]:
        if row.name == "SendMedia":
            ends = max(ends, row.from_ms) + ulaw_bytes(row) / 8
            sent += ulaw_bytes(row)
        elif row.name in {"SendMark", "Mark"}:
            name = json.loads(row.text)["name"]
            if row.name == "SendMark":
                marked[name] = sent
            elif name in marked:
                ends = row.from_ms + (sent - marked[name]) / 8
    return ends


@pytest.mark.parametrize("name", ["question", "tool-slow", "barge-in-twice"])
def test_the_stages_of_an_answer_follow_each_other_and_add_up(name: str) -> None:
    call = timeline(name)
    for _, whole in figures(call, "heard"):
        model, sending, playing = (stage(call, kind, whole) for kind in STAGES)
        assert model.from_ms == whole.from_ms
        assert (model.until_ms, sending.until_ms) == (sending.from_ms, playing.from_ms)
        assert playing.until_ms == whole.until_ms
        assert {row.name for row in rows_of(call, model)} == {"Media", "ReplyAudio"}
        assert {row.name for row in rows_of(call, sending)} == {"ReplyAudio", "SendMedia"}
        assert {row.name for row in rows_of(call, playing)} == {"SendMedia", "Mark"}


STAGES: tuple[Kind, ...] = ("model", "sending", "playing")


def stage(call: CallTimeline, kind: Kind, whole: Span) -> Span:
    (found,) = (span for span in call.spans if span.kind == kind and span.text == whole.text)
    return found


@pytest.mark.parametrize(
    ("kind", "sums"),
    [
        ("response", lambda about: about.response_ms),
        ("heard", lambda about: about.ear_to_ear_ms),
        ("silence", lambda about: about.silence_ms),
        ("gap", lambda about: about.gap_ms),
    ],
)
@pytest.mark.parametrize("name", ["slow-reply", "silent-caller", "tool-slow", "lost-mark"])
def test_the_figures_are_those_that_the_log_has(
    name: str, kind: Kind, sums: Callable[[Figures], list[int]]
) -> None:
    measured = table(play(read(CALLS / f"{name}.call").events).steps).measured
    values = [figure.value for figure, _ in figures(timeline(name), kind)]
    assert sorted(values) == sorted(sums(measured))


def test_lead_rises_with_what_is_sent_and_is_gone_after_a_clear() -> None:
    call = timeline("barge-in-twice")
    (clear,) = (span for span in call.spans if span.kind == "clear")
    lead = [span for span in call.spans if span.kind == "lead"]
    assert max(span.level for span in lead) == pytest.approx(800, abs=60)
    assert not [s for s in lead if clear.from_ms < s.from_ms < clear.from_ms + 500]


def test_a_mark_lasts_from_when_it_was_asked_for_to_when_it_came_back() -> None:
    call = timeline("question")
    marks = [span for span in call.spans if span.kind == "mark"]
    assert len(marks) > 5
    for span in marks:
        asked, back = rows_of(call, span)
        assert (asked.name, back.name) == ("SendMark", "Mark")
        assert field(asked, "name") == field(back, "name")
        assert (span.from_ms, span.until_ms) == (asked.from_ms, back.from_ms)
