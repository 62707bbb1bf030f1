"""Records calls while they run, and replays recordings: the call must do exactly the same again.

Modules, lowest first:
    counts         writes lists of small numbers as short text
    tone           a tone computed in whole numbers, for fixtures
    audio          stores audio as references into files beside a recording
    codec          converts one event or command to a JSON object and back
    event_lines    events as lines of `call.jsonl`; audio that follows on is one line
    command_lines  commands as lines of `expect.jsonl`, with one hash over all
    expectation    the figures of a call, and those that a person expects
    sealing        encrypts the files of a recording (`RECORDING_KEY`)
    recording      the folder `<name>.call`, and how it is written
    reader         reads a recording strictly
    selection      decides which calls are recorded (`RECORD_CALLS`)
    keeping        how long recordings may be kept, and which may not be
    writer         writes the files of one recording while its call runs
    recorder       an observer that records calls, with a thread that writes
    schema         the format as JSON Schema
    player         feeds a recording to a call, and finds the first difference
    stream_clock   the time of one media stream as Twilio counts it
    as_heard       what was heard of the agent on one stream
    mixdown        both sides of a call as sound
    timeline       prints a recording as a readable table
    verdict        replays and judges one recording
    report         prints verdicts for people, programs and CI
    suite          `offhook replay`: replays many recordings on all cores
    sides          `offhook replay --wav`: writes a call as a stereo file

Resources: the recorder's thread and files, from entering its context to leaving it.

Laws: nothing here reads a clock or draws a random number, so a recording replays to the same bytes
on any machine. Only `verdict` reads the CPU's time, for the report, and `sealing` draws the salts
of encrypted files. The format is versioned, and fixtures/README.md describes it. May import
`telephony.call`, what that may import, `telephony.errors`, `telephony.keys`, and of
`telephony.settings` the one setting RECORDING_KEY.
"""
