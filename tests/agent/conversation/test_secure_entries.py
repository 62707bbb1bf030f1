"""A caller types what nobody is to see, before a tool runs: asked, hidden, and run once."""

import json
import pickle
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.commands import ConversationCommand, RunTool, SendToolResult
from agent.conversation.declaration import Tool
from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from agent.conversation.listener_events import (
    CallerSpoke,
    KeyPressed,
    ListenerLeft,
    SecretKeyPressed,
)
from agent.conversation.overdue import STORED_WITHIN_MS
from agent.conversation.persona import DEFAULT_PERSONA, words_of
from agent.conversation.secret_digits import Digits, KeyKind, SecureEntry, without
from agent.conversation.secure_entries import BETWEEN_MS, FIRST_MS, TAIL_MS
from agent.conversation.tool_events import ActsStored, ToolCalled, ToolCallsCancelled, ToolFinished
from tests.agent.conversation.conftest import Talk, of

CARD = SecureEntry("card", "Please type your card number.", 4, 4)
CODE = SecureEntry("code", "And the code, please.", 3, 4)
CHARGE = Tool("charge", "Charges.", secure=(CARD, CODE))
REFUND = Tool("refund", "Pays back.", secure=(CARD,))
PERSONA = replace(DEFAULT_PERSONA, tools=(CHARGE, REFUND), silence_s=60.0, on_keys="tell")
KINDS: dict[str, KeyKind] = {"#": "end", "*": "cancel"}


@pytest.fixture
def talk() -> Talk:
    """The caller wants to pay."""
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    talk.happens(CallerSpoke(900))
    talk.says("I want to pay.")
    return talk


def wants(talk: Talk, id_: str = "c") -> list[ConversationCommand]:
    return talk.tells(lambda session: ToolCalled(session, id_, "charge", "{}"))


def presses(talk: Talk, keys: str) -> list[ConversationCommand]:
    done: list[ConversationCommand] = []
    for key in keys:
        done += talk.wait(300)
        done += talk.happens(SecretKeyPressed(KINDS.get(key, "digit")))
    return done


def told(commands: Iterable[ConversationCommand]) -> list[dict[str, Any]]:
    sent = [each for each in commands if isinstance(each, SendToolResult)]
    return [json.loads(each.result) for each in sent]


def asked(talk: Talk) -> list[str | None]:
    return [words_of(cue) for cue in talk.cues[1:]]


def test_the_caller_is_hidden_and_asked_for_each_and_then_it_runs_once_stored(talk: Talk) -> None:
    assert of(HideCaller, wants(talk)) == [HideCaller("charge", "card")]
    assert of(HideCaller, presses(talk, "1234")) == [HideCaller("charge", "code")]
    done = presses(talk, "567#")
    assert of(HideCaller, done) == [HideCaller()]
    assert asked(talk) == [CARD.says, CODE.says]
    stored = talk.checkpoint.acts
    assert of(RunTool, talk.happens(ActsStored(stored - 1))) == []
    [run] = of(RunTool, talk.happens(ActsStored(stored)))
    assert (run.name, run.arguments) == ("charge", "{}")
    assert told(talk.happens(ToolFinished(run.call, "ok", '"paid"')))[0]["data"] == "paid"
    assert of(ShowCaller, talk.commands) == []
    assert of(ShowCaller, talk.wait(TAIL_MS)) == [ShowCaller()]


def test_another_key_keeps_a_caller_hidden_for_a_second_more(talk: Talk) -> None:
    wants(talk)
    presses(talk, "1234567#")
    assert of(ShowCaller, presses(talk, "##")) == []
    assert of(ShowCaller, talk.wait(TAIL_MS - 1)) == []
    assert of(ShowCaller, talk.wait(1)) == [ShowCaller()]


def test_the_star_key_leaves_it_undone(talk: Talk) -> None:
    wants(talk)
    done = presses(talk, "12*")
    assert (told(done)[0]["status"], len(of(ForgetKeys, done))) == ("cancelled", 1)
    done = talk.happens(ActsStored(99)) + talk.wait(TAIL_MS)
    assert (of(RunTool, done), of(ShowCaller, done)) == ([], [ShowCaller()])


def test_too_few_digits_are_asked_for_again_three_times_in_all(talk: Talk) -> None:
    wants(talk)
    presses(talk, "12#")
    talk.wait(300)
    presses(talk, "1")
    talk.wait(BETWEEN_MS)
    assert asked(talk) == [CARD.says] * 3
    assert told(presses(talk, "1#"))[0]["status"] == "error"


def test_who_types_nothing_is_asked_twice(talk: Talk) -> None:
    wants(talk)
    assert told(talk.wait(2 * FIRST_MS - 1)) == []
    assert asked(talk) == [CARD.says] * 2
    done = talk.wait(1)
    assert (told(done)[0]["status"], len(of(ForgetKeys, done))) == ("timeout", 1)


def test_a_line_that_was_away_begins_anew(talk: Talk) -> None:
    wants(talk)
    presses(talk, "12")
    talk.happens(ListenerLeft())
    assert of(HideCaller, talk.answer(2)) == [HideCaller("charge", "card")]
    assert of(HideCaller, presses(talk, "34")) == [], "what was typed before counts no more"


def test_another_worker_asks_again_and_runs_it_once(talk: Talk) -> None:
    wants(talk)
    talk.happens(ActsStored(1))
    presses(talk, "1234")
    kept = Checkpoint.from_json(talk.checkpoint.to_json())
    other = Talk(kept, talk.conversation.lines, 2, persona=PERSONA)
    assert of(HideCaller, other.answer(2)) == [HideCaller("charge", "card")]
    other.ready()
    presses(other, "1234567#")
    assert len(of(RunTool, other.happens(ActsStored(other.checkpoint.acts)))) == 1
    assert CARD.says in [words_of(cue) for cue in other.cues]


def test_a_worker_that_dies_once_all_is_typed_leaves_an_unknown_act(talk: Talk) -> None:
    wants(talk)
    presses(talk, "1234567#")
    kept = Checkpoint.from_json(talk.checkpoint.to_json())
    other = Talk(kept, talk.conversation.lines, 2, persona=PERSONA)
    assert of(HideCaller, other.answer(2)) == []
    other.ready()
    assert of(RunTool, other.happens(ActsStored(99))) == []
    assert any('"status":"unknown"' in cue for cue in other.cues)


def test_what_is_not_stored_does_not_run_and_is_forgotten(talk: Talk) -> None:
    wants(talk)
    presses(talk, "1234567#")
    done = talk.wait(STORED_WITHIN_MS)
    assert (told(done)[0]["status"], len(of(ForgetKeys, done))) == ("error", 1)
    assert of(RunTool, talk.happens(ActsStored(99))) == []


def test_a_call_that_the_model_takes_back_is_forgotten(talk: Talk) -> None:
    wants(talk)
    presses(talk, "12")
    done = talk.tells(lambda session: ToolCallsCancelled(session, ("c",)))
    assert len(of(ForgetKeys, done)) == 1
    assert of(ShowCaller, talk.wait(TAIL_MS)) == [ShowCaller()]


def test_keys_just_before_are_not_told_to_the_model(talk: Talk) -> None:
    talk.happens(KeyPressed("4"))
    talk.happens(KeyPressed("9"))
    wants(talk)
    talk.wait(FIRST_MS - 1)
    assert [cue for cue in talk.cues if "4" in cue] == []


def test_the_end_key_behind_all_digits_of_an_entry_does_not_end_the_next(talk: Talk) -> None:
    wants(talk)
    done = presses(talk, "1234#567#")
    assert asked(talk) == [CARD.says, CODE.says]
    assert of(HideCaller, done)[-1] == HideCaller()


def test_while_one_call_waits_for_the_store_no_other_is_typed_for(talk: Talk) -> None:
    wants(talk)
    presses(talk, "1234567#")
    done = talk.tells(lambda session: ToolCalled(session, "d", "refund", "{}"))
    assert (of(HideCaller, done), told(done)[0]["retryable"]) == ([], True)
    assert of(RunTool, talk.happens(ActsStored(talk.checkpoint.acts))) != []


def test_no_text_of_digits_has_them_and_nothing_stores_them() -> None:
    secret = Digits("4929123456781234")
    for text in (repr(secret), str(secret), f"{secret}", repr({"card": secret})):
        assert not any(char.isdecimal() for char in text)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == "4929123456781234"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("paid with 4929", "paid with ••••"),
        ("4 9-2 9", "• •-• •"),
        ("4 and 929", "4 and 929"),
        ("492", "492"),
        ("44929", "4••••"),
    ],
)
def test_an_answer_does_not_tell_what_was_typed(text: str, left: str) -> None:
    assert without(text, [Digits("4929")]) == left
