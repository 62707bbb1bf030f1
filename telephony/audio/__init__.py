"""Samples in, samples out: what has to be done to audio between a phone line and a voice model.

    formats   the rates, and the length of a frame
    g711      µ-law bytes ↔ PCM16 bytes
    resample  8 → 16 kHz and 24 → 8 kHz, streaming and exact; soxr for whole recordings
    level     is there sound on the line?
    wav       WAV files, for recordings and fixtures

Laws. Audio crosses the doors of this room as bytes: PCM16 is little-endian and mono, µ-law is one
byte a sample. Any chunking of the same audio gives the same samples. No reply loses a sample, and
none leaves one behind for the next. Nothing here reads a clock.

May import: numpy, audioop (audioop-lts), soxr and the standard library's `wave`. Of ours, nothing
outside this room.
"""
