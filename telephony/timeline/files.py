"""From the recordings of one call to its page: `offhook replay --html`."""

from collections.abc import Sequence
from pathlib import Path

from telephony.errors import UsageError
from telephony.replay.reader import read
from telephony.replay.recording import SUFFIX, Recording
from telephony.replay.sides import one_call
from telephony.replay.suite import find
from telephony.timeline.lived import live
from telephony.timeline.model import CallTimeline, Sound
from telephony.timeline.page import html
from telephony.timeline.reading import timeline_of


def write_html(paths: Sequence[Path], file: Path, *, partial: bool = False) -> None:
    """Write the page of a call.

    Args:
        paths: The call's recordings, as for `find`: one for each worker that held it.
        file: The HTML file, which is replaced if it exists.
        partial: Whether recordings may have been cut off.

    Raises:
        RecordingError: They cannot be read, or are of several calls.
        UsageError: The file cannot be written.
    """
    timeline, sound = read_recordings([read(folder, partial=partial) for folder in find(paths)])
    write_text(file, html(timeline, sound))


def read_recordings(recordings: Sequence[Recording]) -> tuple[CallTimeline, Sound]:
    """The timeline and the sound of one call, from its recordings in any order.

    Raises:
        RecordingError: They are of several calls.
    """
    ordered = sorted(recordings, key=lambda each: each.opened.wall_time_ms)
    lived = live([each.events for each in ordered])
    one_call(ordered, [each.steps for each in lived])
    first = ordered[0]
    name = first.folder.name.removesuffix(SUFFIX)
    return timeline_of(lived, name=name, why=first.header.why)


def write_text(file: Path, text: str) -> None:
    """Write a page.

    Raises:
        UsageError: The file cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        problem = f"expected a file that can be written, got {str(file)!r}: {error.strerror}"
        raise UsageError(f"--html: {problem}; name another") from None
