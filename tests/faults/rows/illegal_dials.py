"""Row 47: calls that must not be placed, and many at once to one number."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from agent.simulator.behaviour import BRISK
from agent.simulator.model import GeminiServer
from agent.simulator.server import SimulatedGemini
from telephony.dialling.rules import Allowed, decide
from telephony.simulator.rest_calls import PlacedCall
from tests.end_to_end.outbound import PERSONA, THEIRS, office
from tests.end_to_end.scripts import AGENT, HANG_UP, caller
from tests.faults.dials import LISTED, POLICY, illegal, lawful
from tests.faults.table import Figure, Row, exactly, scaled
from tests.redis_server import redis_running

DIALS = 10_000
ASKED = 300
"""So many of them over HTTP, too."""
RACING = 100
CAP = 2


def decided(share: float) -> Iterator[Figure]:
    """Calls that the rules are asked about, with the time that each is wanted at."""
    random = Random(47)
    dials = [illegal(random) for _ in range(scaled(DIALS, share, 700))]
    answers = [(dial, decide(dial.wish, POLICY, LISTED, dial.wall_time_ms)) for dial in dials]
    yield Figure("illegal calls asked for", len(dials), None)
    placed = sum(isinstance(answer, Allowed) for _, answer in answers)
    yield Figure("illegal calls placed", placed, exactly(0))
    wrong = sum(
        not isinstance(answer, Allowed) and answer.rule != dial.rule for dial, answer in answers
    )
    yield Figure("refusals that name another rule", wrong, exactly(0))
    good = [lawful(random) for _ in range(scaled(DIALS, share, 100) // 10)]
    refused = sum(
        not isinstance(decide(dial.wish, POLICY, LISTED, dial.wall_time_ms), Allowed)
        for dial in good
    )
    yield Figure("lawful calls refused", refused, exactly(0))


def asked(share: float) -> Sequence[Figure]:
    """Calls that a server is asked for: a real Redis counts, and Twilio is asked or not."""
    with redis_running() as server, TemporaryDirectory() as folder:
        return asyncio.run(_asked(server.url, Path(folder), share))


async def _asked(redis_url: str, folder: Path, share: float) -> Sequence[Figure]:
    placed: list[PlacedCall] = []
    persona = PERSONA.replace("per_number_day = 1", f"per_number_day = {CAP}")
    random = Random(48)
    # Those that are illegal at any hour: this agent may call at all hours.
    wishes = [
        dial.wish
        for dial in (illegal(random) for _ in range(scaled(ASKED, share, 20)))
        if dial.rule in {"number", "region", "type", "consent"}
    ]
    async with (
        SimulatedGemini(GeminiServer(AGENT, BRISK)) as gemini,
        office(gemini, folder, caller(HANG_UP), persona=persona, redis_url=redis_url) as placing,
    ):
        placing.account.on_placed = placed.append
        for wish in wishes:
            answer = await placing.ask(to=wish.to, consent=wish.consent)
            assert answer.status_code in {403, 422}, answer.text
        heard = len(placing.account.requests)
        async with asyncio.TaskGroup() as tasks:
            racing = [tasks.create_task(placing.ask(to=THEIRS)) for _ in range(RACING)]
        results = [each.result() for each in racing]
    answered = [each.status_code for each in results]
    return [
        Figure("illegal calls asked for over HTTP", len(wishes), None),
        Figure("requests to Twilio for them", heard, exactly(0)),
        Figure(f"calls placed of {RACING} to one number at once", len(placed), exactly(CAP)),
        Figure("of them said to be placed", answered.count(201), exactly(CAP)),
    ]


ROWS = (
    Row(47, "illegal calls, drawn from a seed", decided, virtual=True, cost_s=10),
    Row(47, "illegal calls over HTTP, and a race to one number", asked, beside=True),
)
