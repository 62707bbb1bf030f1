"""What a call sounded like on either side, judged by PESQ beside the telephone's codec alone."""

import numpy as np
from pesq import pesq

from telephony.audio import g711
from telephony.audio.formats import MODEL_IN_RATE_HZ, MODEL_OUT_RATE_HZ, PHONE_RATE_HZ
from telephony.audio.resample import resample_whole

SPOKEN_S = 4


def scores(ulaw: bytes, received: bytes, said: bytes, heard: bytes) -> dict[str, float]:
    """PESQ (narrow band) of both directions.

    Args:
        ulaw: What the caller said, from the call's beginning: µ-law, 8 kHz.
        received: What Gemini got of it: PCM16, 16 kHz.
        said: What Gemini said: PCM16, 24 kHz.
        heard: What the caller was sent of it: µ-law, 8 kHz.
    """
    spoken = g711.decode(ulaw)[: 2 * SPOKEN_S * PHONE_RATE_HZ]
    arrived = resample_whole(received, MODEL_IN_RATE_HZ, PHONE_RATE_HZ)[: len(spoken)]
    wanted = resample_whole(said, MODEL_OUT_RATE_HZ, PHONE_RATE_HZ)
    alone = g711.decode(g711.encode(wanted))
    return {
        "uplink": score(spoken, arrived),
        "downlink": score(wanted, g711.decode(heard)),
        "downlink_codec_alone": score(wanted, alone),
    }


def score(wanted: bytes, got: bytes) -> float:
    """PESQ of PCM16 at 8 kHz."""
    one, other = (np.frombuffer(pcm, "<i2") for pcm in (wanted, got))
    return round(float(pesq(PHONE_RATE_HZ, one, other, "nb")), 3)
