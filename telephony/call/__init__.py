"""One phone call, as a pure state machine: the heart of the project.

Modules, lowest first: `events`, `commands`, `uplink` (caller → model), `downlink` (model →
caller), `playout` (what the caller has heard), `outbox` (what waits to be written), `hand_over`
(when to leave a worker that stops), `machine` (class `Call`: `step(event, now_ms)` → commands,
`deadline_ms()`).

Laws: nothing here awaits, reads a clock, draws a random number, logs, or does I/O. May import
`telephony.audio`, `telephony.twilio.messages` and `agent.conversation`, and nothing else of ours.
"""
