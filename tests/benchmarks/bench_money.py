"""Print what calls cost against their caps: `python tests/benchmarks/bench_money.py`.

Fifty calls at once, on two workers with one Redis, whose day has money for some of them: how many
begin, what is booked at most, and what they cost. Nothing is asserted here;
tests/end_to_end/test_budget.py does, with fewer calls.
"""
# ruff: noqa: E402, T201 -- tests are found by a path that a script has to add; and this one prints

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.server.logs import configure
from tests.end_to_end.race import Race, race
from tests.end_to_end.scripts import AGENT
from tests.redis_server import redis_running

CALLS = 50
CAPS_USD = (0.12, 0.40)
"""For some of the calls, as one minute of each is reserved."""


async def main(arguments: Sequence[str]) -> None:
    """Run the races; `arguments` may give another number of calls."""
    calls = int(arguments[0]) if arguments else CALLS
    for cap in CAPS_USD:
        with redis_running() as server, TemporaryDirectory() as folder:
            async with SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini:
                tell(calls, await race(gemini, server.url, Path(folder), calls, cap))


def tell(calls: int, found: Race) -> None:
    """Print a race."""
    over = max(0.0, found.most_booked - found.cap, found.cost - found.cap)
    print(f"{calls} calls at once, with ${found.cap:.2f} for the day")
    print(f"  begun {found.begun}, not begun {found.turned_away}")
    print(f"  of those that began, ended with a goodbye because of the cap: {found.limited}")
    print(f"  booked at most, with what was reserved: ${found.most_booked:.4f}")
    print(f"  cost of all of them: ${found.cost:.4f}; booked in the end: ${found.booked:.4f}")
    print(f"  beyond the cap: ${over:.4f}; the dearest turn cost ${found.dearest_turn:.4f}")
    print(f"  problems: {len(found.problems)}")


if __name__ == "__main__":
    configure(logging.CRITICAL)
    asyncio.run(main(sys.argv[1:]))
