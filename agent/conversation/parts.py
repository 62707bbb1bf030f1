"""Puts the parts of a conversation together, for a new one or for one that goes on here."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from agent.conversation.changeover import Changeover
from agent.conversation.checkpoint import NOTHING_KNOWN, Checkpoint
from agent.conversation.choice import Choice
from agent.conversation.consent import Consent
from agent.conversation.debt import Debt
from agent.conversation.keys import Keys
from agent.conversation.liveness import Liveness
from agent.conversation.meter import Meter, Tariffs
from agent.conversation.onset import Onset
from agent.conversation.pace import Pace
from agent.conversation.parting import Parting
from agent.conversation.persona import Persona
from agent.conversation.playing import Playing
from agent.conversation.replies import Replies
from agent.conversation.resumption import Resumption
from agent.conversation.sessions import Sessions
from agent.conversation.sieve import Sieve
from agent.conversation.tool_use import ToolUse
from agent.conversation.tools import Ledger
from agent.conversation.transcript import Line, Transcript


@dataclass(frozen=True, slots=True)
class Parts:
    """What a conversation is made of; each module says what its part is."""

    transcript: Transcript
    debt: Debt
    meter: Meter
    sessions: Sessions
    liveness: Liveness
    sieve: Sieve
    changeover: Changeover
    playing: Playing
    replies: Replies
    parting: Parting
    tools: ToolUse
    keys: Keys


def assemble(
    *,
    persona: Persona,
    seed: int,
    wall_time_ms: int,
    checkpoint: Checkpoint | None,
    lines: Iterable[Line],
    has_fallback: bool,
    think_ms: int,
    tariffs: Tariffs,
) -> Parts:
    """The parts, as an earlier worker left them; the arguments are those of `Conversation`."""
    kept = NOTHING_KNOWN if checkpoint is None else checkpoint
    elapsed_ms = kept.elapsed_at(wall_time_ms)
    fallback = kept.fallback and has_fallback
    handle = kept.handle if kept.fallback is fallback else ""  # else its model is not there
    meter = Meter(tariffs, kept, elapsed_ms)
    turns = persona.turn_taking
    onset = Onset(turns)
    transcript = Transcript(lines, kept.handle_lines, elapsed_ms, onset)
    left = kept.left_after(len(transcript.lines))
    debt = Debt(
        onset,
        transcript.lines,
        left,
        elapsed_ms,
        greeted=kept.greeted,
        wordless=kept.wordless,
    )
    ledger = Ledger.from_text(kept.tools, persona.tools, kept.notes, kept.next_step)
    if ledger.after_keys:
        debt.open_question = False
    if left is not None and left.owed_words and debt.open_question:
        transcript.left_open(left.owed_words, left.owed_ms)
    jitter = Random(seed)  # noqa: S311 - no secret
    resumption = Resumption(jitter, handle, Choice(two=has_fallback, fallback=fallback))
    consent = Consent(persona, checkpoint)
    sessions = Sessions(
        persona, transcript, resumption, debt, meter, ledger, consent, wall_time_ms=wall_time_ms
    )
    pace = Pace(think_ms)
    playing = Playing(transcript, turns)
    liveness = Liveness(playing, pace, turns)
    heard_out = persona.barge_in == "off"
    replies = Replies(transcript, sessions, liveness, debt, playing, heard_out=heard_out)
    sieve = Sieve(transcript, debt, liveness, pace)
    changeover = Changeover(
        transcript=transcript,
        sessions=sessions,
        replies=replies,
        playing=playing,
        liveness=liveness,
        debt=debt,
        sieve=sieve,
    )
    parting = Parting(persona, sessions, replies, debt, meter)
    tools = ToolUse(
        persona,
        ledger,
        transcript=transcript,
        sessions=sessions,
        replies=replies,
        liveness=liveness,
        debt=debt,
        parting=parting,
        consent=consent,
    )
    return Parts(
        transcript=transcript,
        debt=debt,
        meter=meter,
        sessions=sessions,
        liveness=liveness,
        sieve=sieve,
        changeover=changeover,
        playing=playing,
        replies=replies,
        parting=parting,
        tools=tools,
        keys=Keys(persona, sessions, liveness, debt),
    )
