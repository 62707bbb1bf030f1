"""Append-only lines, open entries, and what a resumed session lacks."""

import pytest

from agent.conversation.onset import Onset
from agent.conversation.pieces import PACES, PIECES_APART_MS
from agent.conversation.reply import MODEL_BYTES_PER_MS, Reply, State
from agent.conversation.transcript import Line, Transcript

INHERITED = (
    Line(1, "agent", "Hello.", "Hello.", 100, 1),
    Line(2, "caller", "A room, please.", "A room, please.", 2_000, 1),
)


@pytest.fixture
def onset() -> Onset:
    """A line on which nothing was heard yet."""
    return Onset()


@pytest.fixture
def transcript(onset: Onset) -> Transcript:
    """Of a new call, owned under epoch 1."""
    transcript = Transcript((), 0, 0, onset)
    transcript.owned(1)
    return transcript


def reply(transcript: Transcript, n: int, text: str, now_ms: int) -> list[Line]:
    """A reply of a second, received whole and heard to its end."""
    said = Reply(n, now_ms)
    transcript.begin(said)
    said.say(text)
    said.add(bytes(1000 * MODEL_BYTES_PER_MS))
    said.state = State.RECEIVED
    transcript.answered_up_to(now_ms)
    said.heard(1000)
    return transcript.finish(said, now_ms)


def caller(transcript: Transcript, text: str, now_ms: int) -> list[Line]:
    transcript.caller_said(text, now_ms)
    return transcript.finish_caller()


def test_pieces_become_one_line_with_the_time_the_first_came(transcript: Transcript) -> None:
    transcript.caller_said("I need", 3_000)
    transcript.caller_said(" a room", 3_500)
    text = "I need a room"
    assert transcript.finish_caller() == [Line(1, "caller", text, text, 3_000, 1)]
    assert transcript.finish_caller() == []


def test_a_line_of_the_caller_has_the_time_the_sound_began(
    transcript: Transcript, onset: Onset
) -> None:
    for now_ms in range(2_020, 2_801, 20):
        onset.sounded(now_ms, 20)
    assert caller(transcript, "A room, please.", 3_500)[0].at_ms == 2_000


def test_a_reply_keeps_what_was_generated_beside_what_was_heard(transcript: Transcript) -> None:
    said = Reply(1, 500)
    transcript.begin(said)
    for word in ("one ", "two ", "three ", "four "):
        said.say(word)
        said.add(bytes(300 * MODEL_BYTES_PER_MS))
    said.state = State.RECEIVED
    said.heard(600)
    line = Line(1, "agent", "one two three four", "one two", 500, 1)
    assert transcript.finish(said, 1_500) == [line]


def test_what_has_no_words_is_no_line(transcript: Transcript) -> None:
    assert reply(transcript, 1, "  ", 0) == []
    assert caller(transcript, " \n", 10) == []


def test_numbers_and_times_go_on_from_an_earlier_worker() -> None:
    transcript = Transcript(INHERITED, 2, 60_000, Onset())
    transcript.owned(2)
    assert reply(transcript, 1, "For when?", 700) == [
        Line(3, "agent", "For when?", "For when?", 60_700, 2)
    ]
    assert transcript.elapsed_ms(900) == 60_900


# Said again.


def test_unanswered_words_that_are_transcribed_again_are_no_second_line(
    transcript: Transcript,
) -> None:
    caller(transcript, "I need a room", 1_000)
    transcript.expect_repetition()
    assert caller(transcript, "I need a room", 2_000) == []
    assert [line.text for line in transcript.lines] == ["I need a room"]


def test_only_the_new_words_become_a_line(transcript: Transcript) -> None:
    caller(transcript, "I need a room", 1_000)
    transcript.expect_repetition()
    assert [line.text for line in caller(transcript, "I need a room for two", 2_000)] == ["for two"]


def test_words_lost_twice_are_still_recognised(transcript: Transcript) -> None:
    caller(transcript, "I need", 1_000)
    transcript.expect_repetition()
    caller(transcript, "I need a room", 2_000)
    transcript.expect_repetition()
    assert caller(transcript, "I need a room", 3_000) == []
    assert [line.text for line in transcript.lines] == ["I need", "a room"]


def test_answered_words_may_be_said_again(transcript: Transcript) -> None:
    caller(transcript, "Yes.", 1_000)
    reply(transcript, 1, "Anything else?", 2_000)
    transcript.expect_repetition()
    assert [line.text for line in caller(transcript, "Yes.", 4_000)] == ["Yes."]


def test_a_repetition_is_expected_once(transcript: Transcript) -> None:
    caller(transcript, "No.", 1_000)
    transcript.expect_repetition()
    caller(transcript, "No.", 2_000)
    assert [line.text for line in caller(transcript, "No.", 3_000)] == ["No."]


# What a session knows.


def test_a_session_from_no_handle_lacks_every_answered_line(transcript: Transcript) -> None:
    caller(transcript, "Hi.", 1_000)
    reply(transcript, 1, "Hello.", 2_000)
    assert transcript.known_lines == 0
    assert [line.text for line in transcript.unknown()] == ["Hi.", "Hello."]


def test_unanswered_words_are_sent_as_audio_and_not_as_text(transcript: Transcript) -> None:
    reply(transcript, 1, "Hello.", 1_000)
    caller(transcript, "A room", 3_000)
    assert [line.text for line in transcript.unknown()] == ["Hello."]


def test_a_handle_knows_what_its_session_answered(transcript: Transcript) -> None:
    caller(transcript, "Hi.", 1_000)
    reply(transcript, 1, "Hello.", 2_000)
    transcript.handed_out()
    assert transcript.known_lines == 2
    assert transcript.unknown() == ()
    caller(transcript, "A room.", 4_000)
    reply(transcript, 2, "For when?", 5_000)
    assert [line.text for line in transcript.unknown()] == ["A room.", "For when?"]


def test_a_handle_that_comes_before_any_answer_knows_nothing_new(transcript: Transcript) -> None:
    reply(transcript, 1, "Hello.", 1_000)
    transcript.session_opened(fresh=True)
    transcript.handed_out()
    assert transcript.known_lines == 0
    assert [line.text for line in transcript.unknown()] == ["Hello."]


def test_a_fresh_session_has_forgotten_what_the_handle_knew(transcript: Transcript) -> None:
    reply(transcript, 1, "Hello.", 1_000)
    transcript.handed_out()
    transcript.session_opened(fresh=False)
    assert transcript.unknown() == ()
    transcript.session_opened(fresh=True)
    assert [line.text for line in transcript.unknown()] == ["Hello."]


@pytest.mark.parametrize("known", [0, 1, 2])
def test_an_inherited_handle_lacks_the_lines_after_it(known: int) -> None:
    transcript = Transcript(INHERITED, known, 60_000, Onset())
    assert transcript.known_lines == known
    assert transcript.unknown() == INHERITED[known:]


def test_a_checkpoint_that_knows_more_lines_than_were_stored_is_not_believed() -> None:
    assert Transcript(INHERITED, 9, 60_000, Onset()).known_lines == 2


def test_once_it_answered_a_session_knows_the_inherited_lines_it_was_given() -> None:
    transcript = Transcript(INHERITED, 0, 60_000, Onset())
    transcript.session_opened(fresh=True)
    reply(transcript, 1, "For when?", 700)
    transcript.handed_out()
    assert transcript.known_lines == 3
    assert transcript.unknown() == ()


def test_two_utterances_before_one_answer_have_a_space_between_them(transcript: Transcript) -> None:
    transcript.caller_said("Do you have a garden?", 10)
    transcript.caller_said("Is it far?", 20)
    transcript.caller_said(" From here", 30)
    assert [line.text for line in transcript.finish_caller()] == [
        "Do you have a garden? Is it far? From here"
    ]


def cut(transcript: Transcript, n: int, began_ms: int, now_ms: int) -> list[Line]:
    """A reply is cut of which half was heard."""
    said = Reply(n, began_ms)
    transcript.begin(said)
    said.say("one ")
    said.add(bytes(300 * MODEL_BYTES_PER_MS))
    said.say("two")
    said.add(bytes(300 * MODEL_BYTES_PER_MS))
    said.state = State.RECEIVED
    said.heard(300)
    return transcript.finish(said, now_ms)


def test_an_answer_that_is_cut_waits_for_the_rest_of_its_question(transcript: Transcript) -> None:
    transcript.caller_said("Who does the coo", 3_000)
    transcript.caller_said("king in your k", 3_300)
    assert cut(transcript, 1, 3_300, 3_400) == []
    assert not transcript.wordless
    transcript.caller_said("itchen", 3_500)
    assert transcript.deadline_ms() == 3_500 + PACES * 250 + 1
    assert transcript.settle(3_500 + PACES * 250) == []
    lines = transcript.settle(3_500 + PACES * 250 + 1)
    assert [(line.role, line.heard) for line in lines] == [
        ("caller", "Who does the cooking in your kitchen"),
        ("agent", "one"),
    ]
    assert transcript.deadline_ms() is None


def test_an_answer_that_is_cut_does_not_wait_for_words_that_go_on_and_on(
    transcript: Transcript,
) -> None:
    for at_ms in range(3_000, 5_000, 200):
        transcript.caller_said("and ", at_ms)
    assert cut(transcript, 1, 4_900, 5_000) == []
    for at_ms in range(5_000, 6_100, 200):
        assert transcript.settle(at_ms) == []
        transcript.caller_said("and ", at_ms)
    assert transcript.deadline_ms() == 5_000 + PIECES_APART_MS + 1


@pytest.mark.parametrize("question", ["what time is it", "今何時ですか。", "Who does the coo"])
def test_an_answer_is_written_at_once_that_is_cut_behind_a_question_in_one_piece(
    transcript: Transcript, question: str
) -> None:
    """What is said next is what the caller talked over it, also where no full stop is between."""
    transcript.caller_said(question, 3_000)
    lines = cut(transcript, 1, 3_200, 3_300)
    assert [line.heard for line in lines] == [question, "one"]
    transcript.caller_said("no wait", 3_500)
    assert transcript.open_words[0] == "no wait"


def test_what_waits_for_a_question_is_written_when_the_conversation_ends(
    transcript: Transcript,
) -> None:
    transcript.caller_said("Who does the ", 3_000)
    transcript.caller_said("coo", 3_100)
    assert cut(transcript, 1, 3_200, 3_300) == []
    assert [line.role for line in transcript.finish_caller()] == ["caller", "agent"]


def test_words_that_talk_over_an_answer_are_no_rest_of_its_question(
    transcript: Transcript,
) -> None:
    transcript.caller_said("Who does the ", 3_000)
    transcript.caller_said("coo", 3_100)
    assert cut(transcript, 1, 3_200, 3_300) == []
    assert [line.role for line in transcript.settle()] == ["caller", "agent"]
    transcript.caller_said("Stop", 3_300)
    assert transcript.settle() == []
    assert transcript.open_words[0] == "Stop"
