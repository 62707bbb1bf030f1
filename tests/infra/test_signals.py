"""Alert rules and dashboard ask only for metrics that exist, and the rules fire as they should."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from telephony.server.metrics import Metrics
from tests.programs import program

INFRA = Path(__file__).parents[2] / "infra"
RULES = INFRA / "prometheus/alerts.yaml"
DASHBOARD = INFRA / "grafana/offhook.json"

NAME = re.compile(r"\boffhook_\w+")


def test_every_metric_of_a_rule_or_a_panel_exists() -> None:
    served = _series(Metrics().render().decode())
    for queries in (RULES.read_text(encoding="utf-8"), "\n".join(_queries())):
        named = set(NAME.findall(queries))
        assert named
        assert named <= served


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set(NAME.findall("\n".join(_queries())))
    rendered = Metrics().render().decode()
    counted = {name for name in _series(rendered) if not name.endswith(("_bucket", "_sum"))}
    missing = {name for name in counted if name not in shown}
    missing -= {name for name in missing if name.removesuffix("_count") + "_bucket" in shown}
    assert missing == UNSHOWN


UNSHOWN = {
    "offhook_calls_opened_total",  # the calls that ended are shown, with their reasons
    "offhook_reply_audio_seconds_total",
    "offhook_store_confirmations_total",
}
"""What tells an operator nothing that a panel does not tell."""


def test_no_rule_and_no_panel_is_without_words() -> None:
    for panel in _panels():
        assert panel["description"]
    text = RULES.read_text(encoding="utf-8")
    assert text.count("summary:") == text.count("action:") == text.count("- alert:")


def test_each_rule_is_tested() -> None:
    tested = RULES.with_name("alerts.test.yaml").read_text(encoding="utf-8")
    rules = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    assert [rule for rule in rules if rule not in tested] == []


def test_the_rules_fire_when_they_should_and_at_no_other_time() -> None:
    tests = RULES.with_name("alerts.test.yaml")
    for command in (("check", "rules", RULES), ("test", "rules", tests)):
        ran = subprocess.run(  # noqa: S603 - promtool, with our own files
            [program("promtool"), *command], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def _series(rendered: str) -> set[str]:
    """The names that a query can ask for."""
    found: set[str] = set()
    for _, _, name, kind in (
        line.split(maxsplit=3) for line in rendered.splitlines() if line.startswith("# TYPE")
    ):
        if kind == "histogram":
            found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
        elif not name.endswith("_created"):
            found.add(name)
    return found


def _panels() -> list[dict[str, Any]]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in panels if panel["type"] != "row"]


def _queries() -> list[str]:
    return [target["expr"] for panel in _panels() for target in panel["targets"]]
