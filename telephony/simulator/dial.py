"""Reads `<Dial>` and its nouns: who is called, and which number they see. Pure.

Source: Twilio's documentation (TwiML Dial, Number, Sip, Client, Conference, Queue, Sim,
Application; errors 13211 to 13224, 13248; read in October 2026), and the twilio library's names.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal
from xml.etree import ElementTree as ET

from telephony.simulator.conference_element import Terms, read_conference
from telephony.simulator.elements import (
    SCHEMA,
    Request,
    TwimlError,
    absolute,
    allow,
    childless,
    flag,
    method,
    one_of,
    request,
    text,
    whole,
    words,
)

BAD_METHOD, BAD_TIMEOUT, BAD_STAR = 13211, 13212, 13213
BAD_CALLER_ID, BAD_NOUN, BAD_TIME_LIMIT = 13214, 13215, 13216
BAD_NUMBER, UNSUPPORTED_NUMBER, LONG_CALLER_ID = 13223, 13224, 13248

DAY_S = 24 * 3600
RING_LIMIT_S = 600
CALLER_ID_CHARS = 255
LEGS = 10
"""How many numbers, addresses and clients may ring at once."""

type Kind = Literal[
    "Number", "Sip", "Client", "Conference", "Queue", "Sim", "Application", "WhatsApp"
]


@dataclass(frozen=True, slots=True)
class Noun:
    """A party to call: an E.164 number, a sip: URI, a client's identity, or a conference's name."""

    kind: Kind
    address: str
    send_digits: str = ""
    terms: Terms | None = None
    """On which terms the call takes part in a conference; None for every other kind."""
    status: Request | None = None
    """What is told how this leg goes."""
    events: tuple[str, ...] = ("completed",)
    """Of what it is told."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the caller to somebody else; then continue with `action`, or else the next verb.

    Args:
        nouns: The parties to call, all at once.
        action: The request when it is over.
        caller_id: The number that they see; "" for the caller's number.
        timeout_s: How long they ring.
        time_limit_s: How long they may talk.
        hangup_on_star: Whether the caller ends the connection with *.
        answer_on_bridge: Whether the caller hears ringing until somebody answers.
    """

    nouns: tuple[Noun, ...]
    action: Request | None = None
    caller_id: str = ""
    timeout_s: int = 30
    time_limit_s: int = 4 * 3600
    hangup_on_star: bool = False
    answer_on_bridge: bool = False

    def caller_id_fault(self, caller: str, allowed: frozenset[str]) -> str:
        """What is wrong with the number that the dialled side sees; "" if nothing (13214).

        Args:
            caller: The caller, from `From`.
            allowed: The calling and the called number, and the account's own and verified ones.
        """
        if all(noun.kind not in {"Number", "WhatsApp"} for noun in self.nouns):
            return ""
        shown = self.caller_id or caller
        if not is_e164(shown):
            given = "callerId" if self.caller_id else "no callerId is given, and From"
            return f"{given} is {shown!r}, which is no number in E.164"
        if shown not in allowed:
            return f"callerId {shown} is neither the calling, the called, nor a verified number"
        return ""


def read_dial(element: ET.Element, url: str) -> Dial:
    """Read a `<Dial>`, and check each attribute."""
    allow(element, *_DIAL)
    caller_id = element.get("callerId", "")
    if len(caller_id) > CALLER_ID_CHARS:
        raise TwimlError(LONG_CALLER_ID, "callerId has too many characters")
    one_of(element, "record", "do-not-record", *_RECORD)
    one_of(element, "trim", "do-not-trim", "trim-silence")
    one_of(element, "recordingTrack", "both", "inbound", "outbound")
    words(element, "recordingStatusCallbackEvent", "in-progress", "completed", "absent")
    absolute(element, "recordingStatusCallback", "recordingStatusCallbackMethod", url)
    request(element, "referUrl", "referMethod", url)
    flag(element, "sequential")
    return Dial(
        _nouns(element, url),
        request(element, "action", "method", url, code=BAD_METHOD),
        caller_id,
        whole(element, "timeout", 30, most=RING_LIMIT_S, code=BAD_TIMEOUT),
        whole(element, "timeLimit", 4 * 3600, most=DAY_S, code=BAD_TIME_LIMIT),
        flag(element, "hangupOnStar", code=BAD_STAR),
        flag(element, "answerOnBridge"),
    )


def is_e164(number: str) -> bool:
    """Whether this is a number in E.164."""
    return bool(_E164(number))


def _nouns(element: ET.Element, url: str) -> tuple[Noun, ...]:
    if not len(element):
        return (_number(element.text or ""),)
    if (element.text or "").strip():
        raise TwimlError(BAD_NOUN, "Dial holds a number or nouns, not both")
    found = []
    for child in element:
        reader = _NOUNS.get(child.tag)
        if reader is None:
            raise TwimlError(BAD_NOUN, f"Dial holds no {child.tag}")
        found.append(reader(child, url))
    kinds = {noun.kind for noun in found}
    if len(found) > 1 and not kinds <= {"Number", "Sip", "Client"}:
        raise TwimlError(BAD_NOUN, f"{' and '.join(sorted(kinds))} do not ring together")
    if len(found) > LEGS:
        raise TwimlError(BAD_NOUN, f"{len(found)} ring at once, where {LEGS} may")
    return tuple(found)


def _number(written: str, send_digits: str = "") -> Noun:
    number = re.sub(r"[ ().-]", "", written.strip())
    if not re.fullmatch(r"\+?[0-9]+", number):
        raise TwimlError(BAD_NUMBER, f"Dial: {written.strip()!r} is no telephone number")
    if not is_e164(number):
        raise TwimlError(UNSUPPORTED_NUMBER, f"Dial: {number} is not in E.164")
    return Noun("Number", number, send_digits)


def _read_number(element: ET.Element, url: str) -> Noun:
    allow(element, "sendDigits", "byoc", *_LEG, *_MACHINE)
    told = _leg(element, url)
    digits = element.get("sendDigits", "")
    if not re.fullmatch(r"[0-9A-D#*wW]*", digits):
        raise TwimlError(SCHEMA, f"Number: sendDigits has keys and w or W, not {digits!r}")
    return replace(_number(text(element), digits), status=told[0], events=told[1])


def _read_sip(element: ET.Element, url: str) -> Noun:
    allow(element, "username", "password", *_LEG, *_MACHINE)
    told = _leg(element, url)
    address = text(element)
    if not re.fullmatch(r"sips?:[^\s@]+@[^\s@]+", address):
        raise TwimlError(BAD_NOUN, f"Sip: {address!r} is no sip: address")
    return replace(Noun("Sip", address), status=told[0], events=told[1])


def _read_client(element: ET.Element, url: str) -> Noun:
    allow(element, *_LEG)
    inside = {child.tag: child for child in element}
    if not inside.keys() <= {"Identity", "Parameter"}:
        raise TwimlError(SCHEMA, "Client holds an Identity and Parameters")
    _callbacks(element, url)
    identity = text(inside["Identity"]) if "Identity" in inside else (element.text or "").strip()
    if not identity:
        raise TwimlError(BAD_NOUN, "Client has no identity")
    return Noun("Client", identity)


def _read_conference(element: ET.Element, url: str) -> Noun:
    terms = read_conference(element, url)
    return Noun("Conference", _named(element), terms=terms)


def _read_queue(element: ET.Element, url: str) -> Noun:
    allow(element, "url", "method", "reservationSid", "postWorkActivitySid")
    request(element, "url", "method", url)
    return Noun("Queue", _named(element))


def _read_sim(element: ET.Element, url: str) -> Noun:
    allow(element, *_LEG)
    _leg(element, url)
    return Noun("Sim", _named(element))


def _read_whats_app(element: ET.Element, url: str) -> Noun:
    allow(element, *_LEG)
    _leg(element, url)
    return Noun("WhatsApp", _number(text(element)).address)


def _read_application(element: ET.Element, url: str) -> Noun:
    allow(element, "customerId", "copyParentTo", *_LEG)
    _callbacks(element, url)
    inside = {child.tag: child for child in element}
    if not inside.keys() <= {"ApplicationSid", "Parameter"}:
        raise TwimlError(SCHEMA, "Application holds an ApplicationSid and Parameters")
    sid = inside.get("ApplicationSid", element)
    return Noun("Application", (sid.text or "").strip())


def _named(element: ET.Element) -> str:
    if not (name := text(element)):
        raise TwimlError(BAD_NOUN, f"{element.tag} has no name")
    return name


def _leg(element: ET.Element, url: str) -> tuple[Request | None, tuple[str, ...]]:
    """What is told how a leg goes, and of which events."""
    childless(element)
    told = _callbacks(element, url)
    one_of(element, "machineDetection", "Disable", "Enable", "DetectMessageEnd")
    return told


def _callbacks(element: ET.Element, url: str) -> tuple[Request | None, tuple[str, ...]]:
    request(element, "url", "method", url)
    told = absolute(element, "statusCallback", "statusCallbackMethod", url)
    known = ("initiated", "ringing", "answered", "completed")
    events = words(element, "statusCallbackEvent", *known)
    method(element, "amdStatusCallbackMethod")
    return told, events or ("completed",)


_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch

_RECORD = ("record-from-answer", "record-from-ringing", "record-from-answer-dual",
           "record-from-ringing-dual", "true", "false")  # fmt: skip

_DIAL = ("action", "method", "timeout", "hangupOnStar", "timeLimit", "callerId", "record", "trim",
         "recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent",
         "recordingConfigurationId", "recordingTrack", "answerOnBridge", "ringTone", "sequential",
         "referUrl", "referMethod", "events", "passports", "callerDisplayName")  # fmt: skip

_LEG = ("url", "method", "statusCallback", "statusCallbackMethod", "statusCallbackEvent")

_MACHINE = ("machineDetection", "machineDetectionTimeout", "machineDetectionSpeechThreshold",
            "machineDetectionSpeechEndThreshold", "machineDetectionSilenceTimeout",
            "amdStatusCallback", "amdStatusCallbackMethod")  # fmt: skip

_NOUNS: Mapping[str, Callable[[ET.Element, str], Noun]] = {
    "Number": _read_number,
    "Sip": _read_sip,
    "Client": _read_client,
    "Conference": _read_conference,
    "Queue": _read_queue,
    "Sim": _read_sim,
    "Application": _read_application,
    "WhatsApp": _read_whats_app,
}
