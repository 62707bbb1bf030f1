"""What a call had to drop is told with its end."""

from agent.conversation.persona import DEFAULT_PERSONA
from telephony.audio.formats import FRAME_MS
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import CallOpened, CallStatus, StreamStarted
from telephony.call.machine import Call
from telephony.twilio.messages import Media
from tests.telephony.call.conftest import SILENCE, VOICE


def ended_after(seconds: int, sound: bytes = VOICE) -> EndCall:
    """A call whose model is never there, with so much of a caller, who pauses now and then."""
    opened = CallOpened("CA1", 1, 0, DEFAULT_PERSONA)
    call = Call(opened)
    call.step(opened, 0)
    call.step(StreamStarted("MZ1", 1), 0)
    frames = seconds * 1000 // FRAME_MS
    for n in range(frames):
        frame = sound if n % 20 < 10 else SILENCE
        call.step(Media("MZ1", frame, n * FRAME_MS), (n + 1) * FRAME_MS)
    *_, last = call.step(CallStatus("completed"), frames * FRAME_MS)
    assert isinstance(last, EndCall)
    return last


def test_what_no_session_heard_of_the_caller_is_told() -> None:
    assert ended_after(32).caller_lost_ms == 2_000


def test_a_silence_is_no_loss() -> None:
    assert ended_after(40, SILENCE).caller_lost_ms == 0


def test_what_is_kept_is_not_lost() -> None:
    assert ended_after(30) == EndCall(EndedReason.CALLER_HANGUP, final=True)
