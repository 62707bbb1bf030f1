"""One reply, from its first piece to the line it becomes."""

import pytest

from agent.conversation.reply import AUDIBLE_MS, MODEL_BYTES_PER_MS, Reply, State

LOUD = b"\x00\x10"


@pytest.fixture
def reply() -> Reply:
    """It has just begun."""
    return Reply(1, 40)


def audio(ms: int, sample: bytes = LOUD) -> bytes:
    return sample * (ms * MODEL_BYTES_PER_MS // 2)


def test_a_reply_begins_with_more_of_it_to_come(reply: Reply) -> None:
    assert reply.receiving
    assert not reply.over
    assert (reply.received_ms, reply.heard_ms, reply.text) == (0, 0, "")


@pytest.mark.parametrize(
    ("state", "receiving", "over"),
    [
        (State.RECEIVED, False, False),
        (State.BROKEN_OFF, False, False),
        (State.HEARD, False, True),
        (State.CUT, False, True),
    ],
)
def test_where_it_stands_says_whether_more_comes_and_whether_it_is_heard(
    reply: Reply, state: State, receiving: bool, over: bool
) -> None:
    reply.state = state
    assert (reply.receiving, reply.over) == (receiving, over)


def test_words_belong_to_the_audio_that_follows_them(reply: Reply) -> None:
    reply.say("one ")
    assert reply.add(audio(300)) == 300
    reply.say("")
    reply.say("two")
    reply.add(audio(300))
    reply.state = State.RECEIVED
    assert (reply.received_ms, reply.text) == (600, "one two")
    reply.heard(300)
    assert reply.heard_text == "one"


def test_what_was_heard_is_never_less_than_before(reply: Reply) -> None:
    reply.heard(300)
    reply.heard(200)
    assert reply.heard_ms == 300


@pytest.mark.parametrize(
    ("ms", "sample", "audible"),
    [
        (400, b"\0\0", False),
        (AUDIBLE_MS - 1, LOUD, False),
        (AUDIBLE_MS, LOUD, True),
    ],
)
def test_silence_and_a_click_cannot_be_heard(
    reply: Reply, ms: int, sample: bytes, audible: bool
) -> None:
    reply.add(audio(ms, sample))
    assert reply.audible is audible


@pytest.mark.parametrize("state", [State.RECEIVING, State.RECEIVED, State.BROKEN_OFF])
def test_a_reply_that_is_held_goes_on_as_what_it_was(reply: Reply, state: State) -> None:
    reply.state = state
    reply.hold()
    assert (reply.state, reply.stands, reply.over) == (State.HELD, state, False)
    assert reply.receiving == (state is State.RECEIVING)
    reply.go_on()
    assert reply.state is state


def test_a_reply_that_is_held_may_be_received_meanwhile(reply: Reply) -> None:
    reply.hold()
    reply.add(audio(100))
    reply.becomes(State.RECEIVED)
    assert (reply.held, reply.receiving) == (True, False)
    reply.hold()
    reply.go_on()
    assert reply.state is State.RECEIVED


@pytest.mark.parametrize("state", [State.HEARD, State.CUT])
def test_a_reply_that_is_over_is_held_no_more(reply: Reply, state: State) -> None:
    reply.hold()
    reply.becomes(state)
    assert (reply.state, reply.held, reply.over) == (state, False, True)


@pytest.mark.parametrize(
    ("stopped_ms", "from_ms"),
    [(510, 500), (520, 500), (521, 521), (450, 450), (300, 300)],
)
def test_a_reply_goes_on_where_the_speaker_was_last_silent_or_where_it_stopped(
    reply: Reply, stopped_ms: float, from_ms: float
) -> None:
    for piece in (audio(400), audio(100, b"\0\0"), audio(500)):
        reply.add(piece)
    reply.heard(stopped_ms)
    reply.hold()
    assert reply.go_on() == from_ms
    assert reply.heard_ms == stopped_ms


def test_of_words_that_came_ahead_only_those_count_whose_audio_came_before_it_was_broken_off(
    reply: Reply,
) -> None:
    reply.say("Hello, this is Ada at the Harbour Restaurant.")
    reply.add(b"\x00\x10" * 24 * 400)
    reply.heard(400)
    reply.becomes(State.BROKEN_OFF)
    assert reply.heard_text == "Hello,"
