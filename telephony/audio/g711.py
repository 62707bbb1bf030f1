"""µ-law, the phone's coding: 8 bits a sample, nearly logarithmic.

Source: ITU-T G.711 (11/1988), table 2. The tables are audioop's; µ-law limits the signal-to-noise
ratio to 34-39 dB, whatever is done elsewhere.
"""

import audioop


def decode(ulaw: bytes) -> bytes:
    """Expand µ-law to linear samples.

    Args:
        ulaw: µ-law, one byte a sample, any rate, any length.

    Returns:
        PCM16 little-endian, two bytes a sample.
    """
    return audioop.ulaw2lin(ulaw, 2)


def encode(pcm: bytes) -> bytes:
    """Compress linear samples to µ-law.

    Args:
        pcm: PCM16 little-endian, whole samples.

    Returns:
        µ-law, one byte a sample. Decoding it and encoding that gives the same bytes, except that
        0x7f (negative zero) becomes 0xff (zero).
    """
    return audioop.lin2ulaw(pcm, 2)
