"""The switches that decide how a simulated Twilio behaves. By default nothing goes wrong.

There is a switch for everything that goes wrong at the real Twilio at times, or that is not known
about it.

Source: Twilio's documentation, and measurements of others (October 2026).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

type DialStatus = Literal["completed", "answered", "busy", "no-answer", "failed", "canceled"]
type ProgressEvent = Literal["initiated", "ringing", "answered", "completed"]
type StatusOrder = Literal["as-it-goes", "reversed", "shuffled"]
type Pickup = Literal["answers", "busy", "no-answer", "failed", "canceled"]
type EndedRinging = Literal["canceled", "completed", "no-answer"]
type AnsweredBy = Literal[
    "human",
    "machine_start",
    "machine_end_beep",
    "machine_end_silence",
    "machine_end_other",
    "fax",
    "unknown",
]
type Background = Literal["nothing", "murmur", "room", "comfort"]


@dataclass(frozen=True, slots=True)
class LineFaults:
    """The switches of one stream.

    Args:
        processing_ms: The time from a server's message to its effect, least and most.
        late_echo_ms: How late the echo of a played mark may be, so that it may cross a clear.
        stall_rate: The chance per frame that media stalls, and then comes at once.
        stall_ms: How long it stalls, least and most.
        drop_rate: The chance per frame that it is lost: timestamps jump, sequence numbers do not.
        odd_sizes: Media has 1, 160, 320 and 999 bytes instead of 160.
        idle_silence: False: no media at all while the caller says nothing.
        background: What is heard behind the caller: nothing, the murmur of people, the tone of a
            room, or the noise that a telephone makes while the caller says nothing.
        background_db: How far below the caller's voice that is, which is at -20 dBFS. A simulated
            Gemini takes what is louder than -45 dBFS for speech, unless `speech_dbfs` is set.
        echo_db: How far below what the caller heard the agent's voice comes back; 0 for no echo.
        echo_ms: How much later it comes back.
        audible_keys: The tone of a key is in the media, too.
        stop: False: the stream of a caller who hangs up ends without `stop`.
    """

    processing_ms: tuple[int, int] = (5, 50)
    late_echo_ms: int = 0
    stall_rate: float = 0.0
    stall_ms: tuple[int, int] = (100, 250)
    drop_rate: float = 0.0
    odd_sizes: bool = False
    idle_silence: bool = True
    background: Background = "nothing"
    background_db: float = 26.0
    echo_db: float = 0.0
    echo_ms: int = 180
    audible_keys: bool = False
    stop: bool = True


class UpgradeSignature(StrEnum):
    """The text that the WebSocket upgrade's signature covers. Only the first two are documented."""

    EXACT = "exact"
    TRAILING_SLASH = "trailing-slash"
    WRONG = "wrong"
    ABSENT = "absent"


class AfterLoss(StrEnum):
    """What happens to a call whose socket broke. The documentation implies the first."""

    GOES_ON = "goes-on"
    ENDS = "ends"
    WAITS = "waits"


class Callbacks(StrEnum):
    """When the status callbacks of an end come, which Twilio does not document."""

    AT_ONCE = "at-once"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class CallFaults:
    """The switches of a whole call.

    Args:
        line: The switches of each of its streams.
        connect_ms: The time from a Connect to its WebSocket, least and most.
        reconnect_ms: The same for every later one of the call; media follows 0.1 to 0.17 s after.
        upgrade_signature: The text that the WebSocket upgrade's signature covers.
        webhook_twice: The first webhook is delivered twice, with the same idempotency token.
        retry_pause_ms: How long Twilio waits before it sends a request again.
        redirect_overrides: The fragment of a URL in a Redirect has an effect, as in attributes.
        fallback: False: the number has no fallback URL.
        status_callback: False: the number has no status callback.
        full_status: The number's status callback has the fields of a per-call one too.
        outbound: The call was placed by REST: `From` is our number, `To` the other party.
        pickup: What becomes of a call placed by REST: somebody answers, or nobody does.
        ring_ms: How long it rings before that; an unanswered one for as long as REST allowed.
        ended_ringing: The status of a call that REST ends while it rings.
        answered_by: Whom Twilio takes the one who answers for, where it was asked to find out.
        answered_by_ms: How long that takes.
        answered_by_twice: It is told twice.
        status_events: The events that a call placed by REST reports.
        status_order: The reports of a call placed by REST come as it goes; or all of them at its
            end, in reverse order, or in any.
        status_late_ms: How late each report of a call or a conference comes, least and most.
        status_twice: Each of these reports comes twice.
        progress_late_ms: How late reports before the end come; perhaps after the end.
        close_is_error: A close by the server is reported as `stream-error`, not `stream-stopped`.
        after_loss: When its socket breaks, the call goes on with the document, ends, or waits for
            a redirect by REST.
        update_drains: A call on a stream continues with a document from REST only when all queued
            audio has been heard; this was seen once, and is not documented.
        stream_callbacks: False: no status callback of a stream arrives.
        callbacks: The status callbacks of the ends of a stream and a call are answered before the
            socket ends, come half a second after it, or cross it.
        ping_ms: How often Twilio pings the server; 0 for never. The real one sometimes does.
        pong_ms: How long it waits for the answer before it breaks the connection; 0 for ever.
        linger_ms: How long the socket stays open after `stop`. A message that the server sends
            more than half a second after `stop` is the server's fault.
        zombie_ms: How long a cut of kind `zombie` keeps the socket open and silent.
        dial_status: How every Dial ends.
        dial_ms: How long every Dial takes.
        dial_ring_ms: How much of that it rings, where somebody answers.
        dial_action_after_end: A Dial's action is asked also where the Dial ended with the call.
        conference_status: What a Dial's action is told after a conference.
        audible_say: The caller takes Twilio's own voice for somebody who speaks.
        caller_id_ends_call: An invalid callerId ends the whole call, and not only the Dial.
        verified_numbers: The numbers that a Dial may show as its callerId, beside the calling and
            the called number.
    """

    line: LineFaults = LineFaults()
    connect_ms: tuple[int, int] = (100, 400)
    reconnect_ms: tuple[int, int] = (400, 730)
    upgrade_signature: UpgradeSignature = UpgradeSignature.EXACT
    webhook_twice: bool = False
    retry_pause_ms: int = 0
    redirect_overrides: bool = False
    fallback: bool = True
    status_callback: bool = True
    full_status: bool = False
    outbound: bool = False
    pickup: Pickup = "answers"
    ring_ms: int = 0
    ended_ringing: EndedRinging = "canceled"
    answered_by: AnsweredBy = "human"
    answered_by_ms: int = 3_000
    answered_by_twice: bool = False
    status_events: tuple[ProgressEvent, ...] = ("completed",)
    status_order: StatusOrder = "as-it-goes"
    status_late_ms: tuple[int, int] = (0, 0)
    status_twice: bool = False
    progress_late_ms: int = 0
    close_is_error: bool = False
    after_loss: AfterLoss = AfterLoss.GOES_ON
    update_drains: bool = False
    stream_callbacks: bool = True
    callbacks: Callbacks = Callbacks.AT_ONCE
    ping_ms: int = 0
    pong_ms: int = 0
    linger_ms: int = 0
    zombie_ms: int = 30_000
    dial_status: DialStatus = "completed"
    dial_ms: int = 500
    dial_ring_ms: int = 0
    dial_action_after_end: bool = False
    conference_status: DialStatus = "answered"
    audible_say: bool = False
    caller_id_ends_call: bool = False
    verified_numbers: tuple[str, ...] = ()
