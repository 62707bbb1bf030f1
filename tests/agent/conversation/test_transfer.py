"""The agent puts a caller through: stored first, heard first, once, and to nobody it made up."""

import json
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest

from agent.conversation.built_in_tools import ENDS_CALL, Target, puts_through
from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import (
    ConversationCommand,
    EndConversation,
    OpenModel,
    RunTool,
    SaveCheckpoint,
    SayToModel,
    SendToolResult,
)
from agent.conversation.declaration import Tool
from agent.conversation.events import GenerationComplete, Interrupted, ReplyAudio, TurnComplete
from agent.conversation.listener_events import (
    CallerSpoke,
    ConversationClosed,
    ListenerLeft,
    TimePassed,
)
from agent.conversation.next_step import NextStep, Stage
from agent.conversation.overdue import STORED_WITHIN_MS
from agent.conversation.persona import DEFAULT_PERSONA, words_of
from agent.conversation.tool_events import ActsStored, ToolCalled, ToolCallsCancelled, ToolFinished
from agent.conversation.transfer import WORDS_WITHIN_MS
from tests.agent.conversation.conftest import Talk, of, speech

TARGETS = (Target("sales", "I put you through to sales."), Target("support", "One moment."))
BOOK = Tool("book", "Books.")
PERSONA = replace(
    DEFAULT_PERSONA, tools=(BOOK, ENDS_CALL, puts_through(TARGETS)), transfers=TARGETS
)
INVENTED = 1_000


@pytest.fixture
def talk() -> Talk:
    """The caller has asked for sales."""
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    talk.happens(CallerSpoke(900))
    talk.says("I want to buy something.")
    return talk


def wants(talk: Talk, to: object = "sales", id_: str = "t") -> list[ConversationCommand]:
    arguments = json.dumps({"to": to}, separators=(",", ":"))
    return talk.tells(lambda session: ToolCalled(session, id_, "transfer", arguments))


def speaks(talk: Talk, ms: int = 2_000) -> list[ConversationCommand]:
    return talk.tells(
        lambda session: ReplyAudio(session, speech(ms)), GenerationComplete, TurnComplete
    )


def ended(commands: Iterable[ConversationCommand]) -> list[str]:
    return [each.reason for each in commands if isinstance(each, EndConversation)]


def steps(commands: Iterable[ConversationCommand]) -> list[NextStep | None]:
    """The next step in each checkpoint."""
    saved = [each.checkpoint for each in commands if isinstance(each, SaveCheckpoint)]
    return [NextStep.from_json(each.next_step) for each in saved]


def leaves(talk: Talk) -> Checkpoint:
    """The caller is put through; what is stored then."""
    speaks(talk)
    wants(talk)
    talk.happens(ActsStored(1))
    assert ended(talk.hears_all(2, 2_000)) == ["put_through"]
    talk.happens(ConversationClosed(goes_on=True))
    return Checkpoint.from_json(talk.checkpoint.to_json())


def back(talk: Talk, step: NextStep | None) -> Talk:
    """The caller is here again, at another worker, and the step stands like this."""
    left = leaves(talk)
    stored = replace(left, next_step="" if step is None else step.to_json())
    return Talk(stored, talk.conversation.lines, 2, persona=PERSONA)


def test_a_transfer_is_stored_before_the_line_is_let_go_and_runs_nothing(talk: Talk) -> None:
    speaks(talk)
    done = wants(talk)
    assert steps(done)[-1] == NextStep(1, "transfer", "sales", "agent")
    assert ended(talk.hears_all(2, 2_000)) == []
    done = talk.happens(ActsStored(1))
    assert (ended(done), of(RunTool, done)) == (["put_through"], [])


def test_the_line_is_let_go_once_the_words_were_heard(talk: Talk) -> None:
    speaks(talk)
    wants(talk)
    talk.happens(ActsStored(1))
    assert ended(talk.hears(2, 1_900)) == []
    assert ended(talk.hears_all(2, 2_000)) == ["put_through"]


def test_a_model_that_says_nothing_is_asked_for_the_words_of_its_owner(talk: Talk) -> None:
    [sent] = of(SendToolResult, wants(talk))
    hint = json.loads(sent.result)["hint"]  # its only one, whatever the caller does
    assert (words_of(hint), "talk over it" in hint) == (TARGETS[0].says, True)
    assert ended(talk.happens(ActsStored(1))) == []
    talk.now_ms += 800
    speaks(talk, 1_000)
    assert ended(talk.hears_all(2, 1_000)) == ["put_through"]


def test_words_that_never_end_are_cut(talk: Talk) -> None:
    speaks(talk, 20_000)
    wants(talk)
    talk.happens(ActsStored(1))
    assert ended(talk.wait(WORDS_WITHIN_MS - 1)) == []
    talk.now_ms += 1
    assert ended(talk.happens(TimePassed())) == ["put_through"]


def test_a_transfer_that_cannot_be_stored_does_not_happen(talk: Talk) -> None:
    speaks(talk)
    wants(talk)
    done = talk.wait(STORED_WITHIN_MS)
    assert json.loads(of(SendToolResult, done)[0].result)["status"] == "error"
    assert steps(done)[-1] is None
    talk.happens(ActsStored(1))
    assert ended(talk.hears_all(2, 2_000)) == []


@pytest.mark.parametrize("cancels", [True, False])
def test_a_caller_who_talks_over_the_words_stays(talk: Talk, *, cancels: bool) -> None:
    speaks(talk)
    wants(talk)
    talk.happens(ActsStored(1))
    talk.hears(2, 400)
    done = talk.tells(lambda session: ToolCallsCancelled(session, ("t",))) if cancels else []
    done += talk.tells(Interrupted, TurnComplete)
    assert (ended(done), steps(done)[-1]) == ([], None)
    talk.says("Wait, one more thing.")
    talk.now_ms += 1_000
    speaks(talk, 1_000)
    assert ended([*talk.hears_all(3), *talk.wait(WORDS_WITHIN_MS)]) == []


def test_what_else_runs_comes_to_its_end_first(talk: Talk) -> None:
    talk.tells(lambda session: ToolCalled(session, "b", "book", "{}"))
    talk.happens(ActsStored(1))
    speaks(talk)
    wants(talk)
    talk.happens(ActsStored(2))
    assert ended([*talk.hears_all(2, 2_000), *talk.wait(3_000)]) == []
    assert ended(talk.happens(ToolFinished(1, "ok"))) == []
    speaks(talk, 1_000)
    assert ended(talk.hears_all(3)) == ["put_through"]


@pytest.mark.parametrize("waits_for", ["another tool", "the store"])
def test_a_caller_who_speaks_while_a_transfer_waits_stays(talk: Talk, waits_for: str) -> None:
    speaks(talk)
    if waits_for == "another tool":
        talk.tells(lambda session: ToolCalled(session, "b", "book", "{}"))
        talk.happens(ActsStored(1))
    wants(talk)
    if waits_for == "another tool":
        talk.happens(ActsStored(2))
    assert ended(talk.hears_all(2, 2_000)) == []
    talk.now_ms += 500
    assert ended(talk.happens(TimePassed())) == []
    talk.now_ms += 1_000
    done = talk.happens(CallerSpoke(900))
    assert steps(done)[-1] is None, "it is withdrawn"
    done += talk.happens(ActsStored(3))
    if waits_for == "another tool":
        done += talk.happens(ToolFinished(1, "ok", "null"))
    assert ended(done) == []


def test_a_caller_who_hums_over_the_words_is_put_through_though_the_store_is_slow(
    talk: Talk,
) -> None:
    speaks(talk)
    wants(talk)
    talk.hears(2, 1_000)
    talk.happens(CallerSpoke(200))
    assert ended(talk.hears_all(2, 2_000)) == []
    assert ended(talk.happens(ActsStored(1))) == ["put_through"]


def test_a_caller_is_put_through_to_one_at_a_time(talk: Talk) -> None:
    speaks(talk)
    wants(talk)
    [sent] = of(SendToolResult, wants(talk, "support", "u"))
    assert json.loads(sent.result)["status"] == "error"
    assert wants(talk, "sales", "v") == []


def test_nobody_is_let_go_while_nobody_is_there(talk: Talk) -> None:
    speaks(talk)
    wants(talk)
    talk.happens(ListenerLeft())
    done = [*talk.happens(ActsStored(1)), *talk.wait(WORDS_WITHIN_MS)]
    assert ended(done) == []
    assert ended(talk.answer(2)) == ["put_through"]


def test_a_call_that_ends_with_the_words_ends_once(talk: Talk) -> None:
    speaks(talk)
    wants(talk)
    talk.tells(lambda session: ToolCalled(session, "e", "end_call", "{}"))
    talk.happens(ActsStored(1))
    assert ended(talk.hears_all(2, 2_000)) == ["put_through"]


@pytest.mark.parametrize("transfer_first", [True, False])
def test_a_goodbye_that_is_heard_before_the_transfer_is_stored_ends_no_call(
    talk: Talk, *, transfer_first: bool
) -> None:
    speaks(talk)
    if transfer_first:
        wants(talk)
    talk.tells(lambda session: ToolCalled(session, "e", "end_call", "{}"))
    if not transfer_first:
        wants(talk)
    assert ended(talk.hears_all(2, 2_000)) == []
    assert ended(talk.happens(ActsStored(1))) == ["put_through"]


# The caller is back.

DONE = NextStep(1, "transfer", "sales", "agent", Stage.DONE, "r1", "busy")


@pytest.mark.parametrize(
    ("outcome", "told"),
    [("busy", "busy"), ("no-answer", "Nobody answered"), ("canceled", "Nobody could be reached")],
)
def test_the_agent_is_told_why_the_caller_is_back(talk: Talk, outcome: str, told: str) -> None:
    again = back(talk, replace(DONE, outcome=outcome))
    [opened] = of(OpenModel, again.commands)
    done = [*again.answer(2), *again.ready()]
    assert told in opened.results
    assert [told in each.text for each in of(SayToModel, done)] == [True]
    again.replies("They do not answer.")
    done = again.hears_all(1)
    assert (steps(done)[-1], ended([*done, *again.wait(9_000)])) == (None, [])


def test_an_agent_whose_session_is_ready_before_the_stream_is_told_too(talk: Talk) -> None:
    again = back(talk, DONE)
    assert of(SayToModel, again.ready()) == []
    [cue] = of(SayToModel, again.answer(2))
    assert "busy" in cue.text
    again.happens(ListenerLeft())
    assert of(SayToModel, again.answer(3)) == []


@pytest.mark.parametrize(
    "step", [None, replace(DONE, stage=Stage.RUNNING, outcome=""), replace(DONE, n=7)]
)
def test_where_nobody_told_how_it_ended_the_agent_says_so(
    talk: Talk, step: NextStep | None
) -> None:
    again = back(talk, step)
    [cue] = of(SayToModel, [*again.answer(2), *again.ready()])
    assert "nobody knows" in cue.text
    assert steps(again.commands)[-1] is None


def test_what_is_told_once_is_not_told_to_the_next_worker(talk: Talk) -> None:
    again = back(talk, DONE)
    again.answer(2)
    again.ready()
    again.replies("They are busy.")
    again.hears_all(1)
    kept = replace(again.checkpoint, next_step=DONE.to_json())
    third = Talk(kept, [*talk.conversation.lines, *again.conversation.lines], 3, persona=PERSONA)
    assert of(SayToModel, [*third.answer(3), *third.ready()]) == []


def test_a_caller_who_is_back_can_be_put_through_again(talk: Talk) -> None:
    again = back(talk, DONE)
    again.answer(2)
    again.ready()
    again.replies("They are busy.")
    again.hears_all(1)
    again.happens(CallerSpoke(900))
    again.says("Try again.")
    speaks(again)
    assert steps(wants(again))[-1] == NextStep(2, "transfer", "sales", "agent")


def test_a_transfer_that_was_stored_and_not_begun_is_carried_out_by_the_next_worker(
    talk: Talk,
) -> None:
    again = back(talk, replace(DONE, stage=Stage.INTENDED, outcome=""))
    assert ended(again.answer(2)) == ["put_through"]


# Nobody is called whom the owner did not name.


def test_of_a_thousand_invented_targets_none_is_stored() -> None:
    random = Random(48)
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    names = ["Sales", "sales ", "SALES", "sale", "sales\n", "", "transfer", "boss", "911", "*"]
    names += ["sip:boss@evil.example", "client:root", "sales,support", "\u202esales", "\u0455ales"]
    others: list[object] = [None, 7, True, ["sales"], {"name": "sales"}]
    refused, asked = 0, 0
    for n in range(INVENTED):
        number = f"+1{random.randrange(10**9, 10**10)}"
        done = wants(talk, random.choice([*names, *others, number]), f"i{n}")
        refused += [json.loads(x.result)["status"] for x in of(SendToolResult, done)] == ["error"]
        asked += bool(ended(done)) or any(steps(done))
    print(f"{INVENTED} invented targets: {refused} refused, {asked} dialled")  # noqa: T201 - a figure
    assert (refused, asked) == (INVENTED, 0)
