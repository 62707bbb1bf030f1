"""TwiML as Twilio reads it: a document becomes a tuple of verbs, checked strictly, URLs resolved.

Source: Twilio's documentation (TwiML voice, Stream, Connect; errors 12100, 12200, 12300, 31922,
31941; read in October 2026). What Twilio's pages leave open is refused here, so that our server
does not come to rely on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

DOCUMENT_LIMIT_BYTES = 64 * 1024
PARAMETER_LIMIT = 500
"""Name and value together stay below this."""

type Method = Literal["GET", "POST"]


class TwimlError(ValueError):
    """Twilio plays "an application error has occurred" and hangs up. `code` is Twilio's own."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Request:
    """Where the document goes on."""

    url: str
    method: Method = "POST"


@dataclass(frozen=True, slots=True)
class Stream:
    """A bidirectional Media Stream. `name` is "" where its streamSid is to be its name."""

    url: str
    name: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    status_callback: Request | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    """Stay in the stream until it ends, then go on with `action`, or else the next verb."""

    stream: Stream
    action: Request | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text to the caller."""

    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """Play a file, or key tones."""

    url: str = ""
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence."""

    length_ms: int = 1000


@dataclass(frozen=True, slots=True)
class Redirect:
    """Replace the document."""

    request: Request


@dataclass(frozen=True, slots=True)
class Dial:
    """Call somebody else into the call; then `action`, or else the next verb."""

    number: str
    action: Request | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the call before it is answered."""

    reason: str = "rejected"


type Verb = Connect | Say | Play | Pause | Redirect | Dial | Hangup | Reject


def parse(document: bytes, content_type: str, url: str) -> tuple[Verb, ...]:
    """The verbs of a document, in order.

    Args:
        document: The body of the answer.
        content_type: Its header.
        url: Where it came from: relative URLs are taken from there, and from there asked again
            where a verb says to redirect without saying where.

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
    _allow(element, "action", "method")
    if [noun.tag for noun in element] != ["Stream"]:
        raise TwimlError(12200, "Connect holds exactly one Stream")
    return Connect(_stream(element[0], url), _request(element, "action", "method", url))


def _stream(element: ET.Element, url: str) -> Stream:
    _allow(element, "url", "name", "track", "statusCallback", "statusCallbackMethod")
    stream_url = element.get("url", "")
    if not urlsplit(stream_url).scheme:
        stream_url = "ws" + urljoin(url, stream_url).removeprefix("http")
    if urlsplit(stream_url).scheme != "wss":
        raise TwimlError(31922, f"the stream's url {stream_url!r} is not wss")
    if "?" in stream_url:
        raise TwimlError(31920, "a stream's url has no query; use Parameter")
    if element.get("track", "inbound_track") != "inbound_track":
        raise TwimlError(31941, "a bidirectional stream has the inbound_track only")
    callback = element.get("statusCallback")
    if callback is not None and not urlsplit(callback).scheme:
        raise TwimlError(12200, "statusCallback is an absolute URL")
    return Stream(
        stream_url,
        element.get("name", ""),
        dict(_parameter(child) for child in element),
        _request(element, "statusCallback", "statusCallbackMethod", url),
    )


def _parameter(element: ET.Element) -> tuple[str, str]:
    _allow(element, "name", "value")
    name, value = element.get("name", ""), element.get("value", "")
    if element.tag != "Parameter" or not name:
        raise TwimlError(12200, "a Stream holds Parameters with names")
    if len(name) + len(value) >= PARAMETER_LIMIT:
        raise TwimlError(12200, f"parameter {name!r} is not below {PARAMETER_LIMIT} characters")
    return name, value


def _say(element: ET.Element, _url: str) -> Say:
    return Say(" ".join("".join(element.itertext()).split()))


def _play(element: ET.Element, url: str) -> Play:
    digits = element.get("digits", "")
    return Play(digits=digits) if digits else Play(urljoin(url, (element.text or "").strip()))


def _pause(element: ET.Element, _url: str) -> Pause:
    _allow(element, "length")
    length = element.get("length", "1")
    if not length.isdecimal():
        raise TwimlError(12200, f"a Pause of {length!r} seconds")
    return Pause(int(length) * 1000)


def _redirect(element: ET.Element, url: str) -> Redirect:
    _allow(element, "method")
    return Redirect(Request(urljoin(url, (element.text or "").strip()), _method(element, "method")))


def _dial(element: ET.Element, url: str) -> Dial:
    number = " ".join("".join(element.itertext()).split())
    return Dial(number, _request(element, "action", "method", url))


def _hangup(_element: ET.Element, _url: str) -> Hangup:
    return Hangup()


def _reject(element: ET.Element, _url: str) -> Reject:
    _allow(element, "reason")
    return Reject(element.get("reason", "rejected"))


def _request(element: ET.Element, key: str, method_key: str, url: str) -> Request | None:
    target = element.get(key)
    return None if target is None else Request(urljoin(url, target), _method(element, method_key))


def _method(element: ET.Element, key: str) -> Method:
    match element.get(key, "POST").upper():
        case "GET":
            return "GET"
        case "POST":
            return "POST"
        case other:
            raise TwimlError(12200, f"{key} {other!r} is neither GET nor POST")


def _allow(element: ET.Element, *names: str) -> None:
    for name in element.keys():  # noqa: SIM118 - an Element iterates over its children
        if name not in names:
            raise TwimlError(12200, f"{element.tag} has no attribute {name}")


_READERS: dict[str, Callable[[ET.Element, str], Verb]] = {
    "Connect": _connect,
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Redirect": _redirect,
    "Dial": _dial,
    "Hangup": _hangup,
    "Reject": _reject,
}
