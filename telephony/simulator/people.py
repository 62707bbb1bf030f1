"""Reads what each person does who may be called: a number, and a script. Pure but for files.

+14155550100=accepts              one of `scripts/`
+14155550101=busy
+14155550102=my-own-desk.toml     a script of your own: see `script`
"""

from collections.abc import Mapping, Sequence

from telephony.errors import UsageError
from telephony.simulator.script import Script, load


def read_people(written: Sequence[str]) -> Mapping[str, Script]:
    """The script of each number.

    Args:
        written: Each as ``number=script``.

    Raises:
        UsageError: One is written in another way, or a script cannot be used.
    """
    people: dict[str, Script] = {}
    for each in written:
        number, is_set, script = each.partition("=")
        if not (number and is_set and script):
            expected = "NUMBER=SCRIPT, such as +14155550100=accepts"
            raise UsageError(f"--person: expected {expected}, got {each!r}")
        if number in people:
            raise UsageError(f"--person: expected each number once, got {number} twice")
        people[number] = load(script)
    return people
