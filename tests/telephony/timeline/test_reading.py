"""A timeline says what a recording says: turns, words, sound, and a raw event behind each span."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from agent.conversation.meter import Tariff
from telephony.audio import g711
from telephony.call.commands import MeasureCommand
from telephony.call.events import CallOpened, Event
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.sides import sides_of
from telephony.timeline.lived import Events
from telephony.timeline.model import Span, Turn
from telephony.timeline.reading import PEAKS_MS, read_call
from tests.telephony.timeline.timelines import (
    ALL,
    CALLS,
    figures,
    read_calls,
    rows_of,
    said,
    timeline,
)


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_drawn_without_a_raw_event_behind_it(name: str) -> None:
    call = timeline(name)
    numbers = range(len(call.raw))
    everything: list[Span | Turn] = [*call.spans, *call.turns]
    for drawn in everything:
        assert drawn.raw
        assert all(n in numbers for n in drawn.raw)
        assert 0 <= drawn.from_ms <= drawn.until_ms
    for figure in call.figures:
        assert call.spans[figure.span].kind == figure.kind


@pytest.mark.parametrize("name", ALL[::4])
def test_the_rows_are_all_events_and_all_recorded_commands(name: str) -> None:
    recording = read(CALLS / f"{name}.call")
    steps = play(recording.events).steps
    things = [thing for step in steps for thing in (step.event, *step.commands)]
    kinds = Counter(type(x).__name__ for x in things if not isinstance(x, MeasureCommand))
    found: Counter[str] = Counter()
    for row in timeline(name).raw:
        found[row.name] += row.count
    assert found == kinds


@pytest.mark.parametrize("name", ALL)
def test_the_words_of_a_turn_are_heard_as_far_as_its_line_says(name: str) -> None:
    call = timeline(name)
    for turn in call.turns:
        if turn.role == "agent":
            heard = [span.text for span in said(call, turn.n, "word")]
            unheard = [span.text for span in said(call, turn.n, "unheard")]
            assert heard == turn.heard.split()
            assert heard + unheard == turn.text.split()


@pytest.mark.parametrize("name", ["barge-in-twice", "cough", "tool-slow", "monologue"])
def test_a_word_that_was_heard_stands_where_the_agent_is_heard(name: str) -> None:
    call = timeline(name)
    for turn in (turn for turn in call.turns if turn.role == "agent"):
        runs = [s for s in call.spans if s.kind == "reply" and s.turn == turn.n]
        for word in said(call, turn.n, "word"):
            assert any(run.from_ms - 20 <= word.from_ms <= run.until_ms + 20 for run in runs)
        for word in said(call, turn.n, "unheard"):
            assert word.until_ms > max(run.until_ms for run in runs)
        words = said(call, turn.n, "word") + said(call, turn.n, "unheard")
        assert all(a.from_ms <= b.from_ms for a, b in pairwise(words))


def test_a_callers_words_stand_where_the_caller_spoke() -> None:
    call = timeline("question")
    (turn,) = (turn for turn in call.turns if turn.role == "caller")
    speech = [span for span in call.spans if span.kind == "speech"]
    words = said(call, turn.n, "word")
    assert " ".join(word.text for word in words) == "Is it far from the station?"
    assert (words[0].from_ms, words[-1].until_ms) == (speech[0].from_ms, speech[-1].until_ms)


def test_a_cough_after_a_line_is_not_of_that_line() -> None:
    call = timeline("cough")
    (turn,) = (turn for turn in call.turns if turn.role == "caller")
    coughs = [span for span in call.spans if span.kind == "speech" and not span.turn]
    assert turn.until_ms - turn.from_ms < 2_000
    assert len(coughs) == 3


def test_a_reply_that_is_held_is_heard_in_two_runs_with_its_words_between() -> None:
    call = timeline("cough")
    (hold, _) = (span for _, span in figures(call, "hold"))
    runs = [s for s in call.spans if s.kind == "reply" and s.turn == 1]
    assert len(runs) == 2
    assert runs[0].until_ms < hold.until_ms < runs[1].from_ms
    before = [word for word in said(call, 1, "word") if word.from_ms < hold.from_ms]
    assert 0 < len(before) < len(said(call, 1, "word"))


@pytest.mark.parametrize("names", [("cough",), ("worker-killed", "worker-killed.2")])
def test_the_sound_is_that_of_the_mixdown_and_the_bars_are_its_peaks(
    names: tuple[str, ...],
) -> None:
    call, sound = read_calls(*names)
    sides = sides_of([read(CALLS / f"{name}.call") for name in names])
    for ulaw, side, bars in (
        (sound.caller, sides.caller, call.peaks.caller),
        (sound.agent, sides.agent, call.peaks.agent),
    ):
        assert g711.decode(ulaw) == side.astype("<i2").tobytes()
        assert len(bars) == -(-call.about.duration_ms // PEAKS_MS)
        whole = len(side) // 80
        loudest = np.abs(side[: whole * 80].astype(int)).reshape(whole, 80).max(axis=1)
        assert np.abs(np.frombuffer(bars, np.uint8)[:whole].astype(int) * 128 - loudest).max() < 128


def test_the_recordings_of_two_workers_are_one_call_in_any_order() -> None:
    call = timeline("worker-killed", "worker-killed.2")
    assert call == timeline("worker-killed.2", "worker-killed")
    assert [turn.n for turn in call.turns] == [1, 2, 3]
    assert call.about.workers == 2
    assert {row.worker for row in call.raw} == {0, 1}


def test_the_second_workers_part_alone_has_its_words_in_its_own_time() -> None:
    both = timeline("worker-killed", "worker-killed.2")
    alone = timeline("worker-killed.2")
    answer, later = both.turns[-1], alone.turns[-1]
    opened_ms = min(row.from_ms for row in both.raw if row.worker == 1)
    assert (later.text, later.from_ms) == (answer.text, answer.from_ms - opened_ms)


def test_the_same_events_give_the_same_json() -> None:
    events = read(CALLS / "cough.call").events
    first, _ = read_call([events], name="x")
    again, _ = read_call([events], name="x")
    assert first.to_json() == again.to_json()


def test_no_handle_persona_or_sound_stands_in_the_rows() -> None:
    call = timeline("go-away")
    rows = {row.name: row.text for row in call.raw}
    assert '"persona":"(Ada)"' in rows["CallOpened"]
    handles = [row.text for row in call.raw if '"handle"' in row.text]
    assert handles
    assert all('"handle":""' in text or "(a handle)" in text for text in handles)
    assert "bytes)" in rows["SendMedia"]


def test_cost_is_a_figure_where_prices_are_known() -> None:
    tariff = Tariff(1_000, 2_000, 3_000, 4_000, minute=5_000)
    call, _ = read_call([priced(read(CALLS / "question.call").events, tariff)], name="x")
    costs = [figure.value for figure, _ in figures(call, "cost")]
    assert costs
    assert call.about.usd == pytest.approx(sum(costs))
    for _, span in figures(call, "cost"):
        assert {row.name for row in rows_of(call, span)} <= {"SaveCheckpoint", "EndCall"}


def priced(events: Events, tariff: Tariff) -> Events:
    def with_prices(event: Event) -> Event:
        return replace(event, tariff=tariff) if isinstance(event, CallOpened) else event

    return [(with_prices(event), now_ms) for event, now_ms in events]


def test_events_that_do_not_open_a_call_are_refused() -> None:
    events = read(CALLS / "question.call").events
    with pytest.raises(ValueError, match="expected CallOpened first, got"):
        read_call([events[1:]], name="x")
