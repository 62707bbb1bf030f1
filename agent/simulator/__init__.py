"""A Gemini Live that needs no Google, and the voices of both simulators. It ships with the product.

Pure, lowest first:
    faults            what can go wrong, as data
    behaviour         how the service behaves, as switches
    voice, ear        clips of speech; a recogniser that knows those of the caller
    script            what is said: TOML
    activity          voice activity detection, in audio time
    client_messages, server_messages   the wire
    memory, agenda, reply, service     history and handles; what is due; a reply in pieces
    turns, listening  the two sides of a session
    session, model    one session; all of them
    client            a client in virtual time, for tests and worlds
Edge:
    certificate, endpoint   a TLS WebSocket, whatever answers there
    server            `model` behind it

Laws: the pure part takes its time as an argument and its random numbers as a seeded generator.
Every message sent is a valid `LiveServerMessage`, unless a fault asks for another. Imports nothing
of the other rooms, and not the SDK it is there to test.
"""
