"""A simulated Twilio and a simulated caller, so that calls need no phone.

Modules, lowest first:
    wire              [pure] the messages of a Media Stream, as Twilio writes and checks them
    faults            [pure] the switches that decide how this Twilio behaves
    fault_table       [pure] reads these switches from a script or the command line
    keys              [pure] the tones of a telephone's keys
    surroundings      [pure] the room around the caller, and the agent's echo
    mouth             [pure] the caller's voice on its way to the server
    playout           [pure] Twilio's playout buffer: audio and marks towards the caller
    line              [pure] one Media Stream, made of the modules above
    ear               [pure] hears when the agent speaks
    script            [pure but for reading files] the caller's script; `scripts/` has ours
    director          [pure] decides what the caller does next
    elements          [pure] checks the attributes of TwiML elements
    conference_element [pure] reads `<Conference>`
    dial              [pure] reads `<Dial>` and its nouns
    tones             [pure] the sounds that Twilio makes by itself
    files             [pure] reads the audio files that a document plays
    hearing           [pure] what a call hears while it is in no stream
    conference        [pure] who takes part in a conference, and who hears whom
    twiml             [pure] turns a TwiML document into verbs
    identity          [pure] the caller and the called number, in Twilio's words
    report            the events of a call, and the report at its end
    overrides         [pure] retries and timeouts, from the fragment of a URL
    interrupt         lets the caller hang up at Ctrl-C
    clock             [edge] the time of one call
    http_client       the HTTP client of everything simulated that asks our server
    model_settings    the settings with which a server reaches a simulated model
    workers           [edge] chooses a worker for each connection, as a load balancer does
    webhooks          [edge] signed HTTP requests with retries
    documents         [edge] requests a TwiML document, and the fallback's if that fails
    status_callbacks  [edge] reports the status of streams and calls
    stream            [edge] one Media Stream over a WebSocket
    off_line          [edge] the caller while there is no stream, and what the caller hears then
    prompts           what Twilio says and plays by itself, and keys pressed to it
    conferring        [edge] a call in a conference
    dials             [edge] the Dials of one call
    streams           [edge] all streams of one call
    call_flow         [edge] one call, from the first webhook to its end
    proxy             [edge] a TCP proxy that injects faults on command
    chaos             [edge] `offhook chaos`: faults drawn from a seed
    understanding     understands what the agent says, and compares it with the script
    rest_calls        [pure] reads a call that the REST API is asked to place
    rest_numbers      [pure] the numbers of an account: bought, changed, listed
    rest_messages     [pure] reads a text message that the REST API is asked to send
    rest              [pure] the part of Twilio's REST API that offhook uses
    caller            [edge] `call`: runs a whole call over real sockets
    rest_faults       [pure] reads faults of that part from words
    rest_server       [edge] the same over HTTP
    carrier           [edge] delivers text messages, and reports how that goes
    people            [pure but for reading files] what each person does who may be called
    exchange          [edge] rings a simulated person for each call that is placed by REST
    call_view         shows calls and text messages in a terminal, line by line
    terminal          prints a simulated call line by line
    commands          the commands `offhook simulate …`
    pipe              [pure] one direction of a connection with delay
    phone             [pure] the caller's end of a world
    model_link        [pure] a connection between worker and model in a world
    virtual_tools     [pure] what tools do in a world
    virtual_worker    [pure] a worker in a world
    virtual_dial      [pure] whom callers are put through to in a world, and how that ends
    network           [pure] the delays in a world
    virtual_models    [pure] the models of a world, and every connection to them
    world_faults      [pure] the faults that a world can have
    world             [pure] caller, Twilio, `Call` and model under one seed and a virtual clock
    world_agent       [pure] what a world's file says of the agent
    world_spec        [pure] all that a world is made of
    world_file        [pure but for reading files] reads a world from a TOML file
    drawn             [pure] draws a world from a seed

Laws: pure modules get `now_ms` and a seeded `random.Random`. The same seed and input give the same
messages. The simulator shares no code with the code that it judges: `telephony.twilio`, `call` and
`server` are not imported. The exceptions are `world`, `world_faults`, `drawn`, `virtual_worker`,
`virtual_dial`, `virtual_models`, `world_agent`, `world_spec` and `model_link`, which join both
sides and judge nothing. May import `telephony.audio`, `telephony.errors`, `agent.simulator.voice`
for the caller's clips, and `agent.simulator.switches`.
"""
