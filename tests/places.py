"""Places of tests: `path::function`, `path`, or `make target`. Checks that they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def there(place: str) -> bool:
    """Whether such a file, such a test in it, or such a make target exists."""
    if place.startswith("make "):
        target = re.escape(place.removeprefix("make "))
        return re.search(rf"^{target}:", _text("Makefile"), re.MULTILINE) is not None
    path, _, test = place.partition("::")
    if not (ROOT / path).exists():
        return False
    name = re.escape(test.partition("[")[0])
    return not test or bool(re.search(rf"^(async )?def {name}\(", _text(path), re.MULTILINE))


def _text(path: str) -> str:
    return (ROOT / path).read_text("utf-8")
