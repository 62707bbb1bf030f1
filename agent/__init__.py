"""One conversation with a voice model. This package has never heard of a telephone.

Rooms, lowest first:
    conversation  [pure] events in, commands out; turns, transcript, checkpoint, resumption
    gemini        [edge] google-genai: one Live connection at a time
    store         [edge] Redis: transcript lines, checkpoint, call record, one-time tokens
    simulator     a Gemini Live that needs no Google

Laws: `agent` never imports `telephony`; `gemini`, `store` and `simulator` import only
`conversation`, never each other.
"""
