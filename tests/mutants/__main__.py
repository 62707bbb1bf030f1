"""Plant bugs in the code, one at a time, and check that each is caught.

python -m tests.mutants                                   # every patch, as `make mutants`
python -m tests.mutants 01-no-clear 19-tail-not-flushed   # some of them
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.mutants.judges import CrashError, by_tests, seen
from tests.mutants.plant import Mutant, PatchError, mutants, planted


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a mutant did, or the tree without any.

    Args:
        fine: Whether it is as it has to be.
        text: What was seen, or why nothing was.
    """

    fine: bool
    text: str


def rule(mutant: Mutant) -> Ruling:
    """Plant a fault and judge: it has to be seen."""
    try:
        with planted(mutant) as copy:
            found = seen(copy, mutant.tests)
    except PatchError as error:
        return Ruling(False, f"the patch does not apply: {error}")
    except CrashError as error:
        return Ruling(False, f"crashed, which does not count: {error}")
    return Ruling(bool(found), found or f"escaped: {mutant.reason}")


def unmutated(chosen: Sequence[Mutant]) -> Ruling:
    """Judge the tree as it is: nothing must be seen by those who judge these mutants."""
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    try:
        with planted(None) as copy:
            found = by_tests(copy, tests) if tests else ""
            if not found and not all(mutant.tests for mutant in chosen):
                found = seen(copy)
    except CrashError as error:
        return Ruling(False, f"crashed: {error}")
    return Ruling(not found, found or "nothing differs")


def main() -> int:
    """Rule over what is asked for; 1 if a mutant is not caught, or the unmutated tree differs."""
    known = {mutant.name: mutant for mutant in mutants()}
    parser = argparse.ArgumentParser(description="Plant faults, and see each caught.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of a patch; all without one")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.names) - known.keys()):
        parser.error(f"expected names of patches in tests/mutants/patches, got {unknown}")
    chosen = [known[name] for name in asked.names or known]
    whole = unmutated(chosen)
    _print("passed" if whole.fine else "FAILED", "(unmutated)", whole)
    caught = 0
    with ThreadPoolExecutor(os.process_cpu_count()) as pool:
        rulings = pool.map(rule, chosen)
        for mutant, ruling in zip(chosen, rulings, strict=True):
            caught += ruling.fine
            _print("caught" if ruling.fine else "MISSED", mutant.name, ruling)
    print(f"{caught} of {len(chosen)} mutants caught")  # noqa: T201 - for a person
    return 0 if whole.fine and caught == len(chosen) else 1


def _print(word: str, name: str, ruling: Ruling) -> None:
    print(f"{word}  {name:<28}  {ruling.text}", flush=True)  # noqa: T201 - for a person


if __name__ == "__main__":
    sys.exit(main())
