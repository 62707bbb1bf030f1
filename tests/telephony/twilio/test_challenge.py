"""Only a server with our auth token can prove which one it is."""

import pytest

from telephony.twilio.challenge import is_challenge, proof, proves

CHALLENGE = "challenge-0123456789"


def test_a_proof_holds_for_its_token_challenge_and_instance_alone() -> None:
    given = proof("token", CHALLENGE, "one")
    assert proves(("other", "token"), CHALLENGE, "one", given)
    assert not proves(("other",), CHALLENGE, "one", given)
    assert not proves(("token",), CHALLENGE + "x", "one", given)
    assert not proves(("token",), CHALLENGE, "two", given)
    assert not proves(("token",), CHALLENGE, "one", "")
    assert not proves((), CHALLENGE, "one", given)


def test_a_proof_cannot_be_moved_between_challenge_and_instance() -> None:
    given = proof("token", CHALLENGE, "one")
    assert not proves(("token",), CHALLENGE[:-1], CHALLENGE[-1] + "one", given)


@pytest.mark.parametrize("text", ["a" * 16, "a" * 64, "-_" * 8])
def test_a_challenge_is_answered(text: str) -> None:
    assert is_challenge(text)


@pytest.mark.parametrize("text", ["", "a" * 15, "a" * 65, "a b" * 8, "é" * 16, "a" * 16 + "\n"])
def test_what_is_no_challenge_is_not(text: str) -> None:
    assert not is_challenge(text)
