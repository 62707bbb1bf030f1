"""The runbook names only what exists."""

import re
from pathlib import Path

from telephony.server.metrics import Metrics
from telephony.settings import Settings

RUNBOOK = (Path(__file__).parents[2] / "infra/README.md").read_text(encoding="utf-8")


def test_every_setting_it_names_exists() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", RUNBOOK))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}


def test_every_required_setting_is_named() -> None:
    required = {
        name.upper() for name, field in Settings.model_fields.items() if field.is_required()
    }
    assert required <= set(re.findall(r"^ *\| `([A-Z_]+)` \| required", RUNBOOK, re.MULTILINE))


def test_every_metric_it_names_exists() -> None:
    named = set(re.findall(r"\boffhook_\w+", RUNBOOK))
    rendered = Metrics().render().decode()
    kept = {line.split()[2] for line in rendered.splitlines() if line.startswith("# TYPE")}
    assert named
    assert named <= kept
