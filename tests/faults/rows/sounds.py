"""Row 63: a click, a cough, an "mhm" or the agent's own echo, while nobody is owed anything."""

from collections.abc import Sequence
from random import Random

from agent.conversation.commands import AppendLine, SayToModel
from agent.conversation.events import TurnComplete
from telephony.audio.formats import PHONE_SAMPLES_PER_MS, ULAW_SILENCE
from telephony.call.commands import EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import CallStatus
from tests.faults.table import Figure, Row, exactly, scaled
from tests.telephony.call.conftest import Phone, of
from tests.telephony.call.test_machine_noise import comes, murmur, noise, notes

SOUNDS = 500
KINDS = {"click": (10, 40), "cough": (150, 400), "mhm": (300, 550)}
LEVELS_DBFS = (-40, -16)
ECHO_DBFS = (-50, -38)
"""30 dB and more below the agent's voice."""

AFTER_MS = 12_000


def measure(share: float) -> Sequence[Figure]:
    """Each sound in a call of its own, after the greeting; the echo during a reply."""
    count = scaled(SOUNDS, share, least=len(KINDS) + 1)
    noted, asked, lines, other_ends = 0, 0, 0, 0
    for n in range(count):
        rng = Random(n)
        phone = Phone()
        phone.greets()
        if n % (len(KINDS) + 1) == len(KINDS):
            phone.replies("A long answer.", 4_000)
            phone.tells(TurnComplete)
            sound = murmur(rng.uniform(*ECHO_DBFS), 4_200, n)
        else:
            length = KINDS[[*KINDS][n % (len(KINDS) + 1)]]
            sound = noise(rng.uniform(*LEVELS_DBFS), rng.randint(*length) // 20 * 20 or 20, n)
        done = comes(phone, sound + ULAW_SILENCE * AFTER_MS * PHONE_SAMPLES_PER_MS)
        noted += notes(done)
        asked += len(of(SayToModel, done))
        ends = of(EndCall, done + phone.step(CallStatus("completed")))
        other_ends += [end.reason for end in ends] != [EndedReason.CALLER_HANGUP]
        stored = of(AppendLine, phone.commands)
        lines += sum(append.line.role == "caller" for append in stored)
    return [
        Figure("sounds", count, None),
        Figure("waiting sounds", noted, exactly(0)),
        Figure("texts to the model", asked, exactly(0)),
        Figure("lines of the caller", lines, exactly(0)),
        Figure("calls that ended otherwise", other_ends, exactly(0)),
    ]


ROWS = (Row(63, "a click, a cough, an mhm, an echo", measure, virtual=True, cost_s=10),)
