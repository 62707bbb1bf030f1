"""The doctor, with everything there: Gemini, Redis, a server behind TLS, Twilio's REST API."""

import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis

from agent.simulator.faults import RefuseConnect
from agent.simulator.server import SimulatedGemini
from agent.store.budgets import KEPT_S
from agent.store.own_server import OwnServer
from telephony.number.checks import REDIS_TTL_S, Checkup
from telephony.number.findings import Finding, examine
from telephony.number.webhooks import ours
from telephony.simulator.rest import RestAccount, refusal
from telephony.simulator.rest_server import SimulatedRest
from tests.end_to_end.front import Front, public
from tests.end_to_end.serving import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    LocalWorker,
    get,
    run,
    run_anew,
    serving,
)
from tests.own_store import state_dir, store_in

if TYPE_CHECKING:
    from tests.redis_server import RedisServer

ALL = (
    *("settings", "personas", "MCP servers", "transfers", "model", "redis", "server"),
    *("public URL", "signature"),
    *("account", "number", "clock"),
)
PHONE_NUMBER = "+14155550199"


@dataclass
class Clinic:
    """Everything there is to look at."""

    gemini: SimulatedGemini
    rest: SimulatedRest
    front: Front
    worker: LocalWorker
    redis_url: str

    @property
    def environment(self) -> dict[str, str]:
        """What a well installation is told."""
        return {
            "GEMINI_API_KEY": "simulated",
            "GOOGLE_GEMINI_BASE_URL": self.gemini.base_url,
            "SSL_CERT_FILE": str(self.gemini.ca_file),
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": self.rest.url,
            "PUBLIC_URL": self.front.public_url,
            "REDIS_URL": self.redis_url,
            "PORT": self.worker.url.rpartition(":")[2],
        }

    async def examine(self, phone_number: str | None = None, **settings: str) -> dict[str, Finding]:
        """All findings, by check; `settings` differ from `environment`."""
        given = {name.lower(): value for name, value in self.environment.items()} | settings
        async with Checkup(phone_number, **given) as checkup:
            findings = await examine(checkup.checks())
        assert tuple(finding.check for finding in findings) == ALL
        assert AUTH_TOKEN not in repr(findings)
        return {finding.check: finding for finding in findings}

    async def only(self, check: str, *skipped: str, **settings: str) -> Finding:
        """The finding of the one check that fails; those in `skipped` are not made."""
        found = await self.examine(**settings)
        outcomes = {name: finding.outcome for name, finding in found.items()}
        expected = dict.fromkeys(ALL, "ok") | dict.fromkeys(skipped, "skipped")
        assert outcomes == expected | {check: "failed"}, found
        return found[check]


@pytest.fixture
async def clinic(
    gemini: SimulatedGemini, redis: Redis, redis_server: "RedisServer"
) -> AsyncIterator[Clinic]:
    """All is well."""
    async with (
        SimulatedRest(RestAccount(ACCOUNT_SID, AUTH_TOKEN)) as rest,
        public(gemini.ca_file) as front,
        serving(gemini, redis_url=redis_server.url, public_url=front.public_url) as worker,
    ):
        front.leads_to = int(worker.url.rpartition(":")[2])
        rest.account.add(PHONE_NUMBER, **ours(front.public_url))
        yield Clinic(gemini, rest, front, worker, redis_server.url)


async def test_where_all_is_well_nothing_fails_and_no_call_is_left_behind(
    clinic: Clinic, redis: Redis
) -> None:
    found = await clinic.examine(PHONE_NUMBER)
    assert {finding.outcome for finding in found.values()} == {"ok"}, found
    assert len(clinic.worker.server.worker.calls) == 0
    left = await redis.keys("*")  # of the rehearsal, which expires
    whose = {"offhook:{doctor", "offhook:caller:doctor", "offhook:spent:1970"}
    left = [key for key in left if key != "offhook:{dials}:next"]  # which may end at any moment
    assert {str(key).split("-")[0] for key in left} == whose
    assert all([0 < await redis.ttl(key) <= max(REDIS_TTL_S, KEPT_S) for key in left])


@pytest.mark.parametrize("query", ["", "?challenge=", "?challenge=too-short", "?challenge=a+b"])
async def test_a_server_names_itself_to_nobody_who_gives_no_challenge(
    clinic: Clinic, query: str
) -> None:
    answer = await get(clinic.worker.url, f"/healthz{query}")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "reasons": []})


async def test_without_redis_and_server_there_is_nothing_to_look_at(
    clinic: Clinic, tmp_path: Path
) -> None:
    found = await clinic.examine(redis_url="", state_dir=str(tmp_path))
    assert found["redis"].outcome == "skipped"
    assert "REDIS_URL is not set" in found["redis"].detail


async def test_a_server_that_keeps_its_calls_itself_is_looked_at_too(clinic: Clinic) -> None:
    async with state_dir() as state:
        own = OwnServer(store_in(state).path)
        async with own.running():
            found = await clinic.examine(redis_url="", state_dir=str(state))
            assert (found["redis"].outcome, found["redis"].detail) == (
                "ok",
                f"does everything that a call needs, in {state}/store",
            )
        store_in(state).socket.touch()  # as kill -9 leaves it
        finding = await clinic.only("redis", redis_url="", state_dir=str(state))
        assert finding.fix == f"start `offhook serve`; it uses {state}/store"


async def test_settings_that_are_missing_are_said_and_nothing_else_is_looked_at(
    clinic: Clinic,
) -> None:
    found = await clinic.examine(gemini_api_key="")
    assert found["settings"].outcome == "failed"
    assert "  GEMINI_API_KEY: " in found["settings"].detail
    assert {found[name].outcome for name in ALL[1:]} == {"skipped"}
    assert found["model"].detail == "not checked, because it needs settings to succeed first"


async def test_a_persona_file_with_a_mistake_is_said_with_its_place(
    clinic: Clinic, tmp_path: Path
) -> None:
    file = tmp_path / "reception.toml"
    file.write_text('name = "Ada"\ninstructions = "You are Ada."\nvioce = "Kore"\n')
    finding = await clinic.only("personas", "MCP servers", "transfers", personas=str(file))
    assert finding.detail.startswith(f"{file}:3: vioce: ")
    assert finding.fix == f"correct the file; `offhook persona check {file}`"


async def test_a_warm_transfer_needs_the_account_that_calls(clinic: Clinic, tmp_path: Path) -> None:
    file = tmp_path / "reception.toml"
    target = '[transfers.sales]\nto = "+14155550101"\n'
    file.write_text(f'name = "Ada"\ninstructions = "You are Ada."\n{target}warm = true\n')
    found = await clinic.examine(personas=str(file))
    assert found["transfers"].detail == "the account calls sales of Ada"
    missing = (await clinic.examine(personas=str(file), twilio_account_sid=""))["transfers"]
    assert missing.outcome == "failed"
    assert missing.detail.startswith("TWILIO_ACCOUNT_SID is not set")
    assert missing.detail.endswith("nobody is called for sales of Ada")
    assert missing.fix == "copy the Account SID from the front page of the Twilio Console"
    file.write_text(f'name = "Ada"\ninstructions = "You are Ada."\n{target}')
    without = (await clinic.examine(personas=str(file), twilio_account_sid=""))["transfers"]
    assert (without.outcome, without.detail) == ("ok", "none has warm = true")


async def test_a_model_that_refuses_is_said_with_its_reason(clinic: Clinic) -> None:
    clinic.gemini.inject(RefuseConnect(401, "API key not valid"))
    finding = await clinic.only("model")
    assert "401" in finding.detail
    assert finding.fix == "check GEMINI_API_KEY, and that it may use GEMINI_MODEL"


async def test_the_fallback_model_is_looked_at_too(clinic: Clinic) -> None:
    finding = await clinic.only("model", gemini_fallback_model="gone")
    assert finding.detail.startswith("gone refused a session: 1008")
    assert finding.fix == "check GEMINI_API_KEY, and that it may use GEMINI_FALLBACK_MODEL"


async def test_a_model_that_cannot_be_reached_is_said(clinic: Clinic) -> None:
    finding = await clinic.only(
        "model", google_gemini_base_url=clinic.rest.url.replace("p:", "ps:")
    )
    assert finding.fix.startswith("check the network, GOOGLE_GEMINI_BASE_URL")


async def test_a_redis_that_cannot_be_reached_is_said(clinic: Clinic) -> None:
    finding = await clinic.only("redis", redis_url=f"redis://127.0.0.1:{free_port()}")
    assert finding.detail.startswith("the store is away (unreachable)")
    assert finding.fix == "start Redis, or correct REDIS_URL"


async def test_a_server_that_does_not_run_is_said(clinic: Clinic) -> None:
    port = str(free_port())
    finding = await clinic.only("server", "public URL", "signature", port=port)
    assert finding.detail.startswith(f"http://127.0.0.1:{port}: ConnectError")
    assert finding.fix.startswith("start `offhook serve`")


async def test_something_else_on_the_port_is_no_server_of_ours(clinic: Clinic) -> None:
    port = clinic.rest.url.rpartition(":")[2]
    finding = await clinic.only("server", "public URL", "signature", port=port)
    assert "is not an offhook server (/healthz answers 401)" in finding.detail


async def test_a_public_url_that_leads_nowhere_is_said(clinic: Clinic) -> None:
    clinic.front.leads_to = int(clinic.rest.url.rpartition(":")[2])
    finding = await clinic.only("public URL", "signature")
    assert "is not an offhook server (/healthz answers 401)" in finding.detail
    assert finding.fix.endswith(f"pass everything to {clinic.worker.url}")


async def test_a_public_url_that_leads_to_another_of_our_servers_is_found_out(
    clinic: Clinic,
) -> None:
    async with serving(clinic.gemini, public_url=clinic.front.public_url) as other:
        clinic.front.leads_to = int(other.url.rpartition(":")[2])
        finding = await clinic.only("public URL", "signature")
    assert "leads to another server with the same auth token" in finding.detail


async def test_a_public_url_that_leads_to_somebody_elses_server_is_found_out(
    clinic: Clinic,
) -> None:
    async with serving(clinic.gemini, auth_token="another-token") as other:
        clinic.front.leads_to = int(other.url.rpartition(":")[2])
        finding = await clinic.only("public URL", "signature")
    assert "is an offhook server with another TWILIO_AUTH_TOKEN" in finding.detail


async def test_a_certificate_that_nobody_trusts_is_said(clinic: Clinic) -> None:
    found = await clinic.examine(ssl_cert_file="")
    assert found["public URL"].outcome == "failed"
    assert "CERTIFICATE_VERIFY_FAILED" in found["public URL"].detail


async def test_a_server_that_knows_another_public_url_refuses_what_twilio_signs(
    clinic: Clinic,
) -> None:
    async with serving(clinic.gemini) as other:
        port = other.url.rpartition(":")[2]
        clinic.front.leads_to = int(port)
        finding = await clinic.only("signature", port=port)
    assert "was refused" in finding.detail
    assert "the same PUBLIC_URL" in finding.fix


async def test_a_proxy_that_does_not_pass_webhooks_is_said(clinic: Clinic) -> None:
    clinic.front.refuses = "/twilio"
    finding = await clinic.only("signature")
    assert finding.detail.endswith("expected 204, got 404")


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_what_twilio_refuses_is_said_and_what_hangs_on_it_is_skipped(
    clinic: Clinic, status: int
) -> None:
    clinic.rest.account.faults.append(refusal(status, 20000 + status % 400, "No"))
    finding = await clinic.only("account", "number", "clock")
    assert finding.detail.startswith(f"Twilio says {status}")


async def test_an_account_that_is_not_named_is_asked_for(clinic: Clinic) -> None:
    finding = await clinic.only("account", "number", "clock", twilio_account_sid="")
    assert finding.detail == "TWILIO_ACCOUNT_SID is not set"


async def test_a_number_that_calls_somebody_else_is_said_with_the_command(clinic: Clinic) -> None:
    [number] = clinic.rest.account.numbers.values()
    number["voice_url"] = "https://old.example.com"
    finding = await clinic.only("number")
    assert finding.fix == "offhook number link +…"
    found = await clinic.examine(PHONE_NUMBER)
    assert found["number"].detail.startswith(f"{PHONE_NUMBER} does not call https://")
    assert found["number"].fix == f"offhook number link {PHONE_NUMBER}"


async def test_a_trunk_that_answers_instead_is_said(clinic: Clinic) -> None:
    [number] = clinic.rest.account.numbers.values()
    number["trunk_sid"] = "TK1"
    finding = await clinic.only("number")
    assert "the trunk TK1 of +14155550199 answers instead" in finding.detail
    assert finding.fix.endswith("--force")


@pytest.mark.parametrize(("ahead_s", "side"), [(90, "behind"), (-90, "ahead of")])
async def test_a_clock_that_is_wrong_is_said(clinic: Clinic, ahead_s: int, side: str) -> None:
    clinic.rest.account.clock_ahead_s = ahead_s
    finding = await clinic.only("clock")
    assert f" s {side} Twilio's" in finding.detail


async def test_the_command_prints_a_line_a_check_and_its_exit_code_tells(clinic: Clinic) -> None:
    well = await run_anew("doctor", **clinic.environment)
    assert (well[0], well[2]) == (0, "")
    assert [line[9:21].strip() for line in well[1].splitlines()] == list(ALL)
    assert {line[:9].strip() for line in well[1].splitlines()} == {"ok"}

    clinic.rest.account.clock_ahead_s = 90
    unwell = await run("doctor", "--json", **clinic.environment)
    assert (unwell[0], unwell[2]) == (1, "")
    findings = json.loads(unwell[1])
    assert [one["check"] for one in findings if one["outcome"] == "failed"] == ["clock"]

    unset = await run("doctor", **clinic.environment | {"PUBLIC_URL": ""})
    assert unset[0] == 2
    assert "PUBLIC_URL: missing" in unset[1]
    misused = await run("doctor", "--number", "4155550199", **clinic.environment)
    assert misused[0] == 2
    assert "expected a number in E.164" in misused[2]


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
