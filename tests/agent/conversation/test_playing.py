"""The replies that are heard, or wait to be."""

import pytest

from agent.conversation.commands import AppendLine
from agent.conversation.listener_commands import DropRest, GoOnPlayback, HoldPlayback, StopPlayback
from agent.conversation.onset import Onset
from agent.conversation.playing import Playing
from agent.conversation.reply import Reply, State
from agent.conversation.transcript import Transcript
from tests.agent.conversation.conftest import speech


@pytest.fixture
def playing() -> Playing:
    """One reply of 1 s is heard, another waits behind it."""
    both = Playing(Transcript([], 0, 0, Onset()))
    for number in (1, 2):
        reply = Reply(number, 40)
        reply.say(f"Reply {number}.")
        reply.add(speech(1_000))
        reply.becomes(State.RECEIVED)
        both.begin(reply)
    both.heard(1, 400, 600, 500)
    return both


def test_what_was_heard_is_known_of_those_that_are_not_over(playing: Playing) -> None:
    assert playing.longest_heard_ms == 400
    assert not playing.heard(3, 100, 100, 500)


def test_all_are_held_and_the_first_says_from_where_they_go_on(playing: Playing) -> None:
    assert playing.pause(500) == [HoldPlayback()]
    assert [reply.number for reply in [playing.held] if reply] == [2]
    assert playing.go_on(900) == [GoOnPlayback(400)]
    assert not playing.held
    assert not playing.hold
    assert playing.go_on(900) == []


def test_what_begins_meanwhile_waits_and_is_not_held_itself(playing: Playing) -> None:
    playing.pause(500)
    playing.begin(later := Reply(3, 600))
    assert not later.held
    assert playing.stop(900, 2)[0] == StopPlayback(2)
    assert later in playing
    assert not playing.hold


def test_the_end_of_the_last_that_is_held_lets_the_next_one_go_on(playing: Playing) -> None:
    playing.pause(500)
    playing.begin(Reply(3, 600))
    assert [type(command) for command in playing.ended(1, 900)] == [AppendLine]
    assert [type(command) for command in playing.ended(2, 900)] == [AppendLine, GoOnPlayback]


def test_what_stops_is_a_line_and_nothing_is_stopped_twice(playing: Playing) -> None:
    stopped = playing.stop(900)
    assert [type(command) for command in stopped] == [StopPlayback, AppendLine, AppendLine]
    assert not playing
    assert playing.stop(900) == []


def second(playing: Playing) -> Reply:
    """The reply that waits."""
    return playing._replies[1]


def test_the_rest_of_what_waits_is_dropped_and_what_is_heard_is_heard_on(playing: Playing) -> None:
    waits = second(playing)
    assert playing.drop_rest(waits, 500) == [DropRest(2)]
    assert playing.ends_ms == 500 + 600
    assert len(playing.ended(1, 1_100)) == 1
    playing.ended(2, 1_100)
    assert (waits.state, waits.heard_text) == (State.CUT, "")
    assert not playing


def test_of_what_is_dropped_the_part_that_was_sent_is_heard_and_then_it_is_cut(
    playing: Playing,
) -> None:
    waits = second(playing)
    playing.heard(1, 800, 1_000, 900)
    playing.heard(2, 0, 400, 900)
    playing.drop_rest(waits, 900)
    assert playing.ends_ms == 900 + 200 + 400
    playing.ended(1, 1_100)
    playing.heard(2, 400, 400, 1_500)
    playing.ended(2, 1_500)
    assert (waits.state, waits.heard_text) == (State.CUT, "Reply")


def test_what_is_dropped_is_stopped_at_once_where_it_alone_is_heard(playing: Playing) -> None:
    waits = second(playing)
    playing.ended(1, 1_100)
    assert playing.drop_rest(waits, 1_200)[0] == StopPlayback(2)
    assert not playing
    assert playing.drop_rest(waits, 1_300) == []


def test_when_all_will_have_been_heard_follows_from_what_came_and_what_was_heard() -> None:
    playing = Playing(Transcript([], 0, 0, Onset()))
    playing.begin(reply := Reply(1, 1_000))
    for at_ms in (1_000, 1_200):
        playing.came(reply.add(speech(500)), at_ms)
    assert playing.ends_ms == 2_000
    playing.heard(1, 300, 600, 1_400)
    assert playing.ends_ms == 2_100
    playing.heard(1, 300, 600, 1_900)
    assert playing.ends_ms == 2_100
    playing.taken_back(100)
    assert playing.ends_ms == 2_000


def test_what_is_held_is_heard_later_and_what_is_cut_is_not(playing: Playing) -> None:
    assert playing.ends_ms == 500 + 600 + 1_000
    playing.pause(500)
    playing.go_on(3_000)
    assert playing.ends_ms == 3_000 + 600 + 1_000
    playing.stop(3_200, 1)
    assert playing.ends_ms == 3_200 + 1_000
    playing.stop(3_300)
    assert playing.ends_ms == 3_300
