"""`offhook replay --wav`: writes a recorded call as a stereo file."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from agent.conversation.commands import AppendLine
from agent.conversation.transcript import Line
from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.wav import write_stereo
from telephony.errors import RecordingError, UsageError
from telephony.replay.mixdown import Sides, mixdown
from telephony.replay.player import play
from telephony.replay.reader import read
from telephony.replay.recording import Recording, Step
from telephony.replay.suite import find

WORKERS = "name the recordings of one call: that of each worker which held it"


def write_wav(paths: Sequence[Path], file: Path, *, partial: bool = False) -> None:
    """Write both sides of a call: the caller on the left, what the caller heard on the right.

    Args:
        paths: The call's recordings, as for `find`: one for each worker that held it.
        file: The WAV file, 8 kHz, 16 bits, which is replaced if it exists.
        partial: Whether recordings may have been cut off.

    Raises:
        RecordingError: They cannot be read, or are of several calls.
        UsageError: The file cannot be written.
    """
    sides = sides_of([read(folder, partial=partial) for folder in find(paths)])
    left, right = (side.astype("<i2").tobytes() for side in (sides.caller, sides.agent))
    try:
        write_stereo(file, left, right, PHONE_RATE_HZ)
    except OSError as error:
        problem = f"expected a file that can be written, got {str(file)!r}: {error.strerror}"
        raise UsageError(f"--wav: {problem}; name another") from None


def sides_of(recordings: Sequence[Recording]) -> Sides:
    """Render a call from its recordings, in any order.

    Raises:
        RecordingError: They are of several calls.
    """
    ordered = sorted(recordings, key=lambda each: each.opened.wall_time_ms)
    steps = [_steps(each) for each in ordered]
    one_call(ordered, steps)
    began_ms = [each.opened.wall_time_ms - ordered[0].opened.wall_time_ms for each in ordered]
    return mixdown(list(zip(began_ms, steps, strict=True)))


def one_call(ordered: Sequence[Recording], steps: Sequence[Sequence[Step]]) -> None:
    """See to it that these recordings are of one call.

    Args:
        ordered: The recordings, in order of time.
        steps: The steps of each, as they are replayed.

    Raises:
        RecordingError: They are of several calls.
    """
    first, said = ordered[0], set[_Place]()
    for each, lived in zip(ordered, steps, strict=True):
        if each is not first and not _goes_on(first, each, said):
            problem = f"expected a recording of the same call as {first.folder.name}, got another"
            raise RecordingError(str(each.folder), problem, WORKERS)
        said |= {_place(line) for line in each.opened.lines}
        said |= {_place(c.line) for step in lived for c in step.commands if type(c) is AppendLine}


type _Place = tuple[int, str, int]


def _place(line: Line) -> _Place:
    """What a scrubbed line still has in common with the same line of another recording."""
    return line.n, line.role, line.at_ms


def _goes_on(first: Recording, later: Recording, said: AbstractSet[_Place]) -> bool:
    """Whether a recording is of a worker that went on with the call.

    Fixtures, which were scrubbed or are of a simulated world, all have the same CallSid. There it
    counts that the later worker knew what the ones before had stored, and no other line.

    Args:
        first: The recording of the call's first worker.
        later: The other recording.
        said: The lines of all workers before it.
    """
    if later.opened.call_sid != first.opened.call_sid:
        return False
    if later.header.clock == "live" and later.header.scrub is None:
        return True
    if later.header.clock != "live" and later.opened.seed != first.opened.seed:
        return False
    known = {_place(line) for line in later.opened.lines}
    return later.opened.checkpoint is not None and known <= said


def _steps(recording: Recording) -> Sequence[Step]:
    return play(recording.events, whole=recording.whole).steps
