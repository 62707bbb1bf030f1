"""Finds what was heard of a reply that had been stopped, from Twilio's output alone."""

from telephony.audio.earcon import EARCON
from telephony.audio.formats import FRAME_SAMPLES, PHONE_SAMPLES_PER_MS
from telephony.call.commands import NO_REPLY, SendClear, SendMedia
from telephony.simulator.line import Line
from telephony.simulator.world import World
from tests.worlds import judge


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
