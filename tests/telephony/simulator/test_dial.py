"""`<Dial>` is read attribute by attribute, and its nouns are kept apart."""

import pytest

from telephony.simulator.conference_element import Terms
from telephony.simulator.dial import Dial, Noun
from telephony.simulator.elements import Request, TwimlError
from telephony.simulator.twiml import parse

URL = "https://voice.example.com/twilio/voice"
CALLED, CALLER, DESK = "+14155550199", "+14155550123", "+14155550100"
ALLOWED = frozenset({CALLED, CALLER})


def dial(attributes: str = "", inside: str = DESK) -> Dial:
    document = f"<Response><Dial {attributes}>{inside}</Dial></Response>"
    [verb] = parse(document.encode(), "text/xml", URL)
    assert isinstance(verb, Dial)
    return verb


def test_a_dial_has_twilios_defaults_where_nothing_is_said() -> None:
    assert dial() == Dial((Noun("Number", DESK),), None, "", 30, 14_400)


def test_a_dial_has_what_its_attributes_say() -> None:
    attributes = f"""action="/done" method="GET" callerId="{CALLED}" timeout="20" timeLimit="60"
        hangupOnStar="true" answerOnBridge="true" record="record-from-answer" trim="trim-silence"
        """
    done = Request("https://voice.example.com/done", "GET")
    number = (Noun("Number", DESK),)
    assert dial(attributes) == Dial(number, done, CALLED, 20, 60, True, True)


@pytest.mark.parametrize(
    ("inside", "noun"),
    [
        (f'<Number sendDigits="ww12#">{DESK}</Number>', Noun("Number", DESK, "ww12#")),
        ("<Sip username='a'>sip:desk@example.com</Sip>", Noun("Sip", "sip:desk@example.com")),
        ("<Client>alice</Client>", Noun("Client", "alice")),
        ("<Client><Identity>alice</Identity></Client>", Noun("Client", "alice")),
        ('<Conference beep="onEnter">Room 1</Conference>',
         Noun("Conference", "Room 1", terms=Terms(beep="onEnter"))),
        ("<Queue>support</Queue>", Noun("Queue", "support")),
        ("<Sim>DE1</Sim>", Noun("Sim", "DE1")),
        (f"<WhatsApp>{DESK}</WhatsApp>", Noun("WhatsApp", DESK)),
        ("<Application><ApplicationSid>AP1</ApplicationSid></Application>",
         Noun("Application", "AP1")),
    ],
)  # fmt: skip
def test_each_noun_is_its_own(inside: str, noun: Noun) -> None:
    assert dial(inside=inside).nouns == (noun,)


def test_several_ring_at_once() -> None:
    nouns = dial(inside=f"<Number>{DESK}</Number><Client>alice</Client>").nouns
    assert [noun.kind for noun in nouns] == ["Number", "Client"]


@pytest.mark.parametrize(
    ("attributes", "inside", "code"),
    [
        ('colour="red"', DESK, 12200),
        ('method="PUT"', DESK, 13211),
        ('timeout="0"', DESK, 13212),
        ('timeout="soon"', DESK, 13212),
        ('timeout="²"', DESK, 13212),
        ('hangupOnStar="yes"', DESK, 13213),
        ('timeLimit="0"', DESK, 13216),
        (f'callerId="{"1" * 256}"', DESK, 13248),
        ('answerOnBridge="1"', DESK, 12200),
        ('record="yes"', DESK, 12200),
        ('recordingStatusCallback="/done"', DESK, 12200),
        ('recordingStatusCallbackEvent="completed,absent"', DESK, 12200),
        ("", "", 13223),
        ("", "the desk", 13223),
        ("", "sip:desk@example.com", 13223),
        ("", "04155550100", 13224),
        ("", "<Number>+1</Number>", 13224),
        ("", '<Number sendDigits="1,2">+14155550100</Number>', 12200),
        ("", '<Number callerId="+14155550199">+14155550100</Number>', 12200),
        ("", '<Number statusCallbackEvent="ringing,answered">+14155550100</Number>', 12200),
        ("", '<Number machineDetection="On">+14155550100</Number>', 12200),
        ("", "<Sip>+14155550100</Sip>", 13215),
        ("", '<Sip sendDigits="1">sip:a@b.c</Sip>', 12200),
        ("", "<Client/>", 13215),
        ("", '<Client username="a">alice</Client>', 12200),
        ("", "<Conference/>", 13215),
        ("", '<Conference muted="yes">Room</Conference>', 12200),
        ("", '<Conference maxParticipants="1">Room</Conference>', 12200),
        ("", '<Conference statusCallback="/told">Room</Conference>', 12200),
        ("", '<Conference statusCallbackEvent="join">Room</Conference>', 12200),
        ("", "<Queue> </Queue>", 13215),
        ("", "<Say>a</Say>", 13215),
        ("", "+14155550100<Client>alice</Client>", 13215),
        ("", "<Client>alice</Client><Queue>support</Queue>", 13215),
        ("", "<Client>alice</Client>" * 11, 13215),
    ],
)
def test_what_twilio_warns_of_is_refused_with_its_code(
    attributes: str, inside: str, code: int
) -> None:
    with pytest.raises(TwimlError) as raised:
        dial(attributes, inside)
    assert raised.value.code == code


@pytest.mark.parametrize("caller", ["client:alice", "sip:bob@example.com", "anonymous", ""])
def test_a_caller_without_a_number_needs_a_caller_id_towards_a_number(caller: str) -> None:
    assert "no number" in dial().caller_id_fault(caller, ALLOWED)
    assert dial(f'callerId="{CALLED}"').caller_id_fault(caller, ALLOWED) == ""
    assert dial(inside="<Sip>sip:a@b.c</Sip>").caller_id_fault(caller, ALLOWED) == ""


def test_a_caller_id_is_of_the_call_or_verified() -> None:
    assert dial().caller_id_fault(CALLER, ALLOWED) == ""
    stranger = dial('callerId="+14155550111"')
    assert "verified" in stranger.caller_id_fault(CALLER, ALLOWED)
    assert stranger.caller_id_fault(CALLER, ALLOWED | {"+14155550111"}) == ""
    assert "no number" in dial('callerId="Offhook"').caller_id_fault(CALLER, ALLOWED)
