"""The simulated REST API places calls by Twilio's rules."""

import pytest

from telephony.simulator.rest_calls import EVENTS, PlacedCall, Wrong, read_placed

FORM = {"To": "+14155550123", "From": "+14155550199", "Url": "https://voice.example.com/voice"}
OURS = frozenset({"+14155550199"})


def test_a_call_rings_for_a_minute_and_tells_of_its_end_unless_asked_otherwise() -> None:
    placed = read_placed(FORM, {}, OURS)
    assert isinstance(placed, PlacedCall)
    assert (placed.ring_s, placed.events, placed.fallback) == (60, ("completed",), None)
    assert (placed.voice.method, placed.status) == ("POST", None)


def test_events_that_do_not_exist_silence_all_of_them() -> None:
    for asked, known in ((tuple(EVENTS), tuple(EVENTS)), (("completed ringing",), ())):
        placed = read_placed(FORM, {"StatusCallbackEvent": asked}, OURS)
        assert isinstance(placed, PlacedCall)
        assert placed.events == known


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": ""}, 21201),
        ({"To": "4155550123"}, 21211),
        ({"From": ""}, 21213),
        ({"From": "+14155550100"}, 21210),
        ({"Url": ""}, 21205),
        ({"StatusCallback": "voice.example.com"}, 21205),
        ({"Timeout": "0"}, 20422),
        ({"Timeout": "601"}, 20422),
        ({"Timeout": "soon"}, 20422),
    ],
)
def test_what_twilio_does_not_take_is_refused(form: dict[str, str], code: int) -> None:
    refused = read_placed(FORM | form, {}, OURS)
    assert isinstance(refused, Wrong)
    assert refused.code == code
