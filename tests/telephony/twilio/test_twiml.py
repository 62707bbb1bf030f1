"""The documents we answer with, read back by an XML parser."""

from xml.etree import ElementTree as ET

import pytest

from telephony.twilio import conference, twiml, urls

PUBLIC_URL = "https://voice.example.com"
RETRIES = "#rc=3&amp;rp=ct,rt,5xx&amp;ct=2000&amp;rt=4000"
"""As XML has it."""


def read(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - written a moment ago, by us


def test_a_call_is_connected_to_our_stream_and_comes_back_to_us_after_it() -> None:
    expected = (
        "<Response>"
        f'<Connect action="https://voice.example.com/twilio/resume{RETRIES}" method="POST">'
        '<Stream url="wss://voice.example.com/twilio/media"'
        f' statusCallback="https://voice.example.com/twilio/stream-status{RETRIES}">'
        '<Parameter name="token" value="v1.abc" />'
        "</Stream>"
        "</Connect>"
        '<Redirect method="POST">https://voice.example.com/twilio/resume</Redirect>'
        "</Response>"
    )
    got = twiml.connect(PUBLIC_URL, "v1.abc")
    assert ET.canonicalize(got) == ET.canonicalize(expected)


def test_what_is_said_before_a_stream_comes_before_it() -> None:
    document = read(twiml.connect(PUBLIC_URL, "t", says="It is recorded.", language="en-GB"))
    assert [verb.tag for verb in document] == ["Say", "Connect", "Redirect"]
    assert (document[0].text, document[0].attrib) == ("It is recorded.", {"language": "en-GB"})


def test_no_text_that_is_said_spoils_its_document() -> None:
    spoilt = "a\x00b\x1f\ud800\ufffe<Hangup/>&"
    for document in (
        twiml.goodbye(spoilt),
        twiml.connect(PUBLIC_URL, "t", says=spoilt),
        twiml.transfer(PUBLIC_URL, spoilt, "+14155550100"),
        twiml.menu(PUBLIC_URL, spoilt, 5, 1),
        conference.briefing(PUBLIC_URL, conference.OfStep("CA1", 1), spoilt),
    ):
        assert [each.text for each in read(document).iter("Say")] == ["a b   <Hangup/>&"]


def test_a_menu_waits_for_one_key_and_asks_us_with_it_or_without() -> None:
    expected = (
        "<Response>"
        f'<Gather action="https://voice.example.com/twilio/menu?round=1{RETRIES}"'
        ' finishOnKey="" input="dtmf" method="POST" numDigits="1" timeout="7">'
        '<Say language="de-DE">Wählen Sie.</Say>'
        "</Gather>"
        '<Redirect method="POST">https://voice.example.com/twilio/menu</Redirect>'
        "</Response>"
    )
    got = twiml.menu(PUBLIC_URL, "Wählen Sie.", 7, 1, "de-DE")
    assert ET.canonicalize(got) == ET.canonicalize(expected)
    assert [urls.rounds_of(query) for query in ("round=2", "round=9", "round=x", "")] == [
        *(2, 0, 0, 0)
    ]


def test_a_token_is_quoted_for_xml() -> None:
    token = "\"<&>'é"
    parameter = read(twiml.connect(PUBLIC_URL, token)).find("Connect/Stream/Parameter")
    assert parameter is not None
    assert parameter.attrib == {"name": "token", "value": token}


def test_a_parameter_stays_below_500_characters_name_and_value_together() -> None:
    twiml.connect(PUBLIC_URL, "x" * 494)
    with pytest.raises(ValueError, match=r"less than 500 characters.*got 500"):
        twiml.connect(PUBLIC_URL, "x" * 495)


def test_hangup_is_nothing_else() -> None:
    assert ET.canonicalize(twiml.hangup()) == "<Response><Hangup></Hangup></Response>"


def test_a_goodbye_is_spoken_before_the_call_ends() -> None:
    response = read(twiml.goodbye("We are sorry: <try> again & again, à bientôt."))
    assert [verb.tag for verb in response] == ["Say", "Hangup"]
    assert response[0].text == "We are sorry: <try> again & again, à bientôt."


@pytest.mark.parametrize(
    ("to", "noun"), [("+15551234567", "Number"), ("sip:desk@example.com", "Sip")]
)
def test_a_caller_is_told_and_then_put_through_and_comes_back_to_us(to: str, noun: str) -> None:
    response = read(twiml.transfer(PUBLIC_URL, "One moment.", to))
    assert [verb.tag for verb in response] == ["Say", "Dial"]
    assert response[1].attrib == {
        "action": f"{PUBLIC_URL}/twilio/transferred#rc=3&rp=ct,rt,5xx&ct=2000&rt=4000",
        "method": "POST",
        "timeout": "20",
    }
    assert [(child.tag, child.text) for child in response[1]] == [(noun, to)]


def test_a_transfer_shows_the_number_it_is_told_to() -> None:
    document = twiml.transfer(PUBLIC_URL, "a", "+15551234567", caller_id="+14155550199")
    assert read(document)[1].attrib["callerId"] == "+14155550199"


@pytest.mark.parametrize(
    "document",
    [
        twiml.connect(PUBLIC_URL, "t"),
        twiml.hangup(),
        twiml.goodbye("é"),
        twiml.transfer(PUBLIC_URL, "é", "+15551234567"),
    ],
    ids=["connect", "hangup", "apology", "transfer"],
)
def test_a_document_says_that_it_is_utf_8(document: str) -> None:
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?>')
