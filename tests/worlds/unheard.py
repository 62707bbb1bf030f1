"""How much of what the caller said no session of the model ever took, from both ends alone."""

from collections.abc import Iterator

from telephony.audio import g711
from telephony.audio.formats import FRAME_SAMPLES
from telephony.audio.resample import phone_to_model
from telephony.simulator.ear import is_loud
from telephony.simulator.line import Line
from telephony.simulator.world import World

FRAME_PCM_BYTES = FRAME_SAMPLES * 4
"""20 ms at 16 kHz, int16."""


def unheard_speech_ms(world: World) -> int:
    """How much of what the caller said no session of the model ever took.

    Every loud 20 ms of each line is looked for, sample for sample, in what each session took.
    """
    taken = [bytes(link.received) for link in world.links]
    return sum(
        20
        for line in world.phone.lines
        for frame in _loud_frames(line)
        if not any(frame in pcm for pcm in taken)
    )


def _loud_frames(line: Line) -> Iterator[bytes]:
    said = bytes(line.said)
    pcm = phone_to_model().push(g711.decode(said))
    for n in range(len(said) // FRAME_SAMPLES - 1):
        if is_loud(said[n * FRAME_SAMPLES : (n + 1) * FRAME_SAMPLES]):
            yield pcm[n * FRAME_PCM_BYTES : (n + 1) * FRAME_PCM_BYTES]
