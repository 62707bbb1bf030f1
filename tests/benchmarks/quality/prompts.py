"""Sixty sentences of a real telephone: Asterisk's prompts, spoken by a person, and their texts.

They are CC BY-SA 3.0, so they are fetched as the Debian packages they come in, once, and never
committed. Which of them are taken depends on their texts and lengths alone: see `choose`.
"""

import gzip
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pocketsphinx import Decoder

from telephony.audio.formats import PHONE_RATE_HZ
from telephony.audio.wav import read_mono

PACKAGES = ("asterisk-core-sounds-en-wav", "asterisk-core-sounds-en")
TEXTS = Path("usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
VOICE = Path("usr/share/asterisk/sounds/en_US_f_Allison")

WANTED = 60
SHORTEST_MS, LONGEST_MS = 1_500, 5_000
"""PESQ judges nothing shorter well; longer ones only take longer."""


class PromptsMissingError(Exception):
    """The prompts cannot be had. The message says why, and the way out."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A sentence: its words in lower case with single spaces; PCM16 little-endian, mono, 8 kHz."""

    name: str
    text: str
    pcm: bytes


def fetch(cache: Path) -> Path:
    """The unpacked packages, under `cache`; downloaded only where they are not there yet.

    Raises:
        PromptsMissingError: They could not be fetched.
    """
    unpacked = cache / "prompts"
    if (unpacked / TEXTS).exists() and (unpacked / VOICE).exists():
        return unpacked
    cache.mkdir(parents=True, exist_ok=True)
    half = cache / "prompts.part"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    try:
        _download(half)
        for package in sorted(half.glob("*.deb")):
            _run(half, "dpkg", "-x", package.name, ".")
    except (OSError, subprocess.CalledProcessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()[-1:]
        raise PromptsMissingError(
            f"expected the Debian packages {' and '.join(PACKAGES)}, got: {' '.join(said)}; "
            f"fix: run this where apt-get reaches a Debian archive, or unpack both into {unpacked}"
        ) from error
    shutil.rmtree(unpacked, ignore_errors=True)
    half.rename(unpacked)
    return unpacked


def choose(unpacked: Path) -> list[Prompt]:
    """`WANTED` prompts, evenly spread over the names of those that qualify.

    These last 1.5 to 5 s, have a text of words alone, all of them known to the recogniser, and no
    text that came before.

    Raises:
        PromptsMissingError: There are too few.
    """
    found: dict[str, Prompt] = {}
    dictionary = Decoder(lm=None, loglevel="FATAL")
    for name, text in sorted(_texts(unpacked / TEXTS).items()):
        path = unpacked / VOICE / f"{name}.wav"
        words = " ".join(re.findall(r"[a-z']+", text.lower().replace("-", " ")))
        if re.search(r"[\[\]<>(){}\d]", text) or words in found or not path.exists():
            continue
        pcm, rate_hz = read_mono(path)
        length_ms = len(pcm) / 2 * 1000 / rate_hz
        fits = rate_hz == PHONE_RATE_HZ and SHORTEST_MS <= length_ms <= LONGEST_MS
        known = all(dictionary.lookup_word(word) is not None for word in words.split())
        if fits and known:
            found[words] = Prompt(name, words, pcm)
    qualified = list(found.values())
    if len(qualified) < WANTED:
        raise PromptsMissingError(
            f"expected {WANTED} prompts of {SHORTEST_MS} to {LONGEST_MS} ms in {unpacked}, "
            f"got {len(qualified)}; fix: remove that folder, and run this again"
        )
    return [qualified[n * len(qualified) // WANTED] for n in range(WANTED)]


def _texts(path: Path) -> dict[str, str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pairs = (line.split(": ", 1) for line in lines if ": " in line and line[0] != ";")
        return {name: text.strip() for name, text in pairs}


def _download(folder: Path) -> None:
    try:
        _run(folder, "apt-get", "download", *PACKAGES)
    except subprocess.CalledProcessError:  # a new machine has no package lists
        _run(folder, "apt-get", "update")
        _run(folder, "apt-get", "download", *PACKAGES)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603 - Debian's own tools
