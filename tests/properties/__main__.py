"""Sends the call's state machine many random scripts, and prints how many, and what came of them.

python -m tests.properties          # 30 000 scripts, some ten minutes
python -m tests.properties 1000
"""

import sys
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.test_call_machine import Script, beginnings, long_scripts, run, scripts

SCRIPTS = 30_000


def main(examples: int) -> None:
    """Run so many; a broken invariant ends it with the smallest script that breaks it."""
    seen: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(beginnings, scripts | long_scripts, st.integers(0, 2**32 - 1))
    def every(beginning: Script, script: Script, seed: int) -> None:
        world = run(beginning, script, seed)
        seen.update(scripts=1, events=len(script), lines=len(world.lines), holds=world.holds)

    every()
    counts = ", ".join(f"{seen[what]} {what}" for what in ("scripts", "events", "lines", "holds"))
    print(f"{counts}; no invariant broken")  # noqa: T201 - for a person


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else SCRIPTS)
