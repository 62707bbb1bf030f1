"""Plays the recordings of a call again, and keeps what the timeline needs of it.

What a replay knows and a recording does not say: where in its reply a piece of audio stands, and
how far the audio of a reply had come when a piece of its text came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.conversation.reply import Reply
from agent.conversation.transcript import Line
from telephony.call.commands import SendMedia
from telephony.call.events import CallOpened, Event
from telephony.call.machine import Call
from telephony.replay.player import play
from telephony.replay.recording import Step
from telephony.timeline.trail import Held

type Events = Sequence[tuple[Event, int]]
"""The events of one worker, each with its time; `CallOpened` is the first."""


@dataclass(slots=True)
class Generated:
    """A reply of the model.

    Args:
        reply: It, as it was when it was over.
        said: For each piece of its text, the step in which that came.
    """

    reply: Reply
    said: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Lived:
    """The part of a call that one worker held.

    Args:
        opened_ms: When it opened the call, in ms since the first worker did.
        opened: With what it opened it.
        steps: Its steps, up to a bug of the call.
        positions: For each step that sent audio of replies: where in its reply each piece begins,
            in ms, in order.
        replies: Its replies, by number.
    """

    opened_ms: int
    opened: CallOpened
    steps: Sequence[Step] = ()
    positions: dict[int, list[float]] = field(default_factory=dict)
    replies: dict[int, Generated] = field(default_factory=dict)

    def at_ms(self, line: Line) -> int:
        """When a line that this worker wrote began. Lines count from the call's first worker, of
        which there may be no recording.
        """
        kept, wall_time_ms = self.opened.checkpoint, self.opened.wall_time_ms
        elapsed_ms = 0 if kept is None else kept.elapsed_at(wall_time_ms)
        return max(0, self.opened_ms + line.at_ms - elapsed_ms)

    @property
    def held(self) -> Held:
        """Its steps, and when they began."""
        return Held(self.opened_ms, self.steps)


def live(workers: Iterable[Events]) -> list[Lived]:
    """Play a call again.

    Args:
        workers: The events of each worker, in any order.
    """
    opened = [(_opened(events), events) for events in workers]
    opened.sort(key=lambda each: each[0].wall_time_ms)
    return [_play(each.wall_time_ms - opened[0][0].wall_time_ms, each, e) for each, e in opened]


def _opened(events: Events) -> CallOpened:
    match events:
        case [(CallOpened() as opened, _), *_]:
            return opened
        case _:
            raise ValueError(f"expected CallOpened first, got {[*events[:1]]!r}")


def _play(opened_ms: int, opened: CallOpened, events: Events) -> Lived:
    lived, numbers = Lived(opened_ms, opened), iter(range(len(events)))

    def look(call: Call, step: Step) -> None:
        number = next(numbers)
        for reply in call.conversation.open_replies:
            known = lived.replies.setdefault(reply.number, Generated(reply))
            known.said += [number] * (len(reply.pieces) - len(known.said))
        media = [each for each in step.commands if isinstance(each, SendMedia) and each.reply]
        if media:
            lived.positions[number] = _positions(media, call.sent_ms(step.now_ms), ends)

    ends: dict[int, float] = {}
    lived.steps = play(events, whole=False, look=look).steps
    return lived


def _positions(
    media: Sequence[SendMedia], sent_ms: dict[int, float], ends: dict[int, float]
) -> list[float]:
    """Where each piece begins: what was sent of a reply ends where it stands after the step.

    Args:
        media: The pieces.
        sent_ms: How far each reply was sent then; a reply that is over already is missing.
        ends: How far each was sent before. It is brought up to date.
    """
    lengths = [len(each.ulaw) / 8 for each in media]
    at: dict[int, float] = {}
    for each in media:
        together = sum(n for n, m in zip(lengths, media, strict=True) if m.reply == each.reply)
        begins = sent_ms.get(each.reply, ends.get(each.reply, 0.0) + together) - together
        at.setdefault(each.reply, begins)
    positions = []
    for each, length in zip(media, lengths, strict=True):
        positions.append(at[each.reply])
        at[each.reply] += length
    ends |= at
    return positions
