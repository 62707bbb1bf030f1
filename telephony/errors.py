"""The errors of this package that a user can fix.

OffhookError            printed as one message; the exit code is 2
├── SettingsError       a setting is missing or wrong
├── UsageError          a command was called with something it cannot use
└── RecordingError      a recorded call is damaged, or of a kind that this release cannot read
"""


class OffhookError(Exception):
    """An error that a user can fix. The message says what was expected, what came, and the fix."""


class SettingsError(OffhookError):
    """One or more settings are missing or wrong; the message names each of them."""


class UsageError(OffhookError):
    """An argument cannot be used; the message says why."""


class RecordingError(OffhookError):
    """A recorded call cannot be used.

    Args:
        where: The file, and the line where there is one.
        problem: What was expected, and what came.
        fix: How to solve it.
    """

    def __init__(self, where: str, problem: str, fix: str) -> None:
        super().__init__(f"{where}: {problem}; fix: {fix}")
