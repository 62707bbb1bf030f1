"""A reply is held while the caller may be about to talk over it, and gone on with or cut."""

from dataclasses import replace

import pytest

from agent.conversation.barge_in import HOLD_LIMIT_MS
from agent.conversation.built_in_tools import ENDS_CALL
from agent.conversation.commands import (
    AppendLine,
    ConversationCommand,
    EndConversation,
    OpenModel,
    SendToolResult,
)
from agent.conversation.events import (
    AgentSaid,
    GenerationComplete,
    GoAway,
    Interrupted,
    ReplyAudio,
    TurnComplete,
)
from agent.conversation.listener_commands import (
    DropRest,
    FinishReply,
    GoOnPlayback,
    HoldPlayback,
    PlayerCommand,
    PlayReply,
    StopPlayback,
)
from agent.conversation.listener_events import CallerSpoke, ConversationClosed, ListenerLeft
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.speech import CallerSpeech, Utterance
from agent.conversation.tool_events import ToolCalled
from agent.conversation.turn_taking import DEFAULT_TURNS
from agent.conversation.turns import Floor
from tests.agent.conversation.conftest import Talk, lost, of, speech

WORDS = "one two three four five six seven eight nine ten"
BEGAN = CallerSpeech(Utterance.BEGAN, sure=False)
COUGHED = CallerSpeech(Utterance.ENDED, sure=False)
SPEAKS = CallerSpeech(Utterance.CONFIRMED, sure=True)
SPOKE = CallerSpeech(Utterance.ENDED, sure=True)
HOLDS = [HoldPlayback()]
PLAYER = PlayerCommand


def playing(commands: list[ConversationCommand]) -> list[ConversationCommand]:
    """What the player is asked to do, apart from playing more."""
    return [x for x in commands if isinstance(x, PLAYER) and not isinstance(x, PlayReply)]


@pytest.fixture
def held(greeted: Talk) -> Talk:
    """Reply 2 lasts 3 s and was received; its turn is open. It is held 1 s into it."""
    greeted.now_ms = 7_000
    greeted.replies(WORDS, 3_000)
    greeted.now_ms = 8_000
    greeted.hears(2, 1_000)
    assert playing(greeted.happens(BEGAN)) == HOLDS
    return greeted


def test_a_cough_stops_the_reply_and_it_goes_on(held: Talk) -> None:
    held.now_ms += 500
    assert playing(held.happens(COUGHED)) == [GoOnPlayback(1_000)]
    held.tells(TurnComplete)
    held.hears_all(2, 3_000)
    assert held.lines[-1] == ("agent", WORDS, WORDS)


def test_the_agent_keeps_the_floor_while_it_holds(held: Talk) -> None:
    assert held.floor is Floor.AGENT


def test_an_interruption_cuts_what_is_held_where_it_stopped(held: Talk) -> None:
    assert playing(held.tells(Interrupted)) == [StopPlayback(2)]
    assert held.lines[-1] == ("agent", WORDS, "one two three four")
    assert playing(held.happens(COUGHED)) == []


def test_speech_waits_for_the_servers_word_while_its_turn_is_open(held: Talk) -> None:
    assert playing(held.happens(SPEAKS)) == []
    assert playing(held.happens(SPOKE)) == []
    assert playing(held.wait(DEFAULT_TURNS.told_ms - 1)) == []
    assert playing(held.wait(1)) == [GoOnPlayback(1_000)]


def test_speech_cuts_once_the_turn_is_closed(held: Talk) -> None:
    held.happens(SPEAKS)
    assert playing(held.tells(TurnComplete)) == [StopPlayback(2)]
    assert held.lines[-1] == ("agent", WORDS, "one two three four")


def test_speech_cuts_at_once_where_the_turn_was_closed(held: Talk) -> None:
    held.tells(TurnComplete)
    assert playing(held.happens(SPEAKS)) == [StopPlayback(2)]


def test_a_cough_after_speech_that_was_not_told_yet_does_not_let_it_go_on(held: Talk) -> None:
    for heard in (SPEAKS, SPOKE, BEGAN, COUGHED):
        assert playing(held.happens(heard)) == []
    assert playing(held.tells(Interrupted)) == [StopPlayback(2)]


def test_a_radio_holds_a_reply_no_longer_than_the_limit(held: Talk) -> None:
    assert playing(held.wait(HOLD_LIMIT_MS - 1)) == []
    assert playing(held.wait(1)) == [GoOnPlayback(1_000)]


def test_more_of_a_reply_may_come_while_it_is_held(greeted: Talk) -> None:
    greeted.tells(lambda session: AgentSaid(session, WORDS))
    greeted.tells(lambda session: ReplyAudio(session, speech(1_000)))
    assert playing(greeted.happens(BEGAN)) == HOLDS
    more = greeted.tells(
        lambda session: ReplyAudio(session, speech(1_000)), GenerationComplete, TurnComplete
    )
    assert [type(x) for x in more if isinstance(x, PLAYER)] == [PlayReply, FinishReply]
    assert playing(greeted.happens(COUGHED)) == [GoOnPlayback(0)]
    greeted.hears_all(2, 2_000)
    assert greeted.lines[-1] == ("agent", WORDS, WORDS)


def test_a_second_reply_waits_behind_what_is_held(held: Talk) -> None:
    held.tells(TurnComplete)
    assert playing(held.replies("Anything else?")) == [FinishReply(3)]
    assert playing(held.happens(COUGHED)) == [GoOnPlayback(1_000)]
    held.hears_all(2, 3_000)
    held.hears_all(3)
    assert held.lines[-2:] == [("agent", WORDS, WORDS), ("agent", *["Anything else?"] * 2)]


def test_silence_behind_what_is_held_leaves_it_held(held: Talk) -> None:
    held.tells(TurnComplete)
    silent = held.tells(lambda session: ReplyAudio(session, bytes(48 * 600)), GenerationComplete)
    assert playing(silent) == [FinishReply(3), DropRest(3)]
    assert playing(held.happens(COUGHED)) == [GoOnPlayback(1_000)]
    held.hears_all(2, 3_000)
    assert held.lines[-1] == ("agent", WORDS, WORDS)


def test_the_answer_to_what_the_reply_was_held_for_is_not_cut_with_it(held: Talk) -> None:
    held.tells(TurnComplete)
    held.replies("Yes, of course.")
    assert playing(held.happens(SPEAKS)) == [StopPlayback(2)]
    held.hears_all(3)
    assert held.lines[-1] == ("agent", *["Yes, of course."] * 2)


def test_what_is_held_outlives_its_session(held: Talk) -> None:
    assert playing(held.tells(lost)) == []
    assert of(OpenModel, held.commands)
    assert playing(held.happens(COUGHED)) == [GoOnPlayback(1_000)]


def test_the_session_that_was_to_tell_is_lost_and_so_the_ear_decides(held: Talk) -> None:
    held.happens(SPEAKS)
    assert playing(held.tells(lost)) == [StopPlayback(2)]


def test_a_reply_that_loses_its_session_while_it_is_held_ends_between_two_words(
    greeted: Talk,
) -> None:
    greeted.tells(lambda session: AgentSaid(session, WORDS))
    greeted.tells(lambda session: ReplyAudio(session, speech(2_000)))
    greeted.hears(2, 500)
    greeted.happens(BEGAN)
    assert [type(x) for x in playing(greeted.tells(lost))] == [FinishReply]
    assert playing(greeted.happens(COUGHED)) == [GoOnPlayback(500)]


def test_a_session_is_not_renewed_while_a_reply_is_held(held: Talk) -> None:
    held.tells(TurnComplete)
    held.hands_out("h1")
    dialled = len(of(OpenModel, held.commands))
    held.tells(lambda session: GoAway(session, 30_000))
    assert len(of(OpenModel, held.commands)) == dialled
    held.happens(COUGHED)
    held.hands_out("h2")
    assert len(of(OpenModel, held.commands)) == dialled + 1


def test_a_model_whose_reply_is_held_is_not_taken_for_silent(held: Talk) -> None:
    held.happens(CallerSpoke(300))
    held.wait(HOLD_LIMIT_MS - 1)
    assert held.cues == [DEFAULT_PERSONA.greeting_cue]
    assert len(of(OpenModel, held.commands)) == 1


def test_a_listener_who_comes_back_hears_the_rest_of_what_was_held(held: Talk) -> None:
    assert playing(held.happens(ListenerLeft())) == [GoOnPlayback(1_000)]
    assert playing(held.answer(2)) == []


def test_a_conversation_that_ends_cuts_what_is_held(held: Talk) -> None:
    assert playing(held.happens(ConversationClosed())) == [StopPlayback(2)]
    assert of(AppendLine, held.commands)[-1].line.heard == "one two three four"


def test_a_reply_that_had_been_heard_when_it_was_held_is_over(held: Talk) -> None:
    assert playing(held.hears_all(2, 3_000)) == [GoOnPlayback(None)]
    assert held.lines[-1] == ("agent", WORDS, WORDS)
    assert playing(held.happens(COUGHED)) == []


def test_nothing_is_held_where_nothing_is_heard(greeted: Talk) -> None:
    assert playing(greeted.happens(BEGAN)) == []
    assert playing(greeted.happens(SPEAKS)) == []


def test_a_caller_who_talks_over_the_goodbye_is_not_hung_up_on() -> None:
    talk = Talk(None, (), 1, persona=replace(DEFAULT_PERSONA, tools=(ENDS_CALL,)))
    talk.greets()
    talk.replies("Goodbye.")
    talk.tells(lambda session: ToolCalled(session, "t1", ENDS_CALL.name, "{}"), TurnComplete)
    talk.hears(2, 300)
    talk.happens(BEGAN)
    said = talk.happens(SPEAKS)
    assert [type(x) for x in playing(said)] == [StopPlayback]
    assert [x.id for x in of(SendToolResult, talk.commands)] == ["t1"]
    talk.wait(7_000)
    assert of(EndConversation, talk.commands) == []


def test_a_goodbye_that_was_held_ends_the_conversation_when_it_was_heard() -> None:
    talk = Talk(None, (), 1, persona=replace(DEFAULT_PERSONA, tools=(ENDS_CALL,)))
    talk.greets()
    talk.replies("Goodbye.")
    talk.tells(lambda session: ToolCalled(session, "t1", ENDS_CALL.name, "{}"), TurnComplete)
    talk.happens(BEGAN)
    assert of(EndConversation, talk.commands) == []
    talk.happens(COUGHED)
    talk.hears_all(2)
    assert len(of(EndConversation, talk.commands)) == 1
