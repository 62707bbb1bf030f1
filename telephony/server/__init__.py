"""The server: FastAPI, uvicorn and asyncio, with Twilio on one side and the model on the other.

Modules, lowest first:
    log_sink       a thread that writes log lines, so that nothing else waits for the log
    logs           formats the log for a terminal or as JSON
    refusals       logs refused webhooks, at most once a minute
    observers      shows each step of a call to the observers that want it
    measured_metrics  counts what is measured of calls
    metrics        an observer that counts, for Prometheus
    measuring      an observer that measures each call
    narrator       an observer that writes the log of each call
    tracing        an observer that makes OpenTelemetry spans of each call
    trace_export   a thread that posts them to a collector
    twilio_wire    uvicorn's WebSocket class, which then loses no messages before a bad frame
    hot_wire       the same, and it hands the messages of a stream to its call as they come
    stream         one media stream's socket, with a reader and a writer
    patience       limits how long a caller waits for the store
    admission      checks Twilio's signatures and one-time tokens
    purse          the money of calls: what a day may cost is reserved, booked and given back
    extras         what a call costs besides: other lines, and text messages
    ownership      which worker owns a call: epochs and used tokens, also while the store is away
    store_writer   writes one call's data to the store, and keeps it while the store is away
    tool_runner    runs the tools of one call
    driver         runs one `Call`: its events, its timer, its tasks
    calls          all calls of this worker, their limit, and how they are drained
    twilio_rest    redirects or ends a call through Twilio's REST API
    personas       the agents, read from their files, and again when a file was changed
    sweeper        deletes recordings that may not be kept any longer
    reaper         renews the leases of the calls held here, and rescues calls that nobody holds
    delivery       posts to the owner's webhook, signed
    message_sound  the sound of messages that callers have left
    posts          what is told of a call that is over: the bodies of webhooks
    errands        what is left to do for calls that are over: the summary, and the webhook
    asked_once     asks Twilio's REST API to make something, once
    placing        places a call through it
    texting        sends a text message through it
    own_tools      the tools of our own that need the telephone: `send_sms`
    on_hold        looks after callers who wait for somebody else
    warm           transfers to somebody who is told of the caller first
    worker         creates and releases a worker's resources
    redial         lets a caller who was cut off continue in a new call
    standing       how a call stands: what the store knows, put right by what Twilio says
    way_out        what happens with a line that does not go to the agent: a transfer, an apology
    menu           the menu of keys before the agent answers
    body           reads the body of a request
    checked        what a webhook asks: its checked form, its worker, its agent
    answering      how a call goes to its agent, for the first time or again, or why it does not
    webhooks       answers Twilio's webhooks
    machines       /twilio/answered-by: whether a person or a machine has answered
    warm_webhooks  answers those of warm transfers
    media_socket   accepts Twilio's media streams
    dialler        places calls: the rules, the turn, and then Twilio
    once           a request with the same Idempotency-Key is carried out once
    outbound       POST /calls
    health         /healthz and /readyz
    metrics_port   /metrics, if it was asked for
    kept           decides where calls are kept when REDIS_URL is not set
    watchdog       ends the process when its event loop is stuck
    app            connects all parts, and handles the process's signals

Resources, and where they are acquired and released:
    call's tasks         `Calls` runs each driver in the worker's TaskGroup; `Driver.run` ends with
                         `EndCall` and leaves no task behind
    model session        `Driver` starts `GeminiLive.run` in the call's TaskGroup, and cancels it
    media socket         accepted in `media_socket`, closed by the stream's writer
    log's thread         `logs.configure`; it writes all waiting lines when the process ends
    traces' thread       `worker.parts`; closed by `worker`, which waits a second for the last spans
    recorder's thread    `worker`, while its context is entered
    store, lease, client `worker`, for the life of the process
    own store's server   `app.serve`, around the worker, so that the last call's data is written
    warm transfers' task `worker`, likewise
    reaper's task        `worker`, likewise; it waits for a REST request that is running
    errands' tasks       `worker`, likewise; what is running is cancelled, and done elsewhere
    webhook's client     `worker`, likewise
    listening sockets    `app.serve`
    watchdog's thread    `app.serve`

Laws: the server does nothing for a request before `admission` has accepted it. Nothing waits
between a caller's frame and its command. A bug in one call ends only that call. May import
`telephony.replay`, what that may import, `telephony.settings`, and every room of `agent` except the
simulator.
"""
