"""`offhook number …` as processes of their own, against the simulated REST API."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.simulator.rest import RestAccount, refusal
from telephony.simulator.rest_server import SimulatedRest
from telephony.twilio.urls import RETRIES
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    offhook_anew,
    run,
    run_anew,
)
from tests.end_to_end.watching import PATIENCE_S

PHONE_NUMBER = "+14155550199"
OLD_URL = "https://old.example.com/voice"

type Answer = tuple[int | None, str, str]


class Desk:
    """Somebody at a terminal, whose account is simulated."""

    def __init__(self, rest: SimulatedRest, state_dir: Path) -> None:
        self.sid = rest.account.add(PHONE_NUMBER, voice_url=OLD_URL)
        self.account, self.state_dir = rest.account, state_dir
        self._environment = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": rest.url,
            "PUBLIC_URL": PUBLIC_URL,
            "STATE_DIR": str(state_dir),
        }

    async def number(self, *arguments: str, **environment: str) -> Answer:
        """Run a command; whatever comes of it, no traceback and no secret."""
        code, out, err = await run("number", *arguments, **self._environment | environment)
        assert "Traceback" not in out + err
        assert AUTH_TOKEN not in out + err
        return code, out, err

    @property
    def voice_url(self) -> str | None:
        """As it stands at Twilio."""
        return self.account.numbers[self.sid]["voice_url"]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """An account with one number, which somebody else answers."""
    async with SimulatedRest(RestAccount(ACCOUNT_SID, AUTH_TOKEN)) as rest:
        yield Desk(rest, tmp_path / "state")


async def test_a_number_is_linked_shown_and_unlinked(desk: Desk) -> None:
    change = f"  voice URL: {OLD_URL} -> {PUBLIC_URL}/twilio/voice#{RETRIES}\n"

    code, out, err = await desk.number("link", PHONE_NUMBER, "--dry-run")
    assert (code, err) == (0, "")
    assert f"{PHONE_NUMBER}: would change\n{change}" in out
    assert desk.voice_url == OLD_URL
    assert not desk.state_dir.exists()

    code, out, err = await desk.number("link", PHONE_NUMBER)
    assert (code, err) == (0, "")
    assert f"{PHONE_NUMBER}: changed\n{change}" in out
    assert f"previous webhooks: {desk.state_dir}/numbers/{desk.sid}.json" in out
    assert desk.voice_url == f"{PUBLIC_URL}/twilio/voice#{RETRIES}"

    assert await desk.number("link", PHONE_NUMBER) == (
        0,
        f"{PHONE_NUMBER}: nothing to change\n",
        "",
    )
    assert await desk.number("list") == (0, f"{PHONE_NUMBER}  linked\n", "")
    code, out, err = await desk.number("show", PHONE_NUMBER)
    assert (code, err) == (0, "")
    assert f"  status callback: {PUBLIC_URL}/twilio/status#{RETRIES}\n" in out

    code, out, err = await desk.number("unlink", PHONE_NUMBER)
    assert (code, err) == (0, "")
    assert f"  voice URL: {PUBLIC_URL}/twilio/voice#{RETRIES} -> {OLD_URL}\n" in out
    assert desk.voice_url == OLD_URL
    assert await desk.number("list") == (0, f"{PHONE_NUMBER}  calls go to {OLD_URL}\n", "")


async def test_a_number_that_an_earlier_release_linked_is_brought_up_to_date(desk: Desk) -> None:
    await desk.number("link", PHONE_NUMBER)
    memory = desk.state_dir / "numbers" / f"{desk.sid}.json"
    memory.write_text(memory.read_text().replace(f"#{RETRIES}", ""))
    desk.account.numbers[desk.sid]["voice_url"] = f"{PUBLIC_URL}/twilio/voice"
    _, out, _ = await desk.number("list")
    assert out.startswith(f"{PHONE_NUMBER}  linked, but ")
    assert (await desk.number("link", PHONE_NUMBER))[0] == 0
    assert desk.voice_url == f"{PUBLIC_URL}/twilio/voice#{RETRIES}"
    assert (await desk.number("unlink", PHONE_NUMBER))[0] == 0
    assert desk.voice_url == OLD_URL


async def test_a_trunk_is_warned_of_and_taken_away_by_force_alone(desk: Desk) -> None:
    desk.account.numbers[desk.sid]["trunk_sid"] = "TK1"
    code, _, err = await desk.number("link", PHONE_NUMBER)
    assert code == 1
    assert err.startswith(f"warning: the trunk TK1 of {PHONE_NUMBER} answers instead")
    assert desk.account.numbers[desk.sid]["trunk_sid"] == "TK1"
    code, out, err = await desk.number("link", PHONE_NUMBER, "--force")
    assert (code, err) == (0, "")
    assert "  trunk: TK1 -> (none)\n" in out
    assert desk.account.numbers[desk.sid]["trunk_sid"] is None
    assert (await desk.number("unlink", PHONE_NUMBER))[0] == 0
    assert desk.account.numbers[desk.sid]["trunk_sid"] == "TK1"


async def test_what_was_changed_since_is_left_and_said(desk: Desk) -> None:
    await desk.number("link", PHONE_NUMBER)
    desk.account.numbers[desk.sid]["voice_url"] = "https://third.example.com"
    code, _, err = await desk.number("unlink", PHONE_NUMBER)
    assert code == 0
    assert "warning: the voice URL was changed since it was linked, and stays as it is\n" in err
    assert desk.voice_url == "https://third.example.com"


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("list",), {"TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID: missing\n    hint: copy"),
        (("list",), {"TWILIO_REGION": "ie1"}, "TWILIO_EDGE: expected TWILIO_REGION and TWILIO"),
        (("list",), {"TWILIO_AUTH_TOKEN": "other"}, "offhook: Twilio says 401, error 20003: "),
        (("show", "4155550199"), {}, "offhook: expected a number in E.164, such as +14155550199"),
        (("link", "+4930123456"), {}, f"offhook: expected a number of account {ACCOUNT_SID}, got"),
        (("unlink", PHONE_NUMBER), {}, "offhook: expected a number that was linked from here"),
        (("link", PHONE_NUMBER), {"STATE_DIR": "pyproject.toml"}, "offhook: STATE_DIR: expected"),
    ],
)
async def test_a_mistake_is_one_message_and_changes_nothing(
    desk: Desk, arguments: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    code, out, err = await desk.number(*arguments, **environment)
    assert (code, out) == (2, "")
    assert said in err
    assert desk.voice_url == OLD_URL


async def test_a_twilio_in_trouble_is_one_message(desk: Desk) -> None:
    desk.account.faults.append(refusal(503, 20503, "Service Unavailable"))
    code, out, err = await desk.number("link", PHONE_NUMBER)
    assert (code, out) == (2, "")
    assert err == (
        "offhook: Twilio says 503, error 20503: Twilio has a problem; try again later, and see "
        "status.twilio.com\n"
    )


async def test_the_simulated_api_is_a_command_too(tmp_path: Path) -> None:
    process = await offhook_anew(
        "simulate", "rest", "--port", "0", "--number", "+4930123456", environment={}
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            lines = [(await process.stdout.readline()).decode().split() for _ in range(3)]
        given = dict(words[1].split("=", 1) for words in lines)
        environment = {"PUBLIC_URL": PUBLIC_URL, "STATE_DIR": str(tmp_path)} | given
        listed = await run_anew("number", "list", **environment)
        assert listed == (0, "+4930123456  calls go to nobody\n", "")
    finally:
        process.kill()
        await process.communicate()
