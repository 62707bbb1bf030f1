"""Finds what was heard of a reply that had been stopped, from Twilio's output and the transcript.

Where a reply may be held, a clear alone tells nothing: the reply may go on behind it, from about
where it stopped. That it was stopped for good shows in its transcript line, which is written then.
"""

from collections.abc import Iterator

from agent.conversation.commands import AppendLine
from agent.simulator.voice import agent_clip
from telephony.audio.earcon import EARCON
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, SendClear, SendMedia
from telephony.simulator.line import Line
from telephony.simulator.world import World
from tests.worlds import judge

BACK_MS = 20
"""So far before where it stopped a reply may go on, so that a word that had begun is whole."""


def stale_bytes(world: World) -> int:
    """How much was written or heard after a clear, of replies that the clear had stopped."""
    stale = 0
    for line in world.phone.lines:
        newest, stopped, aside = 0, 0, False
        for entry in world.written:
            if entry.command.stream_sid != line.stream_sid:
                continue
            match entry.command:
                case SendMedia() if entry.command.reply == NO_REPLY:
                    aside = True
                case SendMedia(reply=number, ulaw=ulaw):
                    aside = False
                    stale += len(ulaw) if number <= stopped else 0
                    newest = max(newest, number)
                case SendClear():
                    stopped = stopped if aside else newest
                case _:
                    pass
        stale += _heard_after_clears(world, line)
    return stale


def _heard_after_clears(world: World, line: Line) -> int:
    here = [reply for reply in judge.replies(world) if world.phone.lines[reply.stream] is line]
    stale = 0
    for cleared in line.clears:
        if EARCON.endswith(cleared.dropped):
            continue  # of a sound for who waits, a reply may go on after it
        at = (cleared.at_ms - line.media_start_ms) * PHONE_SAMPLES_PER_MS
        for reply in here:
            before = any(span.at < at for span in reply.spans)
            # The frame that sounds when the clear comes is heard to its end.
            after = sum(len(s.ulaw) for s in reply.spans if s.at >= at + FRAME_SAMPLES)
            stale += after if before else 0
    return stale


def stale_of_held(world: World, late_ms: int) -> int:
    """How much was written of replies that may be held, and ought not have been heard: behind the
    end of one that was cut or heard to its end, and farther back than one is gone on with.

    Args:
        world: A world that has run.
        late_ms: So much later it is known how far a reply was heard.
    """
    stale = 0
    most = (BACK_MS + late_ms) * PHONE_SAMPLES_PER_MS
    for worker in world.workers:
        over_ms = dict(_over(world, worker.number))
        for entry in world.written:
            command = entry.command
            if entry.worker == worker.number and isinstance(command, SendMedia):
                stale += len(command.ulaw) * (entry.at_ms > over_ms.get(command.reply, entry.at_ms))
    for reply in judge.replies(world):
        stale += sum(max(0, back - most) for back in reply.went_back)
    return stale


def _over(world: World, worker: int) -> Iterator[tuple[int, int]]:
    """Each reply of a worker that has a line: its number, and when the line was final."""
    lines = [
        (step.at_ms, command.line)
        for step in world.steps
        for command in step.commands
        if step.worker == worker
        and isinstance(command, AppendLine)
        and command.line.role == "agent"
    ]
    names: dict[int, set[str]] = {}
    for reply in judge.replies(world):
        if reply.worker == worker:
            known = {name for name, _ in judge.clips_of(bytes(reply.ulaw))}
            names[reply.number] = names.get(reply.number, known) & known
    for number, clips in sorted(names.items()):
        for at, (over_ms, line) in enumerate(lines):
            if any(line.text in agent_clip(name).text for name in clips):
                yield number, over_ms
                del lines[: at + 1]
                break
