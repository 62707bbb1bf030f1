"""A simulated Gemini Live that runs without Google, and the voices of both simulators.

It is part of the product, so that users can test their own agents with it.

Pure modules, lowest first:
    faults           the faults that a session can have, as data
    behaviour        the switches that decide how the service behaves
    switches         reads switches from the command line
    voice            the speech clips of both simulators
    ear              recognises the caller's clips in audio
    script           the model's lines, read from TOML
    activity         voice activity detection, in audio time
    client_messages  checks and parses what a client sends
    server_messages  writes what the server sends
    memory           the history of a session, and its handles
    agenda           the things that a session will do, and when
    reply            one reply, cut into messages
    service          state that all sessions of one server share
    calls            the tool calls of one session
    turns            the turns of one session
    listening        the caller's side of one session
    session          one whole session
    generation       answers requests for text
    model            the whole server, with all its sessions
    client           a client in virtual time, for tests and worlds
Edge modules:
    certificate      creates a self-signed TLS certificate for this machine
    posts            a WebSocket connection that also takes a POST
    endpoint         a TLS WebSocket server in Gemini's place
    server           `model` behind `endpoint`

Laws: pure modules get the time as an argument and random numbers from a seeded generator. Every
message that they send is a valid `LiveServerMessage`, unless a fault asks for another. This room
imports no other room, and not the SDK, which it is there to test.
"""
