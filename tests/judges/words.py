"""Which sentence was spoken, says CMU PocketSphinx: a recogniser that owes us nothing.

Given a closed list of sentences it is strong on telephone speech, and rejects what is garbled; its
free dictation is too weak to assert on.
"""

import re
from collections.abc import Mapping

import numpy as np
import soxr
from pocketsphinx import Decoder

RATE_HZ = 16_000
"""Of its acoustic model."""


class Words:
    """Knows a list of sentences, and no other.

    Args:
        texts: The sentences, by name.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._names = {_bare(text): name for name, text in texts.items()}
        # As it comes, its beams lose the right sentence of a long list, and its second pass over
        # what they kept loses a last word.
        self._decoder = Decoder(lm=None, beam=1e-60, wbeam=1e-40, bestpath=False, loglevel="FATAL")
        sentences = " | ".join(self._names)
        self._decoder.add_jsgf_string("list", f"#JSGF V1.0; grammar g; public <s> = {sentences};")
        self._decoder.activate_search("list")

    def spoken(self, pcm: bytes, rate_hz: int) -> str | None:
        """The name of the sentence, or None where there is none of them.

        Args:
            pcm: PCM16 little-endian, mono; one utterance.
            rate_hz: Of `pcm`.
        """
        samples = soxr.resample(np.frombuffer(pcm, "<i2"), rate_hz, RATE_HZ)
        self._decoder.start_utt()
        self._decoder.process_raw(samples.astype("<i2").tobytes(), no_search=False, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return self._names.get(hypothesis.hypstr) if hypothesis else None


def _bare(text: str) -> str:
    """Its words alone, as the dictionary writes them."""
    return " ".join(re.findall(r"[a-z']+", text.lower()))
