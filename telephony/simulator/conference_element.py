"""Reads `<Conference>`: on which terms a call takes part. Pure.

Source: Twilio's documentation (TwiML Conference; read in November 2026).
"""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from telephony.simulator.elements import (
    SCHEMA,
    Request,
    TwimlError,
    absolute,
    allow,
    childless,
    one_of,
    request,
    whole,
    words,
)

EVENTS = ("start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement")


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which a call takes part in a conference.

    Args:
        starts: The conference starts when this call enters, if somebody else is there.
        ends: The conference ends when this call leaves.
        muted: Nobody hears this call.
        beep: When the others hear a beep: true, false, onEnter or onExit.
        wait: The music until the conference starts; None for Twilio's own.
        silent_wait: There is no music.
        status: What is told how the conference goes.
        events: What of it is told, as in `EVENTS`.
        label: The call's name in what is told.
    """

    starts: bool = True
    ends: bool = False
    muted: bool = False
    beep: str = "true"
    wait: Request | None = None
    silent_wait: bool = False
    status: Request | None = None
    events: tuple[str, ...] = ()
    label: str = ""


def read_conference(element: ET.Element, url: str) -> Terms:
    """Read a `<Conference>`, and check each attribute.

    Raises:
        TwimlError: Twilio would not take it.
    """
    allow(element, *_ATTRIBUTES)
    childless(element)
    one_of(element, "record", "do-not-record", "record-from-start")
    one_of(element, "trim", "trim-silence", "do-not-trim")
    whole(element, "maxParticipants", 250, least=2, most=250)
    wait = request(element, "waitUrl", "waitMethod", url)
    silent = element.get("waitUrl") == ""
    status = absolute(element, "statusCallback", "statusCallbackMethod", url)
    events = words(element, "statusCallbackEvent", *EVENTS)
    if events and status is None:
        raise TwimlError(SCHEMA, "Conference: statusCallbackEvent needs a statusCallback")
    return Terms(
        starts=one_of(element, "startConferenceOnEnter", "true", "false") == "true",
        ends=one_of(element, "endConferenceOnExit", "false", "true") == "true",
        muted=one_of(element, "muted", "false", "true") == "true",
        beep=one_of(element, "beep", "true", "false", "onEnter", "onExit"),
        wait=None if silent else wait,
        silent_wait=silent,
        status=status,
        events=events,
        label=element.get("participantLabel", ""),
    )


_ATTRIBUTES = ("muted", "beep", "startConferenceOnEnter", "endConferenceOnExit", "waitUrl",
               "waitMethod", "maxParticipants", "record", "region", "coach", "trim",
               "statusCallback", "statusCallbackMethod", "statusCallbackEvent",
               "recordingStatusCallback", "recordingStatusCallbackMethod",
               "recordingStatusCallbackEvent", "recordingConfigurationId", "eventCallbackUrl",
               "jitterBufferSize", "participantLabel")  # fmt: skip
