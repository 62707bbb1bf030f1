"""Errors of the telephone's side.

OffhookError            something a person can mend; printed as one message, exit 2
├── SettingsError       the environment is missing something, or holds something wrong
└── UsageError          a command was called with something it cannot use
"""


class OffhookError(Exception):
    """Says what was expected, what came, and how to mend it."""


class SettingsError(OffhookError):
    """One or more settings are missing or wrong; the message names each of them."""


class UsageError(OffhookError):
    """An argument cannot be used; the message says why."""
