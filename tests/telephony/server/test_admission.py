"""By what a party is known that calls again."""

import pytest

from telephony import settings
from telephony.server.admission import Admission

OURS, THEIRS, ANOTHER = "+14155550199", "+14155550123", "+14155550124"


@pytest.fixture
def admission() -> Admission:
    """That of an installation with two auth tokens."""
    return Admission(
        settings.load(
            gemini_api_key="simulated",
            twilio_auth_token="new, old",
            public_url="https://voice.example.com",
        )
    )


def form(calling: str, called: str, direction: str = "inbound") -> dict[str, str]:
    """What a webhook says of the parties."""
    return {"From": calling, "To": called, "Direction": direction}


def test_two_parties_are_known_again_whoever_of_them_calls(admission: Admission) -> None:
    called_us = admission.caller(form(THEIRS, OURS))
    assert called_us is not None
    assert called_us == admission.caller(form(OURS, THEIRS, "outbound-api"))
    assert THEIRS not in called_us


@pytest.mark.parametrize(
    "other",
    [form(ANOTHER, OURS), form(THEIRS, ANOTHER), form(OURS, ANOTHER, "outbound-api")],
    ids=["another caller", "another number of ours", "another who is called"],
)
def test_other_parties_are_others(admission: Admission, other: dict[str, str]) -> None:
    assert admission.caller(other) not in {None, admission.caller(form(THEIRS, OURS))}


@pytest.mark.parametrize(
    "unknown", [OURS, "anonymous", "+266696687", "client:alice", "sip:b@c", ""]
)
def test_who_cannot_be_told_apart_is_nobody(admission: Admission, unknown: str) -> None:
    assert admission.caller(form(unknown, OURS)) is None
    assert admission.caller(form(OURS, unknown, "outbound-dial")) is None
