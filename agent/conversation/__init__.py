"""The conversation itself, as a pure state machine: model events in, commands out.

Modules, lowest first: `deadlines`, `persona`, `words`, `seam`, `transcript`, `events`,
`checkpoint`, `commands`, `turns`, `choice`, `resumption`, `renewal`, `link`, `sessions`,
`pace`, `liveness`, `replies`, `repetition`, `crossed`, `rest`, `machine`.

Laws: nothing here awaits, reads a clock, draws a random number, logs, or does I/O. Time comes in
as `now_ms` (monotonic, since the call was opened on this worker). May import the standard
library's pure parts, and nothing else.
"""
