"""One call that can be read: a timeline made of its recording, and the page that draws it.

Modules, lowest first:
    model       the timeline as a page draws it: turns, spans, figures, raw events
    trail       the raw events of a call, and how spans refer to them
    draft       spans and figures while they are collected
    lived       plays a recording again, and keeps what it does not say by itself
    ear         where each piece of each reply was heard
    said        speech, turns, and each word where it was heard
    measured    what was measured, as spans
    wire        streams, marks, sessions, tools, faults and cost
    reading     makes the timeline of a call from its events
    page        the page as one self-contained HTML file
    files       `offhook replay --html`: from recordings to a file

Laws: a timeline is made of events alone, so nothing but `files` knows a file; whoever else has the
events of a call, such as a server, makes the same one. Nothing is drawn that names no raw event.
The page asks for nothing from anywhere. Nothing here reads a clock. May import `telephony.replay`
and what that may import.
"""
