"""The wheel works away from the checkout, with what the locks say and nothing else."""

import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
UV = ROOT / ".uv/bin/uv"
PACKAGES = ("agent", "telephony")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `bin` of an environment that has the wheel and the locked runtime, and no checkout."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    python = str(environment / "bin/python")
    uv("venv", "--no-project", "--python", str(ROOT / ".venv/bin/python"), str(environment))
    locked = str(ROOT / "requirements/runtime.txt")
    uv("pip", "install", "--python", python, "--require-hashes", "-r", locked)
    uv("pip", "install", "--python", python, "--no-deps", str(wheel))
    yield environment / "bin"
    shutil.rmtree(environment)  # 300 MB, of which pytest would keep three


def uv(*arguments: str) -> None:
    """Run uv as `make setup` does: from its cache first."""
    for offline in (["--offline"], []):
        done = run(UV, *offline, "--quiet", *arguments, environment=None)
        if done.returncode == 0:
            return
    pytest.fail(f"uv {' '.join(arguments)}: {done.stderr}")


def run(
    program: Path | str,
    *arguments: str,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, without any variable of ours but where `environment` is None."""
    return subprocess.run(  # noqa: S603 - our own programs
        [program, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_holds_every_file_of_both_packages(wheel: Path) -> None:
    git = shutil.which("git")
    assert git is not None
    listed = run(git, "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES)
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if name.startswith(PACKAGES)}
    assert held == {name for name in listed.stdout.split() if (ROOT / name).exists()}
    assert {f"{package}/py.typed" for package in PACKAGES} <= held


def test_the_locked_packages_are_all_it_requires(installed: Path) -> None:
    done = run(UV, "pip", "check", "--python", str(installed / "python"))
    assert done.returncode == 0, done.stderr


def test_it_replays_a_recorded_call(installed: Path, tmp_path: Path) -> None:
    recorded = ROOT / "fixtures/calls/barge-in-twice.call"
    done = run(installed / "offhook", "replay", str(recorded), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS" in done.stdout


def test_it_says_what_the_server_needs(installed: Path, tmp_path: Path) -> None:
    done = run(installed / "offhook", "serve", cwd=tmp_path)
    assert done.returncode == 2
    assert "GEMINI_API_KEY: missing" in done.stderr


def test_it_is_typed_for_those_who_use_it(installed: Path) -> None:
    found = run(
        installed / "python",
        "-c",
        "import agent, importlib.resources as r; print(r.files(agent) / 'py.typed')",
        cwd=installed,
    )
    assert Path(found.stdout.strip()).is_file()
    assert ROOT not in Path(found.stdout.strip()).parents
