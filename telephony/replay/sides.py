"""`offhook replay --wav`: writes a recorded call as a stereo file."""

from collections.abc import Sequence
from pathlib import Path

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
    first = ordered[0]
    for each in ordered:
        if each.opened.call_sid != first.opened.call_sid:
            problem = f"expected a recording of the same call as {first.folder.name}, got another"
            raise RecordingError(str(each.folder), problem, WORKERS)
    begin_ms = first.opened.wall_time_ms
    return mixdown([(each.opened.wall_time_ms - begin_ms, _steps(each)) for each in ordered])


def _steps(recording: Recording) -> Sequence[Step]:
    return play(recording.events, whole=recording.whole).steps
