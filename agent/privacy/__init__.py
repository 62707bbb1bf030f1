"""What a personal item is, such as the number of a card, and how it is masked. Pure.

Modules, lowest first:
    digits   the digits of a text, whether they are written as such or as words
    numbers  the checks of each kind of number
    rows     finds cards, social security numbers and telephone numbers in a run of digits
    emails   finds e-mail addresses, written or said
    items    finds personal items in a text
    masking  masks them in what is kept of a conversation

Laws: what a personal item is, is said here and nowhere else. A text without one stays as it is.
Masking twice gives the same as masking once. The model hears and reads what a caller says: nothing
here is between them. May import `agent.conversation` and phonenumbers.
"""
