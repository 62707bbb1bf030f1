"""What a conversation costs, live: the tokens of the model and the minutes of the line.

Money is counted in nano-dollars, as whole numbers, so that sums are exact and recordings replay.
"""

from dataclasses import dataclass, replace

from agent.conversation.checkpoint import NOTHING_KNOWN, Checkpoint
from agent.conversation.events import Notice, UsageReported

NANO = 1_000_000_000
MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices, in nano-dollars.

    Args:
        text_in: Of a token of text that the model reads.
        audio_in: Of a token of audio that it hears.
        text_out: Of a token of text, or of thought, that it writes.
        audio_out: Of a token of audio that it speaks.
        minute: Of a minute of the line; a minute that has begun counts whole.
        known: False if the model's prices are not known: tokens are counted, and the cost is not
            given, for it would be too low.
    """

    text_in: int
    audio_in: int
    text_out: int
    audio_out: int
    minute: int = 0
    known: bool = True

    def of(self, usage: UsageReported) -> int:
        """The price of one turn.

        What the model read and did not attribute to a modality is priced as text. What it gave out
        and did not attribute is priced as audio, for it answers in audio alone. Thoughts are
        priced as text that it wrote.
        """
        heard, spoke = usage.prompt_audio_tokens, usage.response_audio_tokens
        wrote = usage.response_text_tokens
        unattributed = max(0, usage.response_tokens - spoke - wrote)
        return (
            heard * self.audio_in
            + max(0, usage.prompt_tokens - heard) * self.text_in
            + (spoke + unattributed) * self.audio_out
            + (wrote + usage.thought_tokens) * self.text_out
        )


UNKNOWN = Tariff(0, 0, 0, 0, known=False)
"""Of a model whose prices are not known."""


@dataclass(frozen=True, slots=True)
class Tariffs:
    """What a call costs with each of two models.

    Args:
        wanted: With the model that is asked first; None if nothing is to be counted.
        fallback: With the second model; None if there is none, or if it costs the same.
    """

    wanted: Tariff | None = None
    fallback: Tariff | None = None

    def of(self, *, fallback: bool) -> Tariff | None:
        """What it costs with one of them."""
        return self.fallback or self.wanted if fallback else self.wanted

    @property
    def known(self) -> list[Tariff]:
        """Those whose prices are known."""
        return [each for each in (self.wanted, self.fallback) if each is not None and each.known]


FREE = Tariffs()
"""Where nothing is to be counted."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be spent in a day, in nano-dollars; 0 for no limit.

    Args:
        caller: For all conversations with one caller.
        day: For all conversations.
    """

    caller: int = 0
    day: int = 0

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return bool(self.caller or self.day)


NO_CAPS = Caps()


class Meter:
    """One call's, over all its workers. A conversation that is continued in another call has
    another meter.

    Args:
        tariffs: The prices.
        kept: What the workers before have counted.
        elapsed_ms: How long the conversation had lasted when it was opened here.

    Attributes:
        elapsed_ms: The same of this call.
        spent: What the models have cost so far, as far as their prices are known, in nano-dollars.
        tokens: How many tokens that were, and those without a price.
    """

    def __init__(
        self, tariffs: Tariffs = FREE, kept: Checkpoint = NOTHING_KNOWN, elapsed_ms: int = 0
    ) -> None:
        self._tariffs = tariffs
        self._tariff = tariffs.of(fallback=kept.fallback)
        self._began_ms = kept.began_ms
        self.elapsed_ms = max(0, elapsed_ms - kept.began_ms)
        self.spent, self.tokens, self._unpriced = kept.spent, kept.tokens, kept.unpriced

    def dials(self, *, fallback: bool) -> None:
        """From now on one of the two models bills what is counted."""
        self._tariff = self._tariffs.of(fallback=fallback)

    def add(self, notice: Notice) -> bool:
        """Count a turn that was billed. Returns whether this notice was one, and is counted."""
        if self._tariff is None or not isinstance(notice, UsageReported):
            return False
        tokens = notice.total_tokens + notice.thought_tokens
        self.tokens += tokens
        self._unpriced += 0 if self._tariff.known else tokens
        self.spent += self._tariff.of(notice)
        return True

    def kept_in(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with what the meter of another worker needs."""
        return replace(
            checkpoint,
            spent=self.spent,
            tokens=self.tokens,
            unpriced=self._unpriced,
            began_ms=self._began_ms,
        )

    def cost(self, now_ms: int) -> int | None:
        """What the call has cost up to now, in nano-dollars.

        None if that is not known: the model that is asked now has no known price, or the other one
        had none and has billed tokens.
        """
        if self._tariff is None or not self._tariff.known or self._unpriced:
            return None
        minutes = -(-(self.elapsed_ms + now_ms) // MS_PER_MINUTE)
        return self.spent + minutes * self._tariff.minute
