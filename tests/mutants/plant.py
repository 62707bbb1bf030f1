"""Plants a bug: applies a patch to a copy of the tree that nothing else uses."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PATCHES = Path(__file__).parent / "patches"

JUDGED_BY = "# judged by: "

_NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*", "node_modules", "out")


class PatchError(Exception):
    """A patch does not apply: the code that it breaks has changed, and it has to follow."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault to plant.

    Args:
        name: Its file's, without `.patch`.
        patch: A unified diff against the root of the tree, below a line that says what breaks; and
            maybe, for what no recorded call and no world can see, one that begins with `JUDGED_BY`
            and names the tests that have to.
    """

    name: str
    patch: str

    @property
    def reason(self) -> str:
        """What breaks."""
        return self.patch.partition("\n")[0]

    @property
    def tests(self) -> list[str]:
        """Which tests have to see it, as pytest names them; none where recorded calls have to."""
        second = self.patch.split("\n", 2)[1]
        return second.removeprefix(JUDGED_BY).split() if second.startswith(JUDGED_BY) else []


def mutants(folder: Path = PATCHES) -> list[Mutant]:
    """Every mutant that has a patch in `folder`, in order."""
    return [Mutant(path.stem, path.read_text("utf-8")) for path in sorted(folder.glob("*.patch"))]


@contextmanager
def planted(mutant: Mutant | None) -> Iterator[Path]:
    """A copy of the tree, for as long as the context lasts: with the fault, or with none.

    Raises:
        PatchError: The patch does not apply.
    """
    with TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=_NOT_COPIED)
        if mutant is not None:
            _apply(mutant, copy)
        yield copy


def check(mutant: Mutant) -> None:
    """Raise `PatchError` if the patch does not apply; nothing is changed."""
    _apply(mutant, ROOT, "--check")


def _apply(mutant: Mutant, copy: Path, *options: str) -> None:
    done = subprocess.run(  # noqa: S603 - the options are ours
        ["git", "apply", *options, "-"],  # noqa: S607 - git is on the PATH wherever there is a clone
        cwd=copy,
        input=mutant.patch,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PatchError(done.stderr.strip().replace("\n", "; "))
