"""The rest of a reply that was left in its middle: what was said of it before is left out.

The next session is asked to go on with the very next word. What Google's service then does is not
known: it may go on there, begin the sentence or the whole reply anew, or say nothing. So what comes
is held back for as long as it repeats what was said, and let through from where it goes beyond.
Nobody begins anew in the middle of a sentence that was over long ago: such words are the rest,
which has some in common with what was said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.conversation import events
from agent.conversation.events import TurnEvent
from agent.conversation.reply import MODEL_BYTES_PER_MS
from agent.conversation.seam import Silences, seam_after
from agent.conversation.words import letters, repeated_chars

WORDLESS_MS = 1_000
"""Audio for so long whose words have not come is taken for new."""

CERTAIN_LETTERS = 12
"""A reply that begins with so many of those that had come beyond the seam goes on there, even if
the same was said earlier too."""

_SENTENCE_ENDS = (".", "?", "!", "…", "。")


class Rest:
    """Sifts what a session says that was asked for the rest: `left` first, then `sift`."""

    def __init__(self) -> None:
        self._said = self._before = self._taken_back = ""
        self._anew: list[str] = []
        self.stopped()

    def left(self, said: str, taken_back: str) -> None:
        """A reply, or its rest, was left when this had been said; some words more had come, and are
        not heard.
        """
        self._said, self._before = f"{self._before} {said}".strip(), ""
        self._anew = [*_ways_to_begin_anew(self._said), letters(said)]
        self._taken_back = letters(taken_back)

    def stopped(self) -> None:
        """There is no session, or the rest is not wanted any more: forget what is held."""
        self._held: list[TurnEvent] = []
        self._pieces: list[tuple[float, str]] = []
        self._silences = Silences()
        self._held_ms = 0.0

    @property
    def holds(self) -> bool:
        """Whether the model speaks, and nothing new has come yet."""
        return bool(self._held)

    def sift(self, event: TurnEvent, *, owed: bool = True) -> list[TurnEvent]:
        """Take the next event, and whether the rest is owed. Returns what is new, in order."""
        if not owed:
            self._not_owed(event)
            return [event]
        if not self._said:
            return [event]
        match event:
            case events.AgentSaid():
                self._pieces.append((self._held_ms, event.text))
            case events.ReplyAudio():
                self._silences.push(event.pcm)
                self._held_ms += len(event.pcm) / MODEL_BYTES_PER_MS
            case events.GenerationComplete() | events.TurnComplete() if self._held:
                pass
            case events.Interrupted():
                self.stopped()
                return [event]
            case _:
                return [event]
        self._held.append(event)
        over = isinstance(event, events.GenerationComplete | events.TurnComplete)
        text = "".join(piece for _, piece in self._pieces)
        if self._goes_on(text):
            return self._found(self._held)
        if self._may_repeat(text):
            if not over:
                return []
            self.stopped()
            return [event]
        repeated = repeated_chars(self._said, text)
        if not repeated:
            return self._found(self._held)
        at_ms = seam_after(self._pieces, self._silences, self._held_ms, repeated, complete=over)
        if at_ms is None:
            return []  # where the repetition ends in the audio is not certain yet
        return self._found(list(_beyond(self._held, repeated, at_ms)))

    def _not_owed(self, event: TurnEvent) -> None:
        """The rest has begun, or none is owed; all that comes is new."""
        self.stopped()
        match event:
            case events.GenerationComplete() | events.TurnComplete() | events.Interrupted():
                self._before = ""
            case _:
                pass

    def _may_repeat(self, text: str) -> bool:
        """Whether all of this may have been said before."""
        if not text.strip():
            return self._held_ms < WORDLESS_MS
        return any(said.startswith(letters(text)) for said in self._anew)

    def _goes_on(self, text: str) -> bool:
        """Whether this is what had come next."""
        new, known = letters(text)[:CERTAIN_LETTERS], self._taken_back[:CERTAIN_LETTERS]
        return len(new) == CERTAIN_LETTERS and new == known

    def _found(self, new: list[TurnEvent]) -> list[TurnEvent]:
        """This is the rest: what follows is new, too."""
        self._said, self._before = "", self._said
        self.stopped()
        return new


def _ways_to_begin_anew(said: str) -> Iterator[str]:
    """The letters of `said` from each sentence, and from each word of the last one, to its end."""
    words = said.split()
    sentences = [0, *(at for at in range(1, len(words)) if words[at - 1].endswith(_SENTENCE_ENDS))]
    for at in [*sentences[:-1], *range(sentences[-1], len(words))]:
        yield letters("".join(words[at:]))


def _beyond(held: Sequence[TurnEvent], chars: int, at_ms: float) -> Iterator[TurnEvent]:
    """The same without the first `chars` of its words and the audio up to `at_ms`."""
    audio = int(at_ms) * MODEL_BYTES_PER_MS
    for event in held:
        match event:
            case events.AgentSaid(text=text):
                if text[chars:]:
                    yield replace(event, text=text[chars:])
                chars = max(0, chars - len(text))
            case events.ReplyAudio(pcm=pcm):
                if pcm[audio:]:
                    yield replace(event, pcm=pcm[audio:])
                audio = max(0, audio - len(pcm))
            case _:
                yield event
