"""`offhook call` says what to do if the server does not answer as it should."""

import asyncio

import pytest
from pydantic import SecretStr

from telephony.dial_command import CallSettings, call_and_print
from telephony.errors import UsageError

WISH = {"to": "+14155550123", "consent": "web form"}
SETTINGS = CallSettings(
    api_token=SecretStr("a-token-of-16-characters"), host="127.0.0.1", port=8000
)

pytestmark = pytest.mark.real  # it is an HTTP client


async def test_a_lost_answer_is_no_reason_to_try_again_and_no_proxy_sees_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0

    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += (await reader.readline()).startswith(b"POST /calls")
        writer.close()

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with await asyncio.start_server(gone, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(UsageError, match="before you try again"):
            await asyncio.to_thread(call_and_print, SETTINGS, url, WISH, as_json=False)
    assert asked == 1


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1", "expected a server at"),
        ("https://127.0.0.1:x", "expected a server at"),
        ("https://[::1", "--server: expected an address"),
    ],
)
def test_a_server_that_was_not_reached_has_placed_nothing(url: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        call_and_print(SETTINGS, url, WISH, as_json=False)
