"""A Twilio and a caller that need no phone.

Modules, lowest first:
    wire        [pure] the messages of a Media Stream, as Twilio writes and judges them
    faults      [pure] how well this Twilio behaves
    fault_table [pure] the same, read from a script or the command line
    keys        [pure] how a telephone's keys sound
    mouth       [pure] the caller's voice on its way to the server
    playout     [pure] Twilio's buffer towards the caller: audio, marks, what was heard
    line        [pure] one stream, of all these: `Line`
    ear         [pure] when the agent speaks, as the caller hears it
    script      [pure but for reading files] what the caller does, from TOML; `scripts/` has ours
    director    [pure] what the caller does next: script and ear together
    elements    [pure] what the readers of a document's elements share
    dial        [pure] who is called into a call, and with whose number
    twiml       [pure] a document becomes verbs
    identity    [pure] who calls whom, in Twilio's words
    report      what a call tells: events, and a report
    overrides   [pure] how often Twilio asks again, and how long it waits
    clock, workers, webhooks, documents, status_callbacks
                [edge] time, addresses, signed HTTP, what is asked by it, what is told by it
    stream, off_line, streams, call_flow
                [edge] one WebSocket, the caller without one, all of a call, the call
    proxy, chaos
                [edge] a TCP proxy that goes wrong, on command or by a seed
    caller      [edge] `call`: all of it over real sockets
    rest        [pure] Twilio's REST API, as far as a number and a lost call need it
    rest_server [edge] the same over HTTP
    terminal    a simulated call, told line by line
    pipe, phone, model_link, virtual_worker
                [pure] a network that delays, and what stands at its ends
    network, world_faults
                [pure] how long things take, and what can go wrong, in a world
    world       [pure] caller, Twilio, `Call` and model under one seed and a virtual clock
    world_spec, drawn
                [pure but for reading files] a world from a TOML file, and one from a seed

Laws: pure modules take `now_ms` and a seeded `random.Random`; the same seed and input give the same
messages. Nothing here shares code with what it judges: `telephony.twilio`, `call` and `server` are
not imported, but by `world`, its faults and drawn seeds, `virtual_worker` and `model_link`, which
join both sides and judge nothing. May import `telephony.audio`, `telephony.errors`, and
`agent.simulator.voice` for the caller's clips.
"""
