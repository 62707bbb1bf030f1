"""Who may use the browser phone, and who not: row 38 of the fault table, for this page."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from telephony.browser_phone.door import KEY, SIGNATURE, STREAM_PATH, Checked, Door
from telephony.twilio.signature import valid_upgrade

PORT = 8010
HOST = f"127.0.0.1:{PORT}"
STREAM_URL = f"wss://dev.invalid{STREAM_PATH}"
TOKEN = "token-of-this-process"


@pytest.fixture
def door() -> Door:
    return Door(PORT, STREAM_URL, TOKEN)


class Inside:
    """The application behind the door: it keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Scope] = []

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.asked.append(scope)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})


async def ask(
    door: Door, method: str, path: str, headers: Mapping[str, str], *, session: bool = True
) -> httpx.Response:
    """A request to the door."""
    cookies = {door.cookie: door.key} if session else {}
    transport = httpx.ASGITransport(Checked(Inside(), door))
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://{HOST}", cookies=cookies
    ) as client:
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"[::1]:{PORT}"])
async def test_the_owners_page_may_come_in(door: Door, host: str) -> None:
    own = {"host": host, "origin": f"http://{host}"}
    assert (await ask(door, "GET", "/", {"host": host})).status_code == 200
    assert (await ask(door, "POST", "/phone/calls", own)).status_code == 200


@pytest.mark.parametrize(
    "host", ["rebound.example", f"rebound.example:{PORT}", "127.0.0.1", "127.0.0.1:8011", ""]
)
@pytest.mark.parametrize("path", ["/", "/phone/calls", "/twilio/voice", "/healthz"])
async def test_a_name_that_leads_to_this_machine_is_not_this_servers(
    door: Door, host: str, path: str
) -> None:
    answer = await ask(door, "GET", f"{path}?{KEY}={door.key}", {"host": host})
    assert answer.status_code == 421
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:8011", f"https://{HOST}", "null", None]
)
async def test_no_other_page_may_place_a_call(door: Door, origin: str | None) -> None:
    headers = {} if origin is None else {"origin": origin}
    assert (await ask(door, "POST", "/phone/calls", headers)).status_code == 403


async def test_a_page_of_localhost_is_not_one_of_this_address(door: Door) -> None:
    mixed = {"host": HOST, "origin": f"http://localhost:{PORT}"}
    assert (await ask(door, "POST", "/phone/calls", mixed)).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_no_other_page_may_read(door: Door, site: str) -> None:
    assert (await ask(door, "GET", "/phone/about", {"sec-fetch-site": site})).status_code == 403


@pytest.mark.parametrize("path", ["/", "/phone/about", "/healthz", "/calls", "/metrics"])
async def test_nothing_is_shown_without_a_session(door: Door, path: str) -> None:
    answer = await ask(door, "GET", path, {}, session=False)
    assert answer.status_code == 403
    assert "offhook dev" in answer.text


async def test_another_processs_key_or_cookie_opens_nothing(door: Door) -> None:
    other = Door(PORT, STREAM_URL, TOKEN)
    answer = await ask(door, "GET", f"/?{KEY}={other.key}", {}, session=False)
    assert answer.status_code == 403
    cookie = {"cookie": f"{door.cookie}={other.key}"}
    assert (await ask(door, "GET", "/", cookie, session=False)).status_code == 403


async def test_the_key_is_exchanged_for_a_cookie_that_no_script_reads(door: Door) -> None:
    answer = await ask(door, "GET", f"/?{KEY}={door.key}", {}, session=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict"} <= {part.strip() for part in cookie.split(";")}


async def test_the_key_alone_places_no_call(door: Door) -> None:
    answer = await ask(door, "POST", f"/phone/calls?{KEY}={door.key}", {}, session=False)
    assert answer.status_code == 403


async def test_twilios_webhooks_are_left_to_their_signature(door: Door) -> None:
    assert (await ask(door, "POST", "/twilio/voice", {}, session=False)).status_code == 200


async def upgraded(door: Door, path: str = STREAM_PATH, **headers: str) -> str | None:
    """The signature with which an upgrade reaches the server."""
    inside, own = Inside(), {"host": HOST, "origin": f"http://{HOST}"}
    own |= {"cookie": f"{door.cookie}={door.key}"} | headers
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in own.items() if value],
    }

    async def nothing(*_: object) -> Any:
        raise AssertionError("the door neither reads nor answers an upgrade")

    await Checked(inside, door)(scope, nothing, nothing)
    found = [value for name, value in inside.asked[0]["headers"] if name == SIGNATURE.encode()]
    assert len(found) <= 1
    return found[0].decode() if found else None


async def test_the_owners_stream_is_signed_as_twilio_signs_it(door: Door) -> None:
    assert valid_upgrade(STREAM_URL, await upgraded(door), (TOKEN,))
    assert valid_upgrade(STREAM_URL, await upgraded(door, **{SIGNATURE: "forged"}), (TOKEN,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": f"rebound.example:{PORT}", "origin": f"http://rebound.example:{PORT}"},
        {"origin": "https://evil.example"},
        {"origin": ""},
        {"cookie": ""},
        {"cookie": f"offhook-dev-{PORT}=guessed"},
    ],
)
async def test_no_other_stream_is_signed(door: Door, wrong: dict[str, str]) -> None:
    assert await upgraded(door, **wrong) is None


async def test_only_streams_of_calls_are_signed(door: Door) -> None:
    assert await upgraded(door, "/elsewhere") is None
