"""The documents of a warm transfer, and the step that their URLs name."""

from xml.etree import ElementTree as ET

import pytest

from telephony.twilio import conference
from telephony.twilio.conference import OfStep

URL = "https://voice.example.com"
OF = OfStep("CA0123456789abcdef", 3)


def parsed(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own document


def test_a_url_names_its_step() -> None:
    query = OF.url(URL, conference.LEG_PATH).partition("?")[2].partition("#")[0]
    assert conference.step_of(query) == OF


@pytest.mark.parametrize(
    "query", ["", "step=", "step=CA1", "step=CA1.x", "step=CA%2F1.1", "step=.1", "step=CA1.1.1"]
)
def test_a_url_that_names_none_is_noticed(query: str) -> None:
    assert conference.step_of(query) is None


@pytest.mark.parametrize(
    ("query", "rounds"), [("rounds=7", 7), ("", 0), ("rounds=-1", 0), ("rounds=99999999", 0)]
)
def test_the_rounds_of_the_music_are_counted(query: str, rounds: int) -> None:
    assert conference.rounds_of(query) == rounds


def test_the_caller_waits_until_the_target_comes() -> None:
    [dial] = parsed(conference.hold(URL, OF))
    [room] = dial
    assert dial.get("action", "").startswith(f"{URL}/twilio/transferred#")
    assert room.text == OF.conference
    assert (room.get("startConferenceOnEnter"), room.get("endConferenceOnExit")) == (
        *("false", "true"),
    )
    assert room.get("statusCallbackEvent") == "start end join leave"
    assert (room.get("beep"), room.get("waitMethod")) == ("false", "POST")
    [[joined]] = parsed(conference.join(OF))
    assert joined.text == room.text
    assert (joined.get("startConferenceOnEnter"), joined.get("endConferenceOnExit")) == (
        *("true", "true"),
    )


def test_what_a_model_writes_is_spoken_and_no_markup() -> None:
    told = "<Hangup/> & <Dial>+19005550100</Dial>"
    gather, hangup = parsed(conference.briefing(URL, OF, told, "de-DE"))
    [say] = gather
    assert (gather.get("numDigits"), say.text, say.get("language")) == ("1", told, "de-DE")
    assert (list(say), hangup.tag) == ([], "Hangup")
    assert gather.get("finishOnKey") == ""


def test_the_music_is_asked_for_again_with_its_rounds() -> None:
    play, redirect = parsed(conference.music(URL, OF, 4))
    assert play.text == f"{URL}/twilio/hold.wav"
    assert conference.rounds_of((redirect.text or "").partition("?")[2]) == 4
