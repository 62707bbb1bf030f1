"""Who is not Twilio gets nothing: no model session, no key in the store, no word of why."""

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from agent.simulator.server import SimulatedGemini
from telephony.simulator.webhooks import signature
from telephony.twilio import conference, urls
from tests.end_to_end import twilio
from tests.end_to_end.serving import AUTH_TOKEN, PUBLIC_URL, LocalWorker, get, serving
from tests.end_to_end.watching import PATIENCE_S, Step, Watch, observer

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

OF_NUMBERS = (
    urls.VOICE_PATH,
    urls.RESUME_PATH,
    urls.STATUS_PATH,
    urls.STREAM_STATUS_PATH,
    urls.PLAYED_PATH,
    urls.MENU_PATH,
    urls.TRANSFERRED_PATH,
)
WEBHOOKS = (
    *OF_NUMBERS,
    urls.DIALLED_PATH,
    conference.HOLD_PATH,
    conference.CONFERENCE_PATH,
    conference.BRIEFING_PATH,
    conference.BRIEFED_PATH,
    conference.LEG_PATH,
)

NOT_SIGNED_BY_TWILIO = {
    "none": {},
    "an empty one": {"X-Twilio-Signature": ""},
    "one that is no signature": {"X-Twilio-Signature": "\xff not base64"},
}


def forged(path: str, form: dict[str, str]) -> dict[str, dict[str, str]]:
    """Headers of requests that Twilio did not send."""
    spoofed = "https://attacker.example.net"
    signed_for_another_host = {"X-Twilio-Signature": signature(AUTH_TOKEN, spoofed + path, form)}
    attacker = {"Host": "attacker.example.net", "X-Forwarded-Host": "attacker.example.net"}
    return NOT_SIGNED_BY_TWILIO | {
        "with another token": twilio.signed(path, form, "another-token"),
        "for other fields": twilio.signed(path, form | {"From": "+1"}),
        "without the blank field": twilio.signed(path, {k: v for k, v in form.items() if v}),
        "for another path": twilio.signed("/twilio/other", form),
        "for another host": signed_for_another_host,
        "for the host it claims": signed_for_another_host | attacker,
        "for the scheme it claims": {
            "X-Twilio-Signature": signature(
                AUTH_TOKEN, PUBLIC_URL.replace("https", "http") + path, form
            ),
            "X-Forwarded-Proto": "http",
        },
    }


async def test_a_webhook_that_twilio_did_not_sign_gets_403_and_leaves_nothing_behind(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    steps: Watch[Step] = Watch()
    form = twilio.form_of(twilio.new_call_sid())
    async with serving(gemini, observer(steps), redis_url=redis_server.url) as worker:
        answers = {
            (path, how): await twilio.post(worker.url, path, form, headers)
            for path in WEBHOOKS
            for how, headers in forged(path, form).items()
        }
    assert {request: answer.status_code for request, answer in answers.items()} == dict.fromkeys(
        answers, 403
    )
    assert {answer.content for answer in answers.values()} == {b""}
    assert steps.seen == []
    assert gemini.server.sessions == []
    assert await redis.keys("*") == []


async def test_one_who_hangs_up_in_the_middle_of_a_webhook_is_counted_and_leaves_no_traceback(
    worker: LocalWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    url = urlsplit(worker.url)
    head = f"POST {urls.VOICE_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    _, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(head.encode() + b"C")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    counted = 'offhook_refused_total{what="webhook",why="gone"} 1.0'
    async with asyncio.timeout(PATIENCE_S):
        while counted not in (await get(worker.url, "/metrics")).text:  # noqa: ASYNC110 - untold
            await asyncio.sleep(0.01)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "claims",
    [
        {"Host": "attacker.example.net"},
        {"X-Forwarded-Host": "attacker.example.net"},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Port": "80"},
        {"Forwarded": "host=attacker.example.net;proto=http"},
    ],
    ids=lambda claims: next(iter(claims)),
)
async def test_what_a_request_claims_of_its_host_makes_no_difference(
    worker: LocalWorker, claims: dict[str, str]
) -> None:
    path = urls.VOICE_PATH
    form = twilio.form_of(twilio.new_call_sid())
    headers = twilio.signed(path, form) | claims
    answer = await twilio.post(worker.url, path, form, headers)
    assert answer.status_code == 200
    assert twilio.STREAM_URL in answer.text
    assert "attacker" not in answer.text


@pytest.mark.parametrize("query", ["agent=sales", "agent=sales&note=a%20b+c%2f&empty=", "x"])
async def test_the_query_that_an_operator_added_to_a_webhook_is_signed_and_counts(
    worker: LocalWorker, query: str
) -> None:
    for path in OF_NUMBERS:
        asked = f"{path}?{query}"
        form = twilio.form_of(twilio.new_call_sid(), "completed")
        ours = await twilio.post(worker.url, asked, form, twilio.signed(asked, form))
        without = await twilio.post(worker.url, path, form, twilio.signed(asked, form))
        another = await twilio.post(worker.url, asked + "y", form, twilio.signed(asked, form))
        assert (ours.is_success, without.status_code, another.status_code) == (True, 403, 403)


async def test_either_token_signs_while_they_are_rotated_and_no_third(
    gemini: SimulatedGemini,
) -> None:
    path = urls.STATUS_PATH
    form = twilio.form_of(twilio.new_call_sid())
    async with serving(gemini, auth_token="new, old") as worker:
        answers = [
            await twilio.post(worker.url, path, form, twilio.signed(path, form, token))
            for token in ("new", "old", "new, old", "older")
        ]
        assert [answer.status_code for answer in answers] == [204, 204, 403, 403]
        for token in ("new", "old"):
            async with twilio.open_stream(worker.url, twilio.upgrade_headers(token)) as socket:
                assert socket.response is not None
                assert socket.response.status_code == 101


async def test_a_webhook_that_comes_a_hundred_times_is_one_call_one_record_one_session(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> None:
    steps: Watch[Step] = Watch()
    call_sid = twilio.new_call_sid()
    async with serving(gemini, observer(steps), redis_url=redis_server.url) as worker:
        async with asyncio.TaskGroup() as tasks:
            rings = [tasks.create_task(twilio.ring(worker.url, call_sid)) for _ in range(100)]
        await steps.until(lambda step: type(step.event).__name__ == "SessionReady")
    tokens = [ring.result() for ring in rings]
    assert len({token.split(".")[4] for token in tokens}) == 1  # so that one of them counts
    opened = [step for step in steps.seen if type(step.event).__name__ == "CallOpened"]
    assert [step.call_sid for step in opened] == [call_sid]
    assert len(gemini.server.sessions) == 1
    kept = sorted(str(key) for key in await redis.keys("*"))
    assert [key.rpartition(":")[0] for key in kept] == [
        "offhook:caller",
        "offhook",  # offhook:calls, of all calls
        "offhook:party",
        f"offhook:{{{call_sid}}}",
    ]
    assert not any(twilio.form_of(call_sid)["From"] in key for key in kept)
