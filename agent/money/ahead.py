"""What a call must have reserved before it may begin, and before it may go on. Pure.

A call may not begin unless a day's money suffices for its first minute. It may not go on unless the
money suffices for what it can no longer save: the turn under way, the goodbye, and a minute of the
line that begins meanwhile. Because that is reserved beforehand, all calls that come to the end of a
day's money together can still say goodbye within it.
"""

from agent.conversation.meter import Tariff, Tariffs

TOKENS_A_MINUTE = 60 * 25
"""Of audio, in both directions (Gemini API pricing, October 2026)."""


def first_minute(tariffs: Tariffs) -> int:
    """What the first minute of a call costs if both speak all the time, in nano-dollars; with a
    second minute of the line, into which its goodbye may run. Of two models, the dearer one counts,
    for either may answer.
    """
    return max(map(_first_minute, tariffs.known), default=0)


class Ahead:
    """What one call needs to go on.

    The next two turns are taken to cost as much as the dearest one so far. The cost of a turn grows
    with what was said before.

    Args:
        tariffs: What the call costs.
        spent: What the models have cost before, in nano-dollars.
    """

    def __init__(self, tariffs: Tariffs, spent: int = 0) -> None:
        self._minute = max((each.minute for each in tariffs.known), default=0)
        self._spent = spent
        self._dearest = 0

    def takes(self, spent: int) -> int:
        """What is needed from now on, in nano-dollars.

        Args:
            spent: What the model has cost so far. It should be given after each turn; if it is
                given more seldom, more is taken to be needed.
        """
        self._dearest = max(self._dearest, spent - self._spent)
        self._spent = spent
        return self._minute + 2 * self._dearest


def _first_minute(tariff: Tariff) -> int:
    return 2 * tariff.minute + TOKENS_A_MINUTE * (tariff.audio_in + tariff.audio_out)
