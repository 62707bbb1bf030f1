"""Errors of the telephone's side.

OffhookError            something a person can mend; printed as one message, exit 2
├── SettingsError       the environment is missing something, or holds something wrong
├── UsageError          a command was called with something it cannot use
└── RecordingError      a recorded call is damaged, or not of a kind this release reads
"""


class OffhookError(Exception):
    """Says what was expected, what came, and how to mend it."""


class SettingsError(OffhookError):
    """One or more settings are missing or wrong; the message names each of them."""


class UsageError(OffhookError):
    """An argument cannot be used; the message says why."""


class RecordingError(OffhookError):
    """A recorded call cannot be used.

    Args:
        where: The file, and the line where there is one.
        problem: What was expected, and what came.
        fix: The way out.
    """

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(f"{where}: {problem}; fix: {fix}")
