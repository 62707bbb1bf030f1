"""A greeting that never comes, while somebody's television murmurs behind the caller.

What is owed to a caller must not be put off by a sound that is no question: the caller hears that
they wait, the model is asked again, and then left, when it would be on a quiet line.
"""

from dataclasses import dataclass

import pytest

from agent.conversation.commands import CloseModel, OpenModel, SayToModel
from telephony.audio.earcon import EARCON
from telephony.call.commands import SendMedia
from telephony.twilio.messages import Media
from tests.telephony.call.conftest import SILENCE, Phone, PickUp
from tests.telephony.call.test_machine_noise import FRAME_MS, frames, murmur

FAINT_DBFS = -54
LASTS_MS = 30_000


@dataclass(frozen=True, slots=True)
class Times:
    """When each first happened, in ms since the greeting was asked for; None for never."""

    note: int | None = None
    nudge: int | None = None
    resumption: int | None = None


ON_A_QUIET_LINE = Times(note=2_900, nudge=4_000, resumption=6_500)


def times(phone: Phone, ulaw: bytes) -> Times:
    """Of a call whose line sounds like this, and whose model says nothing in any session."""
    phone.starts()
    phone.ready()
    began_ms = phone.now_ms
    first = dict[str, int]()
    for frame in frames(ulaw):
        done = [*phone.plays(FRAME_MS), *phone.step(Media(phone.stream, frame, phone.now_ms))]
        for command in done:
            match command:
                case SendMedia(ulaw=sound) if sound == EARCON:
                    first.setdefault("note", phone.now_ms - began_ms)
                case SayToModel(trouble=trouble) if trouble:
                    first.setdefault("nudge", phone.now_ms - began_ms)
                case CloseModel(trouble=trouble) if trouble:
                    first.setdefault("resumption", phone.now_ms - began_ms)
                case OpenModel():
                    phone.ready()
                case _:
                    pass
    return Times(**first)


@pytest.mark.parametrize("seed", range(3))
def test_a_murmur_puts_off_nothing_that_is_owed(pick_up: PickUp, seed: int) -> None:
    assert times(pick_up(), SILENCE * (LASTS_MS // FRAME_MS)) == ON_A_QUIET_LINE
    assert times(pick_up(), murmur(FAINT_DBFS, LASTS_MS, seed)) == ON_A_QUIET_LINE
