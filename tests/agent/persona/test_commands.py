"""`offhook persona new` and `offhook persona check`."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.persona.example import EXAMPLE
from telephony.cli import app
from telephony.errors import UsageError
from telephony.server import admission

RUN = CliRunner()


def test_a_new_file_is_written_and_has_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "my-agent.toml"
    written = RUN.invoke(app, ["persona", "new", str(file)])
    assert written.exit_code == 0
    assert file.read_text() == EXAMPLE
    checked = RUN.invoke(app, ["persona", "check", str(file)])
    assert (checked.exit_code, checked.stdout) == (
        0,
        "Ada: no number of its own, and every other number\n",
    )


def test_the_next_opening_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "wall_time_ms", lambda: 1_796_050_800_000)  # Monday at 15:00 UTC
    file = tmp_path / "ada.toml"
    file.write_text('name = "Ada"\ninstructions = "x"\n[hours]\nmon = "09:00-12:00"\n')
    checked = RUN.invoke(app, ["persona", "check", str(file)])
    assert checked.stdout.endswith("; closed now, opens next: Mon 2026-12-07 at 09:00 (UTC)\n")


def test_a_file_that_exists_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "my-agent.toml"
    file.write_text("mine")
    refused = RUN.invoke(app, ["persona", "new", str(file)])
    assert isinstance(refused.exception, UsageError)
    assert f"got {file}, which exists" in str(refused.exception)
    assert file.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    refused = RUN.invoke(app, ["persona", "new", str(tmp_path / "no" / "agent.toml")])
    assert isinstance(refused.exception, UsageError)


def test_mistakes_end_with_exit_code_2_and_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "A"\n')
    (tmp_path / "b.toml").write_text('nmae = "B"\n')
    checked = RUN.invoke(app, ["persona", "check", str(tmp_path)])
    assert checked.exit_code == 2
    assert [line.partition(":")[0] for line in checked.stderr.splitlines()] == [
        str(tmp_path / name) for name in ("a.toml", "b.toml", "b.toml", "b.toml")
    ]


@pytest.mark.real
def test_the_servers_of_a_file_are_started_and_asked_if_that_is_wanted(tmp_path: Path) -> None:
    program = Path(__file__).parents[1] / "tools/mcp_shop.py"
    file = tmp_path / "my-agent.toml"
    file.write_text(
        'name = "Ada"\ninstructions = "You are Ada."\n'
        f'[mcp.shop]\ncommand = ["{sys.executable}", "{program}"]\n'
        '[mcp.gone]\ncommand = ["/no/such/program"]\n'
        '[[tools]]\nmcp = "shop:order_status"\n[[tools]]\nmcp = "gone:order"\n'
    )
    process = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "telephony", "persona", "check", "--servers", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stdout.splitlines()[1:] == ["Ada: order_status of shop"]
    assert process.stderr.startswith("MCP server gone is down (its program cannot be started: No")
