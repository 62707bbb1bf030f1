"""A stream comes with Twilio's signature on its upgrade and with its call's one-time token, or it
is closed before anything is dialled for it.
"""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.simulator.server import SimulatedGemini
from telephony.simulator.faults import CallFaults, UpgradeSignature
from telephony.twilio.signature import mint_token, token_secret
from tests.end_to_end import twilio
from tests.end_to_end.scripts import HANG_UP, caller
from tests.end_to_end.serving import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, LocalWorker, get, place
from tests.end_to_end.watching import PATIENCE_S, Step, Watch

LATE_MS = 4_000_000_000_000


def minted(call_sid: str, *, auth_token: str = AUTH_TOKEN, expires_ms: int = LATE_MS) -> str:
    secret = token_secret(auth_token)
    return mint_token(secret, call_sid, ACCOUNT_SID, expires_ms, "nonce")


async def closed_with(url: str, call_sid: str, parameters: dict[str, str]) -> tuple[int, str]:
    """How a stream with these parameters is closed."""
    async with asyncio.timeout(PATIENCE_S), twilio.open_stream(url) as socket:
        await twilio.start(socket, call_sid, parameters)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def upgrades() -> dict[str, dict[str, str]]:
    """Headers of upgrades that Twilio did not send."""
    attacker = "wss://attacker.example.net/twilio/media"
    return {
        "unsigned": {},
        "empty": {"x-twilio-signature": ""},
        "another token": twilio.upgrade_headers("another-token"),
        "another path": twilio.upgrade_headers(signed_url=PUBLIC_URL + "/twilio/other"),
        "https": twilio.upgrade_headers(signed_url=PUBLIC_URL + "/twilio/media"),
        "two slashes": twilio.upgrade_headers(signed_url=twilio.STREAM_URL + "//"),
        "the host it claims": twilio.upgrade_headers(signed_url=attacker)
        | {"X-Forwarded-Host": "attacker.example.net", "X-Forwarded-Proto": "https"},
    }


@pytest.mark.parametrize("how", upgrades())
async def test_an_upgrade_that_twilio_did_not_sign_is_refused_before_it_is_accepted(
    worker: LocalWorker, how: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with twilio.open_stream(worker.url, upgrades()[how]):
            pytest.fail("expected a refusal, got a socket")
    assert refused.value.response.status_code == 403


async def test_an_upgrade_signed_with_a_slash_behind_its_url_is_twilios(
    worker: LocalWorker,
) -> None:
    faults = CallFaults(upgrade_signature=UpgradeSignature.TRAILING_SLASH)
    report = await place(caller(HANG_UP), worker.url, faults=faults)
    assert (report.problems, len(report.turns)) == ((), 1)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "missing"),
        ("v1.nonsense", "malformed"),
        (minted("CA1", auth_token="another-token"), "forged"),
        (minted("CA1")[:-2] + "AA", "forged"),
        (minted("CA1", expires_ms=1_000), "expired"),
        (minted("CA2"), "other call"),
        (minted("CA1") + "\n", "malformed"),
    ],
)
async def test_a_stream_without_its_calls_token_is_closed_and_dials_nobody(
    worker: LocalWorker, gemini: SimulatedGemini, steps: Watch[Step], token: str, why: str
) -> None:
    assert await closed_with(worker.url, "CA1", {"token": token}) == (1008, why)
    assert steps.seen == []
    assert gemini.server.sessions == []
    counted = f'offhook_refused_total{{what="stream",why="token {why}"}} 1.0'
    assert counted in (await get(worker.url, "/metrics")).text


async def test_a_used_token_opens_no_second_stream_and_no_second_session(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    call_sid = twilio.new_call_sid()
    token = await twilio.ring(worker.url, call_sid)
    again = await twilio.ring(worker.url, call_sid)  # the webhook replayed, before the stream
    async with twilio.open_stream(worker.url) as socket:
        await twilio.start(socket, call_sid, {"token": token})
        await socket.recv()
        for used in (token, again):
            assert await closed_with(worker.url, call_sid, {"token": used}) == (1008, "used")
        assert '"media"' in str(await socket.recv())  # the call goes on
        assert len(gemini.server.sessions) == 1


async def test_of_fifty_streams_with_one_token_exactly_one_is_accepted(
    worker: LocalWorker, gemini: SimulatedGemini
) -> None:
    call_sid = twilio.new_call_sid()
    token = await twilio.ring(worker.url, call_sid)
    everybody = asyncio.Barrier(50)

    async def try_it() -> int | None:
        async with twilio.open_stream(worker.url) as socket:
            await everybody.wait()
            await twilio.start(socket, call_sid, {"token": token})
            with suppress(ConnectionClosed):
                await socket.recv()
                return 101
            return socket.close_code

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tries = [tasks.create_task(try_it()) for _ in range(50)]
    assert Counter(each.result() for each in tries) == {101: 1, 1008: 49}
    assert len(gemini.server.sessions) == 1
