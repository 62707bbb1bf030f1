"""What a call had to drop is told with its end."""

from agent.conversation.persona import DEFAULT_PERSONA
from telephony.audio.formats import FRAME_MS, ULAW_SILENCE
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import CallOpened, CallStatus, StreamStarted
from telephony.call.machine import Call
from telephony.twilio.messages import Media


def ended_after(seconds: int) -> EndCall:
    """A call whose model never answers, with so much of caller audio."""
    opened = CallOpened("CA1", 1, 0, DEFAULT_PERSONA)
    call = Call(opened)
    call.step(opened, 0)
    call.step(StreamStarted("MZ1", 1), 0)
    frames = seconds * 1000 // FRAME_MS
    for n in range(frames):
        call.step(Media("MZ1", ULAW_SILENCE * 160, n * FRAME_MS), (n + 1) * FRAME_MS)
    *_, last = call.step(CallStatus("completed"), frames * FRAME_MS)
    assert isinstance(last, EndCall)
    return last


def test_what_no_session_heard_of_the_caller_is_told() -> None:
    assert ended_after(32).caller_lost_ms == 2_000


def test_what_is_kept_is_not_lost() -> None:
    assert ended_after(30) == EndCall(EndedReason.CALLER_HANGUP, final=True)
