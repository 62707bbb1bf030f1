"""The rates of this project, and the length of a frame. Units are last in the name.

Sources: Twilio Media Streams (audio/x-mulaw, 8000 Hz, mono); Gemini Live API (PCM16 little-endian,
16 kHz in, 24 kHz out, mono).
"""

PHONE_RATE_HZ = 8_000
MODEL_IN_RATE_HZ = 16_000
MODEL_OUT_RATE_HZ = 24_000

FRAME_MS = 20
PHONE_SAMPLES_PER_MS = PHONE_RATE_HZ // 1000
FRAME_SAMPLES = PHONE_SAMPLES_PER_MS * FRAME_MS
"""The number of samples, and of bytes, in one 20 ms µ-law frame."""

ULAW_SILENCE = b"\xff"
"""One µ-law sample of silence (decodes to zero). 0x00 is near full scale."""
