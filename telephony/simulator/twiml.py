"""Reads TwiML as Twilio does: a document becomes a tuple of verbs, checked strictly, URLs resolved.

Source: Twilio's documentation (TwiML voice, Stream, Connect, Say; errors 12100, 12200, 12300,
13510 to 13520, 31922, 31941; read in October 2026). Where the documentation is not clear, this
module refuses the document, so that our server does not come to rely on it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

from telephony.simulator.dial import Dial, read_dial
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
)

DOCUMENT_LIMIT_BYTES = 64 * 1024
PARAMETER_LIMIT = 500
"""A parameter's name and value together must be shorter than this."""

SAY_LIMIT_CHARS = 4096
PAUSE_LIMIT_S = 14_400

BAD_LOOP, BAD_VOICE, BAD_LANGUAGE, BAD_TEXT = 13510, 13511, 13512, 13520


@dataclass(frozen=True, slots=True)
class Stream:
    """A bidirectional Media Stream. If `name` is "", its streamSid is its name."""

    url: str
    name: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    status_callback: Request | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    """Stay in the stream until it ends, then continue with `action`, or else the next verb."""

    stream: Stream
    action: Request | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text to the caller, several times; 0 repeats it without end."""

    text: str
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    """Play a file, or key tones, several times; 0 repeats it without end."""

    url: str = ""
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    length_ms: int = 1000


@dataclass(frozen=True, slots=True)
class Redirect:
    """Replace the document."""

    request: Request


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the call before it is answered."""

    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Gather:
    """Wait for keys, then continue with `action`; without keys, with the next verb.

    Args:
        action: What is asked with the keys.
        prompts: What is heard meanwhile. The first key ends it.
        keys: How many keys end the wait; 0 for any number.
        timeout_ms: How long it waits behind the prompts, and behind each key.
        finish: The key that ends the wait, and does not count; "" for none.
        on_nothing: The action is asked also without keys.
    """

    action: Request
    prompts: tuple[Say | Play | Pause, ...] = ()
    keys: int = 0
    timeout_ms: int = 5_000
    finish: str = "#"
    on_nothing: bool = False


type Verb = Connect | Say | Play | Pause | Redirect | Dial | Gather | Hangup | Reject


def parse(document: bytes, content_type: str, url: str) -> tuple[Verb, ...]:
    """The verbs of a document, in order.

    Args:
        document: The body of the answer.
        content_type: Its Content-Type header.
        url: The URL of the document, for relative URLs, and for verbs that redirect without a URL.

    Raises:
        TwimlError: Twilio would refuse it.
    """
    if content_type.partition(";")[0].strip().lower() not in {"text/xml", "application/xml"}:
        raise TwimlError(12300, f"content type {content_type!r} is not text/xml")
    if len(document) > DOCUMENT_LIMIT_BYTES:
        raise TwimlError(11750, f"{len(document)} bytes are more than {DOCUMENT_LIMIT_BYTES}")
    try:
        root = ET.fromstring(document)  # noqa: S314 - the document of our own server
    except ET.ParseError as error:
        raise TwimlError(12100, f"not XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12100, f"the root is {root.tag}, not Response")
    return tuple(_verb(element, url) for element in root)


def _verb(element: ET.Element, url: str) -> Verb:
    reader = _READERS.get(element.tag)
    if reader is None:
        raise TwimlError(12200, f"{element.tag} is no verb we know")
    return reader(element, url)


def _connect(element: ET.Element, url: str) -> Connect:
    allow(element, "action", "method")
    if [noun.tag for noun in element] != ["Stream"]:
        raise TwimlError(SCHEMA, "Connect holds exactly one Stream")
    return Connect(_stream(element[0], url), request(element, "action", "method", url))


def _stream(element: ET.Element, url: str) -> Stream:
    allow(element, "url", "name", "track", "statusCallback", "statusCallbackMethod")
    stream_url = element.get("url", "")
    if not urlsplit(stream_url).scheme:
        stream_url = "ws" + urljoin(url, stream_url).removeprefix("http")
    if urlsplit(stream_url).scheme != "wss":
        raise TwimlError(31922, f"the stream's url {stream_url!r} is not wss")
    if "?" in stream_url:
        raise TwimlError(31920, "a stream's url has no query; use Parameter")
    if element.get("track", "inbound_track") != "inbound_track":
        raise TwimlError(31941, "a bidirectional stream has the inbound_track only")
    return Stream(
        stream_url,
        element.get("name", ""),
        dict(_parameter(child) for child in element),
        absolute(element, "statusCallback", "statusCallbackMethod", url),
    )


def _parameter(element: ET.Element) -> tuple[str, str]:
    allow(element, "name", "value")
    name, value = element.get("name", ""), element.get("value", "")
    if element.tag != "Parameter" or not name:
        raise TwimlError(SCHEMA, "a Stream holds Parameters with names")
    if len(name) + len(value) >= PARAMETER_LIMIT:
        raise TwimlError(SCHEMA, f"parameter {name!r} is not below {PARAMETER_LIMIT} characters")
    return name, value


def _say(element: ET.Element, _url: str) -> Say:
    allow(element, "voice", "language", "loop")
    voice, language = element.get("voice", "man"), element.get("language", "en-US")
    if not _VOICE(voice):
        raise TwimlError(BAD_VOICE, f"Say: {voice!r} is no voice of Twilio's")
    if not _LANGUAGE(language):
        raise TwimlError(BAD_LANGUAGE, f"Say: {language!r} is no language, such as en-US")
    for child in element.iter():
        if child is not element and child.tag not in _SSML:
            raise TwimlError(BAD_TEXT, f"Say holds text and SSML, not {child.tag}")
    if not (said := text(element)):
        raise TwimlError(BAD_TEXT, "Say has no text")
    if len(said) > SAY_LIMIT_CHARS:
        raise TwimlError(BAD_TEXT, f"Say: {len(said)} characters are more than {SAY_LIMIT_CHARS}")
    return Say(said, whole(element, "loop", 1, least=0, most=1000, code=BAD_LOOP))


def _play(element: ET.Element, url: str) -> Play:
    allow(element, "loop", "digits")
    childless(element)
    loop = whole(element, "loop", 1, least=0, most=1000)
    digits, file = element.get("digits", ""), text(element)
    if not re.fullmatch(r"[0-9A-D#*wW]*", digits):
        raise TwimlError(SCHEMA, f"Play: digits has keys and w or W, not {digits!r}")
    if bool(digits) == bool(file):
        raise TwimlError(SCHEMA, "Play has a URL, or digits, and not both")
    return Play("" if digits else urljoin(url, file), digits, loop)


def _pause(element: ET.Element, _url: str) -> Pause:
    allow(element, "length")
    childless(element)
    return Pause(whole(element, "length", 1, least=0, most=PAUSE_LIMIT_S) * 1000)


def _gather(element: ET.Element, url: str) -> Gather:
    allow(element, "input", "action", "method", "timeout", "numDigits", "finishOnKey",
          "actionOnEmptyResult")  # fmt: skip
    one_of(element, "input", "dtmf")  # speech would need a recogniser
    finish = element.get("finishOnKey", "#")
    if len(finish) > 1 or finish not in "0123456789*#":
        raise TwimlError(SCHEMA, f"Gather: finishOnKey is one key, or empty, not {finish!r}")
    prompts = tuple(_verb(child, url) for child in element)
    if not all(isinstance(each, Say | Play | Pause) for each in prompts):
        raise TwimlError(SCHEMA, "Gather holds Say, Play and Pause")
    asked = request(element, "action", "method", url)
    return Gather(
        asked or Request(url, method(element, "method")),
        tuple(each for each in prompts if isinstance(each, Say | Play | Pause)),
        whole(element, "numDigits", 0, least=0, most=1000),
        whole(element, "timeout", 5, least=1, most=600) * 1000,
        finish,
        flag(element, "actionOnEmptyResult"),
    )


def _redirect(element: ET.Element, url: str) -> Redirect:
    allow(element, "method")
    childless(element)
    return Redirect(Request(urljoin(url, text(element)), method(element, "method")))


def _hangup(element: ET.Element, _url: str) -> Hangup:
    allow(element)
    childless(element)
    return Hangup()


def _reject(element: ET.Element, _url: str) -> Reject:
    allow(element, "reason")
    childless(element)
    return Reject(one_of(element, "reason", "rejected", "busy"))


_VOICE = re.compile(r"man|woman|alice|(Polly|Google|ElevenLabs|Amazon)\.[A-Za-z0-9-]+").fullmatch
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*").fullmatch

_SSML = frozenset(
    {"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"}
)

_READERS: dict[str, Callable[[ET.Element, str], Verb]] = {
    "Connect": _connect,
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Redirect": _redirect,
    "Dial": read_dial,
    "Gather": _gather,
    "Hangup": _hangup,
    "Reject": _reject,
}
