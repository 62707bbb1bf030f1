"""Recorded calls: written while they run, replayed to the same bits for ever after.

Modules, lowest first:
    counts         lists of small numbers as short text
    tone           a voice that is arithmetic alone
    audio          audio as references into files beside a recording
    codec          one event or command as one JSON object
    event_lines    what a call is fed, as lines; runs of audio are one line
    command_lines  what it answers, as lines, with one hash over them all
    expectation    what a call came to, and what a person says it must
    recording      the folder `<name>.call`, and how it is written
    reader         how it is read: strictly
    selection      which calls are recorded
    writer         a recording's files while its call runs
    recorder       an observer of the driver, and the thread that writes
    schema         the format as JSON Schema
    player         the call lives it again; the first difference
    timeline       the call to be read
    verdict        one recording, replayed and judged
    report         verdicts for people, programs and CI
    suite          `offhook replay`: many of them, on all cores

Resources: the recorder's thread and files, while its context is entered.

Laws: nothing here reads a clock or draws a random number, so a recording replays to the same bytes
on any machine; `verdict` alone reads the CPU's time, for the report. The format is that of
fixtures/README.md, and has a version. May import `telephony.call`, what that may, and
`telephony.errors`.
"""
