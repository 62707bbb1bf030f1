"""Checks and parses the messages that a client of a Live session sends.

Clients mix snake_case and camelCase, and use both base64 alphabets, with or without padding. All of
these are accepted. A message that the real service refuses is refused here with the same close
code. Where that is undocumented, this server is strict, so that you find a mistake before Google
does.

Source: Gemini Live API, BidiGenerateContent (v1beta, read in October 2026); captures of
google-genai 3.4.0; close reasons as reported by users.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

from agent.simulator.activity import RATE_HZ, Detection
from agent.simulator.behaviour import Behaviour
from agent.simulator.memory import Entry

type Message = dict[str, object]

PATH = re.compile(
    r"//?ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)"
    r"\.GenerativeService\.BidiGenerateContent(Constrained)?"
)
"""The base URL of the SDK ends in a slash, so the real path begins with two."""

SPEECH_DBFS = {"START_SENSITIVITY_HIGH": -45.0, "START_SENSITIVITY_LOW": -35.0}
END_SENSITIVITIES = frozenset({"END_SENSITIVITY_HIGH", "END_SENSITIVITY_LOW"})
BEHAVIORS = frozenset({"BLOCKING", "NON_BLOCKING"})
SCHEDULINGS = frozenset({"WHEN_IDLE", "INTERRUPT", "SILENT"})
HANDLINGS = frozenset({"START_OF_ACTIVITY_INTERRUPTS", "NO_INTERRUPTION"})
SETUP_FIELDS = frozenset(
    {
        "model",
        "generationConfig",
        "systemInstruction",
        "tools",
        "sessionResumption",
        "inputAudioTranscription",
        "outputAudioTranscription",
        "realtimeInputConfig",
        "contextWindowCompression",
        "proactivity",
        "historyConfig",
        "safetySettings",
        "labels",
    }
)


class Invalid(Exception):  # noqa: N818 - the wire's word: "Request contains an invalid argument"
    """The service refuses a client's message; the session closes with this code and reason."""

    def __init__(self, reason: str, code: int = 1007) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Setup:
    """The fields of the first message that are used here. `handle` is "" for a fresh session;
    `tools` holds the declared functions, and whether each is BLOCKING.
    """

    handle: str
    system_instruction: str
    detection: Detection
    interrupts: bool
    input_transcription: bool
    output_transcription: bool
    tools: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Audio:
    """Caller audio: PCM, int16 little-endian, mono."""

    pcm: bytes
    rate_hz: int


@dataclass(frozen=True, slots=True)
class AudioStreamEnd:
    """No more audio comes for now."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The client reports that the caller begins to speak, or has finished."""

    begins: bool


@dataclass(frozen=True, slots=True)
class Text:
    """Text as realtime input: a user turn of its own."""

    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """Turns to append to the history; when `complete`, the model is to answer them."""

    entries: tuple[Entry, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one call; with `goes_on`, another follows."""

    id: str
    name: str
    response: Message
    scheduling: str
    goes_on: bool


OpenMessage = Audio | AudioStreamEnd | Activity | Text | Content | ToolResult
ClientMessage = Setup | OpenMessage


def read(message: object, behaviour: Behaviour) -> list[ClientMessage]:
    """The parts of a client's message. It is empty if the message has no effect here.

    Raises:
        Invalid: The service would refuse it.
    """
    match message:
        case {"realtimeInput": {"audio": {"data": str(), "mimeType": str()} as blob}}:
            return [_audio(blob)]  # nearly all messages are like this
    match _camel(message):
        case {"setup": dict(setup)}:
            return [_setup(setup, behaviour)]
        case {"realtimeInput": dict(given)}:
            return _realtime(given)
        case {"clientContent": dict(content)}:
            return [_content(content)]
        case {"toolResponse": {"functionResponses": list(responses)}}:
            return [_result(response) for response in responses]
        case {"contextUpdate": dict()}:
            return []
    raise Invalid("Request contains an invalid argument.")


def _setup(setup: Message, behaviour: Behaviour) -> Setup:
    for unknown in setup.keys() - SETUP_FIELDS:
        raise Invalid(f"Invalid JSON payload received. Unknown name \"{unknown}\" at 'setup'.")
    model = str(setup.get("model", "")).rpartition("/")[2]
    if model not in behaviour.models:
        raise Invalid(f"models/{model} is not found, or is not supported for Live.", 1008)
    _check_generation(_table(setup, "generationConfig"))
    if _table(setup, "proactivity").get("proactiveAudio") is False:
        raise Invalid("Proactive audio cannot be turned off for this model.")
    resumption = _table(setup, "sessionResumption")
    if "transparent" in resumption:
        raise Invalid("Transparent session resumption is not supported.")
    given = _table(setup, "realtimeInputConfig")
    handling = _one_of(given, "activityHandling", HANDLINGS, "START_OF_ACTIVITY_INTERRUPTS")
    return Setup(
        handle=str(resumption.get("handle") or ""),
        system_instruction=_text_of(_table(setup, "systemInstruction").get("parts", [])),
        detection=_detection(_table(given, "automaticActivityDetection"), behaviour),
        interrupts=handling == "START_OF_ACTIVITY_INTERRUPTS",
        input_transcription="inputAudioTranscription" in setup,
        output_transcription="outputAudioTranscription" in setup,
        tools=_tools(setup.get("tools", [])),
    )


def _tools(given: object) -> dict[str, bool]:
    """The declared functions, and whether each is BLOCKING; without a word it is not."""
    found: dict[str, bool] = {}
    tools = given if isinstance(given, list) else []
    declared_in = [tool.get("functionDeclarations", []) for tool in tools]
    for declared in chain.from_iterable(declared_in):
        name = declared.get("name") if isinstance(declared, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][\w.:-]{0,63}", name):
            raise Invalid(f"Invalid function name: {name!r:.40}")
        if name in found:
            raise Invalid(f"Duplicate function declaration found: {name}")
        found[name] = _one_of(declared, "behavior", BEHAVIORS, "NON_BLOCKING") == "BLOCKING"
    return found


def _check_generation(generation: Message) -> None:
    if generation.get("responseModalities", ["AUDIO"]) != ["AUDIO"]:
        raise Invalid("Only the AUDIO response modality is supported by this model.")
    for gone in ("thinkingConfig", "enableAffectiveDialog"):
        if gone in generation:
            raise Invalid(f"{gone} is not supported by this model.")


def _detection(given: Message, behaviour: Behaviour) -> Detection:
    start = _one_of(given, "startOfSpeechSensitivity", SPEECH_DBFS, "START_SENSITIVITY_HIGH")
    _one_of(given, "endOfSpeechSensitivity", END_SENSITIVITIES, "END_SENSITIVITY_HIGH")
    return Detection(
        automatic=given.get("disabled") is not True,
        prefix_ms=_number(given, "prefixPaddingMs", behaviour.prefix_ms),
        silence_ms=_number(given, "silenceDurationMs", behaviour.silence_ms),
        speech_dbfs=SPEECH_DBFS[start] if behaviour.speech_dbfs is None else behaviour.speech_dbfs,
    )


def _realtime(given: Message) -> list[ClientMessage]:
    match given:
        case {"audio": dict(blob)}:
            return [_audio(blob)]
        case {"mediaChunks": list(blobs)}:
            return [_audio(blob) for blob in blobs]
        case {"text": str(text)}:
            return [Text(text)]
        case {"audioStreamEnd": True}:
            return [AudioStreamEnd()]
        case {"activityStart": dict()}:
            return [Activity(begins=True)]
        case {"activityEnd": dict()}:
            return [Activity(begins=False)]
        case {"video": dict()}:
            return []
    raise Invalid("Request contains an invalid argument.")


def _result(response: Message) -> ToolResult:
    match response:
        case {"id": str(call_id), "name": str(name), "response": dict(given)}:
            goes_on = response.get("willContinue") is True
            scheduling = _one_of(response, "scheduling", SCHEDULINGS, "WHEN_IDLE")
            return ToolResult(call_id, name, given, scheduling, goes_on)
    raise Invalid("Request contains an invalid argument.")


def _audio(blob: object) -> Audio:
    match blob:
        case {"data": str(data), "mimeType": str(mime)}:
            kind = re.fullmatch(r"audio/pcm(?:;\s*rate=(\d+))?", mime)
            pcm = _base64(data)
            if kind is None or len(pcm) % 2:
                raise Invalid(f"Expected 16-bit audio/pcm, got {len(pcm)} bytes of {mime}.")
            return Audio(pcm, int(kind[1] or RATE_HZ))
    raise Invalid("Request contains an invalid argument.")


def _base64(data: str) -> bytes:
    standard = data.translate(_STANDARD) if "-" in data or "_" in data else data
    standard = standard.rstrip("=")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except Base64Error as error:
        raise Invalid("Invalid base64 in audio data.") from error


_STANDARD = str.maketrans("-_", "+/")


def _content(content: Message) -> Content:
    turns = content.get("turns", [])
    if not isinstance(turns, list):
        raise Invalid("Request contains an invalid argument.")
    return Content(
        tuple(_entry(turn) for turn in turns), complete=content.get("turnComplete") is True
    )


def _entry(turn: object) -> Entry:
    match turn:
        case {"role": "model", "parts": list(parts)}:
            return Entry("model", _text_of(parts))
        case {"parts": list(parts), **others} if others.get("role", "user") == "user":
            return Entry("user", _text_of(parts))
    raise Invalid("Please use a valid role: user, model.")


def _text_of(parts: object) -> str:
    if not isinstance(parts, list):
        raise Invalid("Request contains an invalid argument.")
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _table(within: Message, name: str) -> Message:
    value = within.get(name, {})
    if not isinstance(value, dict):
        raise Invalid(f"Invalid value at '{name}'.")
    return value


def _one_of(given: Message, name: str, known: frozenset[str] | dict[str, float], other: str) -> str:
    value = given.get(name, other)
    if not isinstance(value, str) or value not in known:
        raise Invalid(f"Invalid value at '{name}': {value!r:.40}")
    return value


def _number(given: Message, name: str, other: int) -> int:
    value = given.get(name, other)
    if not isinstance(value, int) or value < 0:
        raise Invalid(f"Invalid value at '{name}': {value!r:.40}")
    return value


def _camel(value: object) -> object:
    if isinstance(value, dict):
        return {
            _camel_name(str(name)): inner if name == "response" else _camel(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_camel(inner) for inner in value]
    return value


def _camel_name(name: str) -> str:
    if "_" not in name:  # most are camel already
        return name
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
