"""The switches that decide how the simulated service behaves.

The defaults are what was measured of gemini-3.8-live. Where Google's behaviour is undocumented, or
differs between models, there is a switch for each possibility.
"""

from dataclasses import dataclass, field
from typing import Literal

from agent.simulator.faults import Close, RefuseConnect

type TextInThought = Literal["restarts", "joins", "follows"]
type Transcription = Literal["utterance", "words", "letters", "nothing"]
type OutputTranscription = Literal["inline", "before", "first", "nothing"]
type Swallowed = Literal["stays open", "closes", "answers"]
type BlockedAudio = Literal["cancels", "closes"]
type Rest = Literal["goes on", "anew", "nothing"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Switches of a `GeminiServer`. Ranges are (least, most), drawn evenly.

    Args:
        models: The models that exist; any other closes with 1008.
        keys: The API keys that are accepted; None for any that is not empty.
        setup_ms: The time from setup to setupComplete.
        handle_ms: The time from setupComplete, and from each turnComplete, to the new handle.
        think_ms: The time from the committed end of speech, or a text, to the first audio.
        speech_dbfs: The lowest level that counts as speech; None for that of the setup.
        transcription_ms: The time from the committed end of speech to its transcription.
        chunk_ms: How much audio each message holds.
        greets_anyway: Whether a session without a history greets the caller also where its first
            text asks it not to.
        text_in_thought: The effect of a text that comes while the model thinks about an answer.
            It thinks anew and answers both; or it answers both at the time of the first answer;
            or it answers the text afterwards.
        pong_ms: How late a ping is answered.
        speed: How much faster than real time audio is sent; below 1 it falls behind.
        gap_ms: How long nothing is sent after each `gap_every_ms` of a reply.
        gap_every_ms: See there.
        in_progress_ms: How much longer it thinks, in turns that are closed every 2 s as
            `IN_PROGRESS`; 0 for a model that does not tell.
        jitter: By what share of itself the time between two audio messages varies.
        prefix_ms: How much speech commits a start, if the setup does not say so.
        silence_ms: How much silence commits an end, if the setup does not say so.
        voice_activity: Whether voiceActivity messages are sent.
        voice_activity_lag_ms: How long after the committed start its message comes.
        swallows: The share of utterances that are swallowed, neither transcribed nor answered, if
            they begin 5 to 7 s after generationComplete. Their turn stays open, and eats the next
            utterance.
        swallows_else: The share of all others.
        swallowed_end: What audioStreamEnd does to an open turn: nothing; it closes it; or its
            utterance is answered.
        interrupt_ms: The time from the committed start of speech to `interrupted`.
        turn_complete_at: When turnComplete comes: at the end of the assumed playback, or with
            the last audio.
        transcription: How the caller's words come: one message for the utterance (3.x), one for
            each word (2.5), or one for each few letters; or not at all.
        transcription_gap_ms: The time between two messages of one transcription.
        markup: Whether the transcriber leaves its own marks in the caller's words: a message that
            holds only ``<noise>`` before them, and ``<ctrl46>`` behind them.
        output_transcription: Where the model's words come: in the message of their audio (3.x),
            in one before it (2.5), or all of them with the first audio; or nowhere.
        stale_audio: Whether the `interrupted` message carries audio of the old turn.
        empty_messages: Whether ``{}`` and ``{"serverContent": {}}`` are interspersed.
        other_messages: Whether counts of tokens alone, and messages that no client knows yet, are
            interspersed.
        repeats_empty: How often a call is repeated whose result is empty.
        blocked_audio: What caller audio does while a BLOCKING call has no result: speech takes the
            call back, or any audio closes the session with 1008.
        tool_use_tokens: Whether the tokens of results are counted by themselves.
        calls_again: Whether a tool is called also where the history tells of its result.
        replays: What a resumed session sends again of the last turn: nothing, its words, or its
            words and audio.
        rest: What a session says when it is asked to continue a reply whose beginning it knows:
            the rest, the whole reply again, or nothing the first time.
        resumed_end: How a resumed session ends 20 ms after its setup; None if it lives.
        handle_ttl_ms: How long a handle lives.
        unknown_handle: How an unknown or expired handle is answered.
        lifetime_ms: How long a connection lives; None for no limit.
        go_away_ms: How long before its end goAway is sent; None for never.
        go_away_time: Whether goAway says how much time is left.
        lifetime_close: How the connection then ends.
        max_sessions: How many sessions may be open at once; None for any number.
        over_quota: How a session beyond that is refused.
    """

    models: frozenset[str] = frozenset({"gemini-3.8-live"})
    keys: frozenset[str] | None = None
    setup_ms: tuple[int, int] = (300, 500)
    handle_ms: tuple[int, int] = (10, 20)
    think_ms: tuple[int, int] = (1_100, 1_600)
    greets_anyway: bool = False
    text_in_thought: TextInThought = "restarts"
    pong_ms: int = 0
    speech_dbfs: float | None = None
    transcription_ms: int = 50
    chunk_ms: int = 210
    speed: float = 4.3
    in_progress_ms: int = 0
    gap_ms: int = 0
    gap_every_ms: int = 2_000
    jitter: float = 0.5
    prefix_ms: int = 100
    silence_ms: int = 800
    voice_activity: bool = True
    voice_activity_lag_ms: int = 1_000
    swallows: float = 0.0
    swallows_else: float = 0.0
    swallowed_end: Swallowed = "stays open"
    interrupt_ms: int = 50
    turn_complete_at: Literal["playback end", "last audio"] = "playback end"
    transcription: Transcription = "utterance"
    transcription_gap_ms: int = 0
    markup: bool = False
    output_transcription: OutputTranscription = "inline"
    stale_audio: bool = False
    empty_messages: bool = True
    other_messages: bool = False
    repeats_empty: int = 2
    blocked_audio: BlockedAudio = "cancels"
    tool_use_tokens: bool = False
    calls_again: bool = False
    replays: Literal["nothing", "words", "all"] = "nothing"
    rest: Rest = "goes on"
    resumed_end: Close | None = None
    handle_ttl_ms: int = 7_200_000
    unknown_handle: Close = field(default=Close(1007, "Invalid session handle"))
    lifetime_ms: int | None = 590_000
    go_away_ms: int | None = 50_000
    go_away_time: bool = True
    lifetime_close: Close = field(default=Close(1008, "The operation was aborted."))
    max_sessions: int | None = None
    over_quota: RefuseConnect = field(
        default=RefuseConnect(1011, "RESOURCE_EXHAUSTED: Maximum concurrent sessions exceeded.")
    )


BRISK = Behaviour(
    setup_ms=(20, 20), handle_ms=(5, 5), think_ms=(60, 60), silence_ms=300, transcription_ms=5
)
"""For tests over real sockets: the same behaviour with short waits."""

EXACT = Behaviour(
    setup_ms=(400, 400),
    handle_ms=(10, 10),
    think_ms=(1_000, 1_000),
    jitter=0,
    empty_messages=False,
    lifetime_ms=None,
)
"""For tests in virtual time: nothing is random, so times are known to the millisecond."""
