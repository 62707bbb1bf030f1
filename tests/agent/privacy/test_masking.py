"""Personal items are masked in what is kept of a conversation, and it still can go on."""

import json
import re
from dataclasses import replace

import pytest

from agent.conversation.alike import MASKS, alike
from agent.conversation.built_in_tools import BUILT_IN_TOOLS, TAKES_MESSAGE
from agent.conversation.checkpoint import NOTHING_KNOWN, Checkpoint
from agent.conversation.declaration import Tool, canonical
from agent.conversation.hints import NOT_KEPT, UNKNOWN_HINT
from agent.conversation.next_step import NextStep
from agent.conversation.tool_call import State
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Line
from agent.privacy.items import KINDS, NAMES
from agent.privacy.masking import CARDS, NO_MASK, UNFINISHED, Mask

CARD, MAIL = "4111 1111 1111 1111", "kim@example.com"
ALL = Mask(frozenset(KINDS))
LOOK_UP = Tool("look_up", "Looks up.", idempotent=True)
ACT = Tool("act", "Acts.")


def kept(tool: Tool, arguments: object, state: State, result: object = None) -> Checkpoint:
    """A checkpoint with one call of a tool."""
    ledger = Ledger()
    call = ledger.begin(tool, canonical(arguments), 0)
    call.state = state
    call.result = "" if result is None else canonical(result)
    ledger.note(f"Call {MAIL} back.")
    ledger.note("Nothing else.")
    return ledger.kept_in(NOTHING_KNOWN)


def test_a_line_is_masked_in_what_was_said_and_in_what_was_heard() -> None:
    said = f"Your card is {CARD}, is it not?"
    line = Line(1, "agent", said, said[:20], 5, 1)
    masked = CARDS.line(line)
    assert masked.text == "Your card is [card number], is it not?"
    assert masked.heard == "Your card is [card number]"
    assert (masked.n, masked.role, masked.at_ms, masked.epoch) == (1, "agent", 5, 1)
    assert NO_MASK.line(line) is line


def test_what_was_heard_is_masked_also_where_it_is_not_the_beginning_of_what_was_said() -> None:
    masked = CARDS.line(Line(1, "caller", "hm", f"it is {CARD}", 0, 1))
    assert masked.heard == "it is [card number]"


def test_a_checkpoint_is_masked_in_its_tools_notes_and_open_words() -> None:
    asked = {"card": 4111111111111111, "mail": [MAIL], "n": 7, "on": True}
    whole = kept(ACT, asked, State.DONE, {"data": {"found": f"for {MAIL}"}})
    masked = ALL.checkpoint(replace(whole, owed_words=f"it is {CARD}"))
    call = next(iter(Ledger.from_text(masked.tools, (ACT,))))
    assert json.loads(call.arguments) == {
        "card": "[card number]",
        "mail": ["[e-mail address]"],
        "n": 7,
        "on": True,
    }
    assert json.loads(call.result) == {"data": {"found": "for [e-mail address]"}}
    assert masked.notes == "Call [e-mail address] back.\nNothing else.\n"
    assert masked.owed_words == "it is [card number]"
    assert ALL.checkpoint(masked) == masked
    assert NO_MASK.checkpoint(whole) is whole


@pytest.mark.parametrize(
    ("tool", "state", "hint"),
    [(LOOK_UP, State.FAILED, NOT_KEPT), (ACT, State.UNKNOWN, UNKNOWN_HINT)],
)
def test_a_call_whose_arguments_are_not_kept_is_not_done_again(
    tool: Tool, state: State, hint: str
) -> None:
    masked = ALL.checkpoint(kept(tool, {"mail": MAIL}, State.RUNNING))
    call = next(iter(Ledger.from_text(masked.tools, (tool,))))
    assert call.state is state
    assert json.loads(call.result)["hint"] == hint


def test_a_look_up_without_an_item_is_done_again() -> None:
    masked = ALL.checkpoint(kept(LOOK_UP, {"order": "12345"}, State.RUNNING))
    assert next(iter(Ledger.from_text(masked.tools, (LOOK_UP,)))).state is State.RUNNING


@pytest.mark.parametrize(
    ("mask", "typed", "stored"),
    [
        (ALL, "4" * UNFINISHED, "4" * UNFINISHED),
        (ALL, "9" * (UNFINISHED + 1), ""),
        (CARDS, "4111111", ""),
        (CARDS, "9111111", "9111111"),
        (NO_MASK, "4111111", "4111111"),
    ],
)
def test_of_digits_that_are_still_typed_few_are_kept(mask: Mask, typed: str, stored: str) -> None:
    collect = Tool("collect_digits", "Collects.", idempotent=True)
    ledger = Ledger()
    ledger.begin(collect, "{}", 0).typed = typed
    masked = mask.checkpoint(ledger.kept_in(NOTHING_KNOWN))
    assert next(iter(Ledger.from_text(masked.tools, (collect,)))).typed == stored


def test_a_number_of_somebody_is_left_out_only_if_such_are_masked() -> None:
    assert CARDS.number("+14155550123") == "+14155550123"
    assert ALL.number("+14155550123") == ""


@pytest.mark.parametrize(
    "asked",
    [
        {"card": CARD, "nights": 2},
        {"card": 4111111111111111, "nights": 2},
        {"to": [{"mail": MAIL, "text": f"It is {CARD}, and {MAIL}."}], "now": True},
        {"of": {CARD: "mine"}},
    ],
)
@pytest.mark.parametrize("state", [State.INTENDED, State.RUNNING])
def test_an_act_of_which_nobody_knows_is_found_again_though_its_item_was_masked(
    state: State, asked: object
) -> None:
    stored = ALL.checkpoint(kept(ACT, asked, state)).tools
    [call] = ledger = Ledger.from_text(stored, (ACT,))
    assert MAIL not in call.arguments
    assert CARD not in call.arguments
    assert call.state is State.UNKNOWN
    assert ledger.same("act", canonical(asked), 0) is call


def test_a_look_up_for_another_item_is_another_look_up() -> None:
    whole = kept(LOOK_UP, {"card": CARD}, State.DONE, {"data": 1})
    ledger = Ledger.from_text(CARDS.checkpoint(whole).tools, (LOOK_UP,))
    assert ledger.same("look_up", canonical({"card": CARD}), 0) is None


@pytest.mark.parametrize(
    ("stored", "asked", "same"),
    [
        ({"card": "[card number]"}, {"card": "cash"}, False),
        ({"card": "[card number]", "n": 1}, {"card": CARD, "n": 2}, False),
        ({"card": "[card number]", "n": 1}, {"card": CARD}, False),
        ({"card": "[card number]"}, {"card": CARD, "n": 1}, False),
        ({"card": "[card number]", "on": 1}, {"card": CARD, "on": True}, False),
        ({"a": ["[card number]"]}, {"a": [CARD, CARD]}, False),
        ({"a": "for [card number] now"}, {"a": f"for {CARD} soon"}, False),
        ({"a": "for [card number], [phone number]"}, {"a": f"for {CARD}"}, False),
        ({"a": "[card number] or [card number]"}, {"a": f"{CARD} or {CARD}"}, True),
        ({"a": "no item"}, {"a": "an item"}, False),
    ],
)
def test_what_else_was_asked_must_be_equal(stored: object, asked: object, *, same: bool) -> None:
    assert alike(canonical(stored), canonical(asked)) is same


def test_every_mask_is_known() -> None:
    assert {f"[{name}]" for name in NAMES.values()} == set(MASKS)


def test_the_number_to_call_back_is_never_masked() -> None:
    asked = {"action": "end", "call_back": "+639171234561", "name": CARD}
    masked = ALL.checkpoint(kept(TAKES_MESSAGE, asked, State.DONE, {"data": {"at_ms": 5}}))
    call = next(iter(Ledger.from_text(masked.tools, (TAKES_MESSAGE,))))
    assert json.loads(call.arguments) == asked | {"name": "[card number]"}
    other = ALL.checkpoint(kept(ACT, {"call_back": "+639171234561"}, State.DONE))
    assert "[phone number]" in next(iter(Ledger.from_text(other.tools, (ACT,)))).arguments


@pytest.mark.parametrize("name", ["ssn", "social_security_number", "taxId"])
@pytest.mark.parametrize("number", [123456789, "123456789"])
def test_nine_digits_are_masked_in_a_field_for_them(name: str, number: object) -> None:
    masked = ALL.value({name: number, "order": number})
    assert masked == {name: "[social security number]", "order": number}


@pytest.mark.parametrize("keys", ["4111111111111111#", "41111111w11111111W#"])
def test_keys_that_are_to_be_pressed_are_masked_where_they_are_told_and_kept_until_then(
    keys: str,
) -> None:
    ledger = Ledger()
    call = ledger.begin(BUILT_IN_TOOLS["send_digits"], canonical({"digits": keys}), 0)
    masked = CARDS.checkpoint(ledger.kept_in(NOTHING_KNOWN))
    assert "4111" not in masked.tools
    step = NextStep.from_json(masked.next_step)
    assert step == NextStep(call.number, "digits", keys, "agent", kept="[card number]#")
    pressed = step.claimed("r1")[0].settled("completed")
    assert (pressed.to, pressed.kept) == ("[card number]#", "")
    assert NO_MASK.checkpoint(ledger.kept_in(NOTHING_KNOWN)) == ledger.kept_in(NOTHING_KNOWN)


@pytest.mark.parametrize(
    "keys",
    [
        "1ww4111111111111111#",
        "2w5500005555555559#",
        "4111111111111111ww1226",
        "4111111111111111WW123#",
    ],
)
def test_a_card_among_other_keys_is_masked(keys: str) -> None:
    assert "[card number]" in CARDS.keys(keys)
    assert not re.search(r"\d{5}", CARDS.keys(keys))


def test_keys_of_a_menu_stay_as_they_are() -> None:
    ledger = Ledger()
    ledger.begin(BUILT_IN_TOOLS["send_digits"], canonical({"digits": "1w2#"}), 0)
    assert ALL.checkpoint(ledger.kept_in(NOTHING_KNOWN)) == ledger.kept_in(NOTHING_KNOWN)
