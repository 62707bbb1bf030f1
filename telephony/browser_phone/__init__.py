"""`offhook dev`: a telephone in the browser, on the wire that Twilio uses, for trying an agent.

The page has the caller's half: microphone, loudspeaker, keys, and Twilio's half of each Media
Stream, which goes to the real `/twilio/media`. This room has the other half of Twilio: it asks the
webhooks, reads the documents, and tells the page what to do.

Modules, lowest first:
    door      who may come in: the owner's browser on this machine, and nobody else
    pages     the files of the page, and the headers that keep it to itself
    exchange  Twilio's half of a call, beside the stream: webhooks and documents
    live      an observer: what happens in a call, as server-sent events
    routes    what the page asks
    talk      `offhook say`: a program that talks with such a server, in place of the page
    dev       `offhook dev`: model, server and page in one process

The page, below `static/`; the modules named pure are tested with node:
    index.html, phone.css   what is seen
    page.js                 connects what is seen with a call
    phone.js                one call: its streams, one after another, and what comes between them
    microphone.js           opens microphone and loudspeaker, and says in words why it could not
    line.js                 [pure] Twilio's half of one stream: the messages
    weather.js              [pure] jitter, loss and stalls
    record.js               [pure] both sides of a call, as they were said and heard
    worklet.js              the handset, on the browser's audio thread
    handset.js              [pure] from the microphone to frames, and from frames to sound
    playout.js              [pure] Twilio's queue of audio and marks
    resample.js             [pure] the sample rates of sound cards and telephones
    ulaw.js                 [pure] G.711

Laws: the server listens on a loopback address, and nothing is done for a request before `door` has
let it in. A browser may do less than Twilio, never more: for a stream it needs the one-time token
of a call that it placed. The page loads nothing from elsewhere, and has no inline script or style.
No module of `server` knows this room, so no real call does. May import `telephony.server`,
`telephony.simulator`, `telephony.settings`, `agent.simulator`, and what these may import.
"""
