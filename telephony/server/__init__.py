"""The edge of a phone call: FastAPI, uvicorn, asyncio; Twilio on one side, the model on the other.

Modules, lowest first:
    log_sink, logs where log lines are written, without a wait; how they look
    observers      who looks on at a call, and sees which of its steps
    metrics, narrator
                   observers of every call: figures, log lines
    stream         one media stream's socket: a reader and a writer
    patience       how long a caller waits for the store
    admission      who may come in: signatures and one-time tokens
    ownership      whose call it is: epochs and redeemed tokens, also while the store is away
    store_writer   what one call has to store, waiting while the store is away
    driver         runs one `Call`: its events, its timer, its tasks
    calls          the calls of this worker: a registry, its capacity, how they are drained
    twilio_rest    Twilio's REST API: a call is told where to go on
    reaper         leases of the calls held here, and the calls that nobody holds
    worker         a worker's resources, put together once
    redial         a caller who was cut off goes on in a new call
    webhooks       what Twilio posts to us
    media_socket   what Twilio opens to us
    health         /healthz, /readyz
    metrics_port   /metrics, where it was asked for
    kept           where calls are kept when REDIS_URL is not set
    watchdog       ends a process whose event loop is stuck
    app            where everything is wired, and the process's signals

Resources, and where they are acquired and released:
    call's tasks         `Calls` lives a driver in the worker's TaskGroup; `Driver.run` ends with
                         `EndCall` and leaves no task behind
    model session        `Driver` starts `GeminiLive.run` in the call's TaskGroup; cancels it
    media socket         accepted in `media_socket`, closed by the stream's writer
    log's thread         `logs.configure`; writes what waits when the process ends
    recorder's thread    `worker`, while its context is entered
    store, lease, client `worker`, for the life of the process
    own store's server   `app.serve`, around the worker: it writes what the last call stored
    reaper's task        `worker`, likewise; a REST request under way is waited for
    listening sockets    `app.serve`
    watchdog's thread    `app.serve`

Laws: nothing is done for a request before `admission`; nothing waits between a caller's frame and
its command; a bug in one call ends that call. May import every room of `agent` but the simulator,
and every room of `telephony` but the simulator.
"""
