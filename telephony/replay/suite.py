"""`offhook replay`: finds recordings, replays them on all cores, and prints the results."""

import gc
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from telephony.errors import RecordingError, UsageError
from telephony.replay import report
from telephony.replay.recording import SUFFIX
from telephony.replay.verdict import Options, Verdict, judge

PASSED, DIFFERENT, BAD = 0, 1, 2
"""The exit codes."""


class Judges(Protocol):
    """A function that replays and judges recordings. It never raises because of a bad recording."""

    def __call__(self, folders: Sequence[Path], options: Options, jobs: int) -> Iterator[Verdict]:
        """The verdicts on `folders`, in order; `jobs` of them are replayed at once."""
        ...


def find(paths: Sequence[Path]) -> list[Path]:
    """All recordings at some paths, each once, in order.

    Args:
        paths: `.call` folders, or folders that contain them at any depth.

    Raises:
        RecordingError: One of the paths has no recording.
    """
    found: dict[Path, None] = {}
    for path in paths:
        inside = [path] if path.suffix == SUFFIX else sorted(path.rglob(f"*{SUFFIX}"))
        if not inside:
            fix = "name a recorded call, or a folder that holds some"
            raise RecordingError(str(path), f"expected folders *{SUFFIX}, got none", fix)
        found |= dict.fromkeys(inside)
    return list(found)


def in_processes(folders: Sequence[Path], options: Options, jobs: int) -> Iterator[Verdict]:
    """A `Judges` that replays in processes, one for each job."""
    one = partial(judge, options=options)
    if jobs == 1:
        _settle()
        yield from map(one, folders)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy the bar's thread half
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_settle) as pool:
        yield from pool.map(one, folders)


def replay(
    paths: Sequence[Path],
    options: Options,
    *,
    jobs: int | None = None,
    as_json: bool = False,
    junit: Path | None = None,
    judges: Judges = in_processes,
) -> int:
    """Replay recordings and print the results; for a single one, print the whole call.

    Args:
        paths: As for `find`.
        options: How to replay.
        jobs: How many to replay at once; None for as many as there are cores.
        as_json: Print all verdicts as JSON instead.
        junit: The file for JUnit XML, if wanted.
        judges: Replays and judges the recordings.

    Returns:
        The exit code: 0; 1 if a call differs; 2 if a recording could not be used.

    Raises:
        RecordingError: There is no recording.
        UsageError: The JUnit file cannot be written.
    """
    folders = find(paths)
    console = Console(highlight=False, markup=False, soft_wrap=True)
    options = Options(options.update, options.partial, options.repeat, tell=len(folders) == 1)
    jobs = min(len(folders), jobs or os.process_cpu_count() or 1)
    verdicts = []
    for verdict in _with_bar(judges(folders, options, jobs), len(folders)):
        verdicts.append(verdict)
        if not as_json:
            _show(console, verdict, options)
    if as_json:
        print(report.to_json(verdicts))  # noqa: T201 - a command's output
    else:
        console.print(report.total(verdicts))
    if junit is not None:
        _write(junit, report.to_junit(verdicts))
    if any(verdict.error for verdict in verdicts):
        return BAD
    return PASSED if all(verdict.passed for verdict in verdicts) else DIFFERENT


def _settle() -> None:
    """Settle the garbage collector as a worker does, so that it runs seldom."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _with_bar(verdicts: Iterator[Verdict], n: int) -> Iterator[Verdict]:
    """Show a progress bar on a terminal if there are many recordings."""
    console = Console(stderr=True)
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn())
    hidden = not console.is_terminal or n < 2
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        yield from bar.track(verdicts, total=n)


def _show(console: Console, verdict: Verdict, options: Options) -> None:
    lines = [*report.page(verdict), report.one_line(verdict), *report.details(verdict)]
    lines += report.on_the_wire(verdict)
    if options.update:
        lines += report.updated(verdict)
    for line in lines:
        console.print(line)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        problem = f"expected a file that can be written, got {str(path)!r}: {error.strerror}"
        raise UsageError(f"--junit: {problem}; name another") from None
