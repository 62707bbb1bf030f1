"""One conversation with a voice model. This package knows nothing about telephones.

Rooms, lowest first:
    conversation  [pure] the conversation as a state machine: turns, transcript, resumption
    persona       [edge] persona files: one TOML file makes an agent
    privacy       [pure] what a personal item is, and how it is masked
    money         prices of models and lines, by date
    gemini        [edge] Gemini Live through google-genai, one connection at a time
    store         [edge] Redis: transcript lines, checkpoints, call records, one-time tokens
    simulator     a simulated Gemini Live that runs without Google

Laws: `agent` never imports `telephony`. `privacy`, `money`, `gemini`, `store` and `simulator`
import only `conversation`, never each other.
"""
