"""The image and the Compose files keep what calls rely on; no engine is needed to read them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from telephony.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "infra/Dockerfile").read_text(encoding="utf-8")
COMPOSE_FILES = ("compose.yaml", "compose.two-workers.yaml")
HAND_OVER_S = 5
"""What a worker needs after its budget to write down what was said."""


@pytest.fixture(params=COMPOSE_FILES)
def services(request: pytest.FixtureRequest) -> dict[str, dict[str, Any]]:
    """The services of one Compose file."""
    compose = yaml.safe_load((ROOT / "infra" / request.param).read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def servers(services: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that run offhook."""
    return [service for name, service in services.items() if name.startswith("server")]


def instructions(name: str) -> list[str]:
    """The arguments of every such instruction of the last stage."""
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2].replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", last_stage, re.MULTILINE)


def test_a_draining_server_is_not_killed_within_its_budget(
    services: dict[str, dict[str, Any]],
) -> None:
    for server in servers(services):
        grace_s = int(server["stop_grace_period"].removesuffix("s"))
        assert grace_s >= int(server["environment"]["DRAIN_BUDGET_S"]) + HAND_OVER_S


def test_compose_sets_only_settings_that_exist(services: dict[str, dict[str, Any]]) -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert all(server["environment"].keys() <= known for server in servers(services))


def test_compose_holds_no_secret(services: dict[str, dict[str, Any]]) -> None:
    for server in servers(services):
        assert server["env_file"] == "../.env"
        assert not {"GEMINI_API_KEY", "TWILIO_AUTH_TOKEN"} & server["environment"].keys()


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_compose_files_are_what_compose_expects(name: str) -> None:
    done = subprocess.run(  # noqa: S603 - a program of the locked packages
        [
            *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"),
            str(ROOT / "infra" / name),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_server_does_not_wait_for_redis(services: dict[str, dict[str, Any]]) -> None:
    assert all("depends_on" not in server for server in servers(services))


def test_no_service_fills_the_disk_with_its_log(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        assert service["logging"]["options"].keys() == {"max-size", "max-file"}


def test_metrics_are_not_on_the_port_that_is_public(services: dict[str, dict[str, Any]]) -> None:
    for server in servers(services):
        environment = server["environment"]
        assert environment["METRICS_PORT"] != environment["PORT"]
        assert all(port.startswith("127.0.0.1:") for port in server.get("ports", []))


def test_redis_keeps_what_it_was_given(services: dict[str, dict[str, Any]]) -> None:
    command = " ".join(services["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert "--maxmemory 512mb" in command
    assert services["redis"]["volumes"] == ["redis-data:/data"]


def test_the_server_gets_the_signal_itself() -> None:
    """In exec form: a shell in between would not pass SIGTERM on, and calls would be cut."""
    (command,) = instructions("CMD")
    assert json.loads(command) == ["offhook", "serve", "--host", "0.0.0.0"]  # noqa: S104 - in a container
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_the_server_is_not_root() -> None:
    assert instructions("USER") == ["offhook"]


def test_calls_outlive_a_container_without_redis() -> None:
    """In a volume that the server's user may write, whatever else is read-only."""
    (folder,) = instructions("VOLUME")
    assert f"STATE_DIR={folder}" in DOCKERFILE
    assert f"install --directory --owner offhook --mode 0700 {folder}" in DOCKERFILE


def test_health_is_asked_where_the_server_answers() -> None:
    (check,) = instructions("HEALTHCHECK")
    assert "/healthz" in json.loads(check.partition("CMD ")[2])[2]


def test_nothing_is_installed_unlocked() -> None:
    installs = re.findall(r"pip\b.*?\binstall (.*?)(?:&&|\n(?!\s))", DOCKERFILE, re.DOTALL)
    assert len(installs) == 3
    assert all("--require-hashes" in what or "--no-index" in what for what in installs)


def test_the_build_is_shown_only_what_it_copies() -> None:
    ignored = (ROOT / "infra/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    copied = {
        source
        for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
        for source in line.split()
    }
    shown = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert copied
    assert [path for path in copied if not any(Path(path).match(glob) for glob in shown)] == []
