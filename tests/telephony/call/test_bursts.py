"""Media comes in bursts after gaps: what is speech goes by what came, not by when it came."""

from agent.conversation.commands import MarkSpeech
from agent.conversation.turn_taking import TurnTaking
from telephony.audio import g711
from telephony.call.microphone import ForModel, Microphone
from tests.telephony.call.test_ear import FRAME_MS, SILENCE, VOICE

STALL_MS = 600


def test_silence_in_one_burst_with_a_word_is_no_speech() -> None:
    microphone = Microphone()
    spoken_ms = 0.0
    for number, pcm in enumerate([*[SILENCE] * 5, *[VOICE] * 3, *[SILENCE] * 10]):
        microphone.hears(g711.encode(pcm), number * FRAME_MS, 1_000)
        spoken_ms += microphone.spoke_ms
    assert spoken_ms == 3 * FRAME_MS


def test_media_that_comes_too_late_is_no_speech() -> None:
    microphone = Microphone()
    for number in [0, 1, 3, 2]:
        microphone.hears(g711.encode(VOICE if number else SILENCE), number * FRAME_MS, 1_000)
    assert microphone.spoke_ms == 0


class Ours:
    """A caller whose speech we detect, on a line whose media comes when the test says."""

    def __init__(self) -> None:
        self.microphone = Microphone(TurnTaking(silence_ms=500, detection="ours"))
        self.microphone.listens(1, 0)
        self.sent = 0

    def gives(self, pcm: bytes, ms: int, now_ms: int) -> list[bool]:
        """So much comes at once; what is marked, begins or ends."""
        out: list[ForModel] = []
        for _ in range(ms // FRAME_MS):
            out += self.microphone.hears(g711.encode(pcm), self.sent * FRAME_MS, now_ms)
            self.sent += 1
        return [command.begins for command in out if isinstance(command, MarkSpeech)]


def test_who_speaks_has_not_finished_because_media_was_late() -> None:
    ours = Ours()
    ours.gives(SILENCE, 100, 100)
    assert ours.gives(VOICE, 400, 500) == [True]
    assert ours.gives(SILENCE, 480, 500 + STALL_MS) == []
    assert ours.gives(SILENCE, 20, 500 + STALL_MS) == [False]
