"""What a caller types in secret gets no further than the place where messages come in."""

from agent.conversation.listener_commands import ForgetKeys, HideCaller, ShowCaller
from telephony.call.events import LineLives, SecretKey, StreamStarted, Tick
from telephony.call.vault import LIVES_EVERY, Vault
from telephony.twilio.messages import Dtmf, Media

SECRET = "4929"


def typing(keys: str = SECRET) -> Vault:
    vault = Vault()
    vault.admits(StreamStarted("MZ1", 1))
    vault.does(HideCaller("charge", "card"))
    for key in keys:
        vault.admits(Dtmf("MZ1", key))
    return vault


def test_a_call_is_told_all_while_the_caller_is_not_hidden() -> None:
    vault = Vault()
    for event in (Dtmf("MZ1", "4"), Media("MZ1", b"\xff", 0), Tick()):
        assert vault.admits(event) is event


def test_a_call_is_told_the_kind_of_a_key_alone() -> None:
    vault = typing("")
    told = [vault.admits(Dtmf("MZ1", key)) for key in "4#*A"]
    kinds = ["digit", "end", "cancel", "other"]
    assert told == [SecretKey("MZ1", kind) for kind in kinds]  # type: ignore[arg-type]  # of the set
    assert vault.admits(Tick()) == Tick()


def test_no_sound_of_a_hidden_caller_is_told_but_that_the_line_lives() -> None:
    vault = typing("")
    told = [vault.admits(Media("MZ1", b"\x00" * 160, 20 * n)) for n in range(2 * LIVES_EVERY)]
    assert [each for each in told if each is not None] == [LineLives("MZ1")] * 2


def test_digits_go_to_their_tool_once_and_to_no_other() -> None:
    vault = typing()
    assert vault.take("refund") == {}
    assert {name: each.reveal() for name, each in vault.take("charge").items()} == {"card": SECRET}
    assert vault.take("charge") == {}


def test_who_is_asked_again_has_typed_nothing_yet() -> None:
    vault = typing()
    vault.does(HideCaller("charge", "card"))
    vault.admits(Dtmf("MZ1", "7"))
    assert vault.take("charge")["card"].reveal() == "7"


def test_a_key_too_many_is_kept_nowhere() -> None:
    vault = typing()
    vault.does(HideCaller())
    assert vault.admits(Dtmf("MZ1", "7")) == SecretKey("MZ1", "digit")
    vault.does(ShowCaller())
    assert vault.admits(Dtmf("MZ1", "7")) == Dtmf("MZ1", "7")
    assert vault.take("charge")["card"].reveal() == SECRET


def test_digits_can_be_forgotten_and_are_in_no_text() -> None:
    vault = typing()
    assert not any(char.isdecimal() for char in repr(vault))
    assert "4" not in repr(Dtmf("MZ1", "4"))
    vault.does(ForgetKeys())
    assert vault.take("charge") == {}


def test_a_key_of_a_stream_that_was_replaced_does_not_count() -> None:
    vault = typing()
    assert vault.admits(Dtmf("MZ0", "9")) == SecretKey("MZ0", "digit")
    assert vault.take("charge")["card"].reveal() == SECRET


def test_a_key_after_all_was_forgotten_does_no_harm_and_an_empty_entry_is_none() -> None:
    vault = typing()
    vault.does(ForgetKeys())
    assert vault.admits(Dtmf("MZ1", "7")) == SecretKey("MZ1", "digit")
    assert typing("").take("charge") == {}
