"""The edge of a phone call: FastAPI, uvicorn, asyncio; Twilio on one side, the model on the other.

Modules:
    driver         runs one `Call`: its events, its timer, its tasks
    stream         one media stream's socket: a reader and a writer
    store_writer   what one call has to store, waiting while the store is away
    calls          the calls of this worker: opening, taking over, draining
    webhooks       what Twilio posts to us
    media_socket   what Twilio opens to us
    admission      who may come in: signatures and one-time tokens
    observers      what looks on: log, metrics, journal
    health         /healthz, /readyz, /metrics
    app            where everything is wired, and the process's signals

Resources, and where they are acquired and released:
    call's tasks         `Calls` opens a driver in the worker's TaskGroup; `Driver.run` ends with
                         `EndCall` and leaves no task behind
    model session        `Driver` starts `GeminiLive.run` in the call's TaskGroup; cancels it
    media socket         accepted in `media_socket`, closed by the stream's writer
    store, lease, client `app.Worker`, for the life of the process
"""
