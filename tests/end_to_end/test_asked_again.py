"""`POST /calls` with an Idempotency-Key: one call, however often and wherever it is asked for."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.simulator.http_client import http_client
from tests.end_to_end.outbound import API_TOKEN, CONSENT, PERSONA, THEIRS, Office, office
from tests.end_to_end.scripts import HANG_UP, caller
from tests.end_to_end.watching import PATIENCE_S

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

OFTEN = PERSONA.replace("per_number_day = 1", "per_number_day = 100")
HANGS_UP = caller(HANG_UP)


async def asked(placing: Office, key: str, **wish: Any) -> httpx.Response:
    """Ask for a call with a key."""
    headers = {"Authorization": f"Bearer {API_TOKEN}", "Idempotency-Key": key}
    async with http_client(timeout_s=PATIENCE_S) as client:
        body: dict[str, Any] = {"to": THEIRS, "consent": CONSENT} | wish
        return await client.post(f"{placing.worker.url}/calls", json=body, headers=headers)


async def test_the_same_request_is_one_call_and_another_one_needs_another_key(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with office(gemini, tmp_path, HANGS_UP, persona=OFTEN) as placing:
        first = await asked(placing, '"one"')
        assert first.status_code == 201, first.text
        again = await asked(placing, "one")
        assert (again.status_code, again.json()) == (201, first.json())
        other = await asked(placing, "one", consent="another form")
        assert (other.status_code, other.json()["error"]) == (422, "key_used")
        for wrong in ("", "x" * 256, "two words"):
            answer = await asked(placing, wrong)
            assert (answer.status_code, answer.json()["error"]) == (422, "idempotency_key")
        assert len(placing.exchange.placed) == 1
        second = await asked(placing, "two")
        assert second.json()["call_sid"] != first.json()["call_sid"]
        assert len(placing.exchange.placed) == 2


async def test_of_many_at_once_one_is_placed_and_the_others_are_told_so(
    gemini: SimulatedGemini, tmp_path: Path, redis: Redis, redis_server: "RedisServer"
) -> None:
    async with office(
        gemini, tmp_path, HANGS_UP, persona=OFTEN, redis_url=redis_server.url
    ) as placing:
        answers = await asyncio.gather(*(asked(placing, "one") for _ in range(20)))
        last = await asked(placing, "one")
        assert len(placing.exchange.placed) == 1
    placed = {each.json()["call_sid"] for each in [*answers, last] if each.status_code == 201}
    assert placed == {last.json()["call_sid"]}
    told = {each.json()["error"] for each in answers if each.status_code != 201}
    assert told <= {"under_way"}
    assert {each.status_code for each in answers} <= {201, 409}
    text = " ".join([str(await redis.hgetall(key)) async for key in redis.scan_iter("*request:*")])
    assert last.json()["call_sid"] in text
    assert "asks" in text  # noted before Twilio was asked
    assert not any(part in text for part in (THEIRS, CONSENT))


async def test_what_was_refused_may_be_tried_again_with_the_same_key(
    gemini: SimulatedGemini, tmp_path: Path
) -> None:
    async with office(gemini, tmp_path, HANGS_UP, persona=OFTEN) as placing:
        refused = await asked(placing, "one", to="+493012345678")
        assert refused.status_code == 403
        placed = await asked(placing, "one")
        assert placed.status_code == 201, placed.text
        assert len(placing.exchange.placed) == 1
