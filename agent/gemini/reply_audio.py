"""Turns the audio parts of a reply into samples. Pure.

The expected format is 24 kHz, mono, int16 little-endian. A part may end inside a sample; the
sample's other byte is then the first of the next part of that reply. Some parts do not state their
type.

Source: Google's Live API reference, October 2026; reports of the types that come.
"""

RATE_HZ = 24_000

_PCM = frozenset({"audio/pcm", "audio/l16"})
"""Google sends both little-endian, although the second means big-endian elsewhere."""

_EXPECTED = {"rate": str(RATE_HZ), "channels": "1"}


class ReplyPcm:
    """Joins the audio parts of one session's replies to whole samples."""

    def __init__(self) -> None:
        self._odd = b""

    def take(self, data: bytes) -> bytes:
        """The whole samples up to the end of the next part."""
        pcm = self._odd + data if self._odd else data
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        return pcm[:whole]

    def forget(self) -> None:
        """End the reply: the next one begins with a whole sample."""
        self._odd = b""


def playable(mime_type: str | None) -> bool:
    """Whether a part's type can be played. A detail that is not stated counts as right."""
    kind, *parameters = (mime_type or "audio/pcm").replace(" ", "").lower().split(";")
    said = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
    return kind in _PCM and all(
        said.get(name, value).strip('"') == value for name, value in _EXPECTED.items()
    )
