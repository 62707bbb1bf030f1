import pytest

from telephony.simulator.dial import Dial, Noun
from telephony.simulator.elements import Request, TwimlError
from telephony.simulator.twiml import (
    Connect,
    Gather,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
    parse,
)

URL = "https://voice.example.com/twilio/voice"


def read(inside: str) -> tuple[Verb, ...]:
    return parse(f"<Response>{inside}</Response>".encode(), "text/xml; charset=utf-8", URL)


def test_a_connect_with_its_stream_parameters_and_callbacks() -> None:
    assert read(
        """<Connect action="/twilio/resume">
             <Stream url="wss://voice.example.com/twilio/media" statusCallback="https://x.org/s">
               <Parameter name="token" value="a b"/><Parameter name="empty" value=""/>
             </Stream>
           </Connect>
           <Redirect method="GET">resume?x=1</Redirect>"""
    ) == (
        Connect(
            Stream(
                "wss://voice.example.com/twilio/media",
                parameters={"token": "a b", "empty": ""},
                status_callback=Request("https://x.org/s"),
            ),
            Request("https://voice.example.com/twilio/resume"),
        ),
        Redirect(Request("https://voice.example.com/twilio/resume?x=1", "GET")),
    )


def test_a_relative_stream_is_taken_from_the_document() -> None:
    assert read('<Connect><Stream url="/media"/></Connect>') == (
        Connect(Stream("wss://voice.example.com/media")),
    )


def test_a_gather_waits_for_keys() -> None:
    assert read("<Gather/>") == (Gather(Request(URL)),)
    assert read(
        """<Gather input="dtmf" action="/keyed" method="GET" numDigits="1" timeout="8"
             finishOnKey="" actionOnEmptyResult="true">
             <Say>Press one.</Say><Pause/><Play>a.wav</Play></Gather>"""
    ) == (
        Gather(
            Request("https://voice.example.com/keyed", "GET"),
            (Say("Press one."), Pause(), Play("https://voice.example.com/twilio/a.wav")),
            keys=1,
            timeout_ms=8_000,
            finish="",
            on_nothing=True,
        ),
    )


def test_the_other_verbs() -> None:
    assert read(
        """<Say language="en" voice="Polly.Amy-Neural" loop="2">Good  bye,
           <emphasis>friend</emphasis></Say><Pause/><Pause length="3"/><Play digits="12"/>
           <Play loop="0">a.wav</Play><Dial action="/dialled">+1 (415) 555-0100</Dial>
           <Reject reason="busy"/><Hangup/>"""
    ) == (
        Say("Good bye, friend", 2),
        Pause(1000),
        Pause(3000),
        Play(digits="12"),
        Play("https://voice.example.com/twilio/a.wav", loop=0),
        Dial((Noun("Number", "+14155550100"),), Request("https://voice.example.com/dialled")),
        Reject("busy"),
        Hangup(),
    )


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("<Dance/>", 12200),
        ("<Gather><Hangup/></Gather>", 12200),
        ('<Gather input="speech"/>', 12200),
        ('<Gather finishOnKey="12"/>', 12200),
        ('<Gather timeout="0"/>', 12200),
        ("<Connect/>", 12200),
        ('<Connect><Stream url="https://x.org/m"/></Connect>', 31922),
        ('<Connect><Stream url="ws://x.org/m"/></Connect>', 31922),
        ('<Connect><Stream url="wss://x.org/m?token=1"/></Connect>', 31920),
        ('<Connect><Stream url="wss://x.org/m" track="both_tracks"/></Connect>', 31941),
        ('<Connect><Stream url="wss://x.org/m" statusCallback="/s"/></Connect>', 12200),
        ('<Connect><Stream url="wss://x.org/m" colour="red"/></Connect>', 12200),
        ('<Connect><Stream url="wss://x.org/m"><Parameter value="1"/></Stream></Connect>', 12200),
        ('<Redirect method="PUT">/x</Redirect>', 12200),
        ('<Pause length="-1"/>', 12200),
        ('<Play loop="x">a.wav</Play>', 12200),
        ('<Play digits="1">a.wav</Play>', 12200),
        ('<Play digits="1,2"/>', 12200),
        ('<Hangup reason="bored"/>', 12200),
        ('<Reject reason="bored"/>', 12200),
        ('<Say loop="-1">a</Say>', 13510),
        ('<Say voice="Morgan">a</Say>', 13511),
        ('<Say language="English">a</Say>', 13512),
        ("<Say> </Say>", 13520),
        ("<Say><Dial>+14155550100</Dial></Say>", 13520),
        ("<Say>" + "a" * 4_097 + "</Say>", 13520),
        ('<Say rate="fast">a</Say>', 12200),
        ("<Say>" + "a" * 65_536 + "</Say>", 11750),
        ("<Say>", 12100),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_code(inside: str, code: int) -> None:
    with pytest.raises(TwimlError) as raised:
        read(inside)
    assert raised.value.code == code


def test_a_parameter_has_less_than_500_characters() -> None:
    def connect(value: str) -> str:
        parameter = f'<Parameter name="n" value="{value}"/>'
        return f'<Connect><Stream url="wss://x.org/m">{parameter}</Stream></Connect>'

    assert isinstance(read(connect("v" * 498))[0], Connect)
    with pytest.raises(TwimlError, match="12200"):
        read(connect("v" * 499))


@pytest.mark.parametrize("content_type", ["", "text/html", "application/json"])
def test_other_content_types_are_refused(content_type: str) -> None:
    with pytest.raises(TwimlError, match="12300"):
        parse(b"<Response/>", content_type, URL)


def test_another_root_is_refused() -> None:
    with pytest.raises(TwimlError, match="12100"):
        parse(b"<html/>", "text/xml", URL)
