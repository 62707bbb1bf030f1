"""The persona file that `offhook persona new` writes: each key, its meaning and its default."""

EXAMPLE = '''\
# A persona file: one file makes an agent. Set PERSONAS to this file, or to a folder of them.
# `offhook persona check FILE` finds mistakes. A change is taken up by the next call.

name = "Ada"

# What the agent is, knows and does. The model hears this, and no caller can ever change it.
instructions = """
You are Ada, who answers the telephone of a small business. You are on a phone call: the caller
hears you and cannot see anything. Speak in short, natural sentences, one question at a time. If you
did not understand, say so and ask again. When the caller says goodbye, say goodbye briefly.
"""

# One of Gemini's voices, such as Puck, Kore, Charon, Aoede, Leda or Zephyr.
voice = "Puck"

# The language that the agent speaks if the caller speaks no other one.
language = "en-US"

# The first sentence of a call. Without it, the agent finds its own words.
greeting = "Hello, this is Ada. How can I help you?"

# The telephone numbers that this agent answers. If you have several agents, one of them is the
# default, which answers all other numbers.
# numbers = ["+14155550100"]
# default = true

# Callers whose calls are refused: numbers, beginnings of numbers, or "anonymous" for callers who
# withhold their number.
# blocked = ["+19005550100", "+1900*", "anonymous"]

# What the agent is told of the keys that a caller presses: "tell", or "ignore" for nothing.
on_keys = "tell"

# What the agent can do during a call: end it, and write notes into its record. Your own tools,
# Python functions, HTTP calls or tools of MCP servers, are [[tools]] at the end of this file: see
# docs/personas.md.
builtin = ["end_call", "note"]

# How the agent notices that the caller has begun to speak, and has finished.
[turns]
detection = "server"        # Gemini finds out. "ours": offhook does, by loudness alone, which is
                            # for quiet lines only: there, noise is an interruption, and Gemini
                            # never hears a soft voice
silence_ms = 500            # the silence that ends what the caller says
prefix_ms = 20              # the speech that is needed before it counts as speech
start_sensitivity = "high"  # Gemini's: or "low", where it is noisy
end_sensitivity = "high"    # Gemini's: or "low", for callers who speak slowly

# Who decides that the caller talks over the agent. Gemini notices it while it speaks; but it speaks
# faster than it is heard, and once it has finished, it says nothing of it any more.
[barge_in]
manner = "server"           # Gemini decides, and words that it writes down. "quick": offhook falls
                            # silent at the first sound, and goes on if it was a cough. "patient":
                            # it does so for speech of half a second, and speaks through an "mhm".
                            # "off": it says all of it; only a key that is asked for stops it

# When the agent answers. Else, Twilio's voice says `closed`. Days that are missing are
# closed. Remove this table if the agent always answers; it is told the time in UTC then.
# [hours]
# timezone = "Europe/Berlin"
# mon = "09:00-17:30"
# tue = "09:00-12:00, 13:00-17:30"
# fri = "17:00-02:00"                  # until two on Saturday
# holidays = ["2026-12-24", "12-25"]   # without a year: each year
# closed = "We are closed at the moment. Please call again on a weekday from nine on."
# With these instructions the agent answers also then, and `closed` is not said:
# closed_instructions = "Say that we are closed, and offer to take a message."
# closed_greeting = "Hello, this is Ada. We are closed at the moment. Can I take a message?"

# The calls that the agent may place, with `offhook call` or POST /calls: see docs/outbound.md.
# Without this table it places none.
# [outbound]
# from = "+14155550199"            # one of your Twilio numbers
# regions = ["US"]                 # the countries that may be called
# hours = "08:00-21:00"            # when, in the time of the called number
# per_number_day = 1               # how many calls to a number in a day
# ring_s = 25                      # how long it rings, in seconds
# do_not_call = "do-not-call.txt"  # a file of numbers that are never called
# on_machine = "voicemail"          # if an answering machine takes the call: "talk", "hang_up" or
# voicemail = "This is Ada. Your order is here."   # "voicemail", which leaves this message
# greeting = "Hello, this is Ada. I am calling about your order."

[limits]
minutes = 60    # how long a call may last; then the agent says goodbye
usd = 5         # what a call may cost, in US dollars; likewise
silence_s = 30  # how long nobody may say anything; then the caller is asked, and then it ends
# What the calls of one day may cost, in US dollars: those of one caller, and all of this agent's.
# A call that cannot pay its first minute, about 0.04, is not begun. Without them there is no limit.
# usd_per_caller_day = 2
# usd_per_day = 50
# sms = 3       # how many text messages a call may send, if there are any

# The sentences that offhook says itself, or has the agent say.
[says]
apology = "I am sorry, I can not go on with this call right now. Please call again later."
transfer = "I am sorry, I can not go on with this call. I will put you through now."
no_answer = "I am sorry, I could not reach anybody. Please call again later."
spent = "I am sorry, I can not take any more calls today. Please call again tomorrow."
briefing = "Hello, this is the telephone assistant. A caller is waiting for you."
keys = "To take the call, press 1. To decline, press 2."
caller_left = "I am sorry, the caller has hung up. Goodbye."
goodbye = "I am sorry, our time is up. Goodbye."
still_there = "Are you still there?"
message_consent = "I can pass on what you say, word for word. Is that all right?"

# Whether calls are recorded. If so, Twilio's voice says `notice` before the call. A caller who does
# not want it tells the agent: then the recording stops at once, and is deleted. See docs/replay.md.
[recording]
on = false
notice = "This call is recorded. If you do not want that, please say so."
keep_days = 30  # after so many days, a recording is deleted

# The personal items that are masked in what is kept of calls and posted to you: numbers of cards
# ("card") and accounts ("iban"), American social security numbers ("ssn"), e-mail addresses
# ("email") and telephone numbers ("phone"). The agent hears and uses them all. [] masks nothing.
[privacy]
redact = ["card"]

# To whom the agent may put callers through, by names that the model knows: a table for each. `says`
# is said before, if the model says nothing. If nobody answers, the caller comes back to the agent.
# [transfers.sales]
# to = "+14155550101"  # or an address such as "sip:sales@example.com"
# says = "One moment, please. I will put you through."
# warm = true             # they are told of the caller first, and may decline
# notice_machines = true  # and if a machine answers, the caller comes back

# What callers hear first, within the hours, and what their keys lead to: "agent", "hang_up", or a
# name of [transfers]. Without a key they reach the agent. No model is dialled until then.
# [menu]
# says = "For our assistant, press 1. For sales, press 2."
# timeout_s = 5  # how long a caller may take behind these words, in seconds
# [menu.keys]
# 1 = "agent"
# 2 = "transfer:sales"
# 9 = "hang_up"

# Text messages that the agent may send to its caller: the words are yours, and the model fills in
# the fields. A field is a text without links, or an integer, a code, a date or a time.
# [sms.table_booked]
# text = "Your table is booked for {when}. To cancel it, call us."
# description = "Once a table is booked, and if the caller wants it in writing."
# from = "+14155550199"  # one of your Twilio numbers; without it, the first of `numbers`
# [sms.table_booked.fields.when]
# description = "The day and the time, such as Friday 4 December at 19:30."
# max_chars = 40

# What the summary of a call tells besides, if SUMMARY_MODEL is set: a table for each. The type is
# string, integer, number, boolean or list.
# [summary.order_number]
# type = "string"
# description = "The number of the order that the caller asks for."
# [summary.reason]
# type = "string"
# enum = ["order", "complaint", "other"]
# description = "Why the caller calls."
'''
