"""Where the words lie in what the agent says in the corpus, and which of them are heard twice.

By the synthesizer that made the clip: `flite -psdur` prints when each sound of it ends. There is
nothing between two words that are spoken without a pause, so a word that was begun again is told
from one that was said twice by how much of it was heard again.
"""

from collections.abc import Iterator
from typing import NamedTuple

from telephony.audio.formats import PHONE_SAMPLES_PER_MS

TRIMMED_MS = 102
"""So much of the silence before the first word is not in the clip (`fixtures/audio`)."""

ENDS_MS = """
    - 132 With 388 pleasure 783 - 834 Tomorrow 1209 evening 1552 we 1714 have 1912 a 1957 table 2367
    by 2523 the 2615 window 2975 at 3121 seven 3544 - 3703 a 3775 table 4239 on 4370 the 4417
    terrace 4817 at 4971 half 5197 past 5666 seven 6068 - 6189 and 6389 a 6444 quiet 6927 table 7353
    in 7501 the 7550 back 7894 at 8067 a 8108 quarter 8565 to 8659 nine 9046 - 9149 All 9384
    three 9649 of 9830 them 10062 are 10276 free 10479 for 10662 the 10812 whole 11149 evening 11589
"""
"""Of the clip "times": each word, or - for a pause, and when it ends in what was synthesized."""


class Word(NamedTuple):
    """A word, and where it begins and ends in the clip: ms."""

    text: str
    begins_ms: int
    ends_ms: int


def _words() -> Iterator[Word]:
    told = ENDS_MS.split()
    began_ms = 0
    for text, end in zip(told[::2], told[1::2], strict=True):
        if text != "-":
            yield Word(text, began_ms - TRIMMED_MS, int(end) - TRIMMED_MS)
        began_ms = int(end)


WORDS = tuple(_words())


def within(start: int, end: int) -> list[Word]:
    """The words of which more than half lies in that stretch of the clip: samples, 8 kHz."""
    start_ms, end_ms = start / PHONE_SAMPLES_PER_MS, end / PHONE_SAMPLES_PER_MS
    return [
        word
        for word in WORDS
        if min(end_ms, word.ends_ms) - max(start_ms, word.begins_ms)
        > (word.ends_ms - word.begins_ms) / 2
    ]
