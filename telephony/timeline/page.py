"""The page of a call as one HTML file, which asks for nothing from anywhere.

The sources are plain: one HTML template, one style sheet and ES modules, in the folder `page`. They
are written into the file as they are; the modules become one script, in an order in which each
comes after those that it imports. The Content-Security-Policy allows that style and that script, by
their hashes, and nothing else.
"""

import base64
import re
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files

import msgspec

from telephony.audio.formats import PHONE_RATE_HZ, PHONE_SAMPLES_PER_MS
from telephony.timeline.model import CallTimeline, Sound

PIECE_MS = 10_000
"""The sound is decoded piece by piece, when it is played."""

MODULES = ("levels.js", "lanes.js", "player.js", "stage.js", "panels.js", "main.js", "file.js")
"""The modules of the page, each behind those that it imports."""

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|const|function)\b)", re.MULTILINE)


def html(timeline: CallTimeline, sound: Sound) -> str:
    """The page.

    Args:
        timeline: What it draws.
        sound: What it plays.
    """
    style, script = source("page.css"), bundle()
    csp = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    told = msgspec.json.decode(timeline.to_json())
    rows = told.pop("raw")
    told["sound"] = {
        "rate_hz": PHONE_RATE_HZ,
        "ms": len(sound.caller) // PHONE_SAMPLES_PER_MS,
        "piece_ms": PIECE_MS,
    }
    parts = {
        "csp": csp,
        "title": escape(f"{timeline.about.name}: a call as it was heard"),
        "style": style,
        "script": script,
        "timeline": _json(told),
        "rows": _json(rows),
        "sound": "\n".join(_pieces(sound)),
    }
    template = source("page.html")
    return re.sub(r"\{\{(\w+)\}\}", lambda place: parts[place[1]], template)


@cache
def source(name: str) -> str:
    """One of the page's sources."""
    return (files("telephony.timeline") / "page" / name).read_text(encoding="utf-8")


@cache
def bundle() -> str:
    """The modules as one classic script, which runs where it stands, before the sound is read."""
    code = "".join(_EXPORT.sub("", _IMPORT.sub("", source(name))) for name in MODULES)
    return f'(() => {{\n"use strict";\n{code}}})();\n'


def _json(told: object) -> str:
    """As JSON in which no end of an element can stand."""
    return msgspec.json.encode(told).decode().replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


def _pieces(sound: Sound) -> Iterator[str]:
    size = PIECE_MS * PHONE_SAMPLES_PER_MS
    for n, start in enumerate(range(0, len(sound.caller), size)):
        both = sound.caller[start : start + size] + sound.agent[start : start + size]
        text = base64.b64encode(both).decode()
        yield f'<script type="text/plain" id="sound-{n}">{text}</script>'
