"""Audio between a phone line and a voice model: functions from samples to samples.

    formats   the sample rates, and the length of a frame
    g711      converts between µ-law bytes and PCM16 bytes
    resample  8 → 16 kHz and 24 → 8 kHz, streaming and exact; whole recordings through soxr
    level     decides whether there is sound on the line
    voicing   tells a voiced sound from breath and noise
    earcon    the two soft notes that a waiting caller hears
    hold_music  what a caller hears who waits for somebody else
    wav       reads and writes WAV files, for recordings and fixtures

Laws: audio enters and leaves this room as bytes. PCM16 is little-endian and mono; µ-law is one
byte a sample. The same audio gives the same samples, however it is cut into chunks. No reply loses
a sample, and none leaves a sample behind for the next. Nothing here reads a clock.

May import: numpy, audioop (audioop-lts), soxr and the standard library's `wave`. It imports no
other room.
"""
