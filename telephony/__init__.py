"""Telephone calls: Twilio on one side, an `agent` on the other. `agent` does not know this package.

Rooms, lowest first:
    audio        [pure] G.711, resampling, sound level, WAV files
    twilio       [pure] Twilio's formats: stream messages, TwiML, signatures and tokens
    call         [pure] one phone call as a state machine: the heart of the project
    dialling     [pure] decides which calls may be placed
    replay       records calls, and replays recordings exactly
    timeline     makes the timeline of a recorded call, and the page that draws it
    fixture      removes voices, names and numbers from recordings
    simulator    a simulated Twilio and caller
    server       [edge] the server: webhooks, media streams, the driver of a call
    number       [edge] sets what a number does when it is called; the doctor
    wire_replay  replays recordings against a real server over sockets

Modules:
    errors       the errors that a user can fix
    addresses    the form of addresses: of this server, of others, of telephones
    hints        what helps with a setting that is missing or wrong
    keys         the form of secrets, and their bytes
    settings     reads the settings from the environment
    process      runs an asynchronous command until it ends or Ctrl-C comes
    demo         `offhook demo` and `offhook try`
    persona_commands  `offhook persona`
    calls_commands  `offhook calls`
    say_command     `offhook say`
    purging      removes what is kept of a call or a caller
    told_calls   lists, shows and exports the calls that are kept
    dial_command  `offhook call`
    cli          the command line
    __main__     lets `python -m telephony` run the command line
"""
