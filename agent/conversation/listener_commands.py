"""The commands about the listener: what they hear, what is heard of them, and what they hide."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlayReply:
    """Play a piece of reply number `reply`: PCM, int16 little-endian, mono, 24 kHz."""

    reply: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class FinishReply:
    """Reply `reply` is complete: nothing more will be added to it.

    With `length_ms` it ends there; what of it lies beyond is not to be played.
    """

    reply: int
    length_ms: float | None = None


@dataclass(frozen=True, slots=True)
class HoldPlayback:
    """Stop at once, and forget nothing: `GoOnPlayback` or `StopPlayback` follows."""


@dataclass(frozen=True, slots=True)
class GoOnPlayback:
    """Play on what is held, the oldest reply from its `from_ms` on; None: from where it stopped.

    What is then heard again counts once.
    """

    from_ms: float | None = None


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Stop at once, and forget what was not heard yet of every reply up to number `up_to`."""

    up_to: int


@dataclass(frozen=True, slots=True)
class DropRest:
    """Send nothing more of reply `reply`, and stop nothing: it ends where it was sent to."""

    reply: int


@dataclass(frozen=True, slots=True)
class ResumeCallerAudio:
    """Session `session` listens: send what is held, faster than real time, then go on live."""

    session: int


@dataclass(frozen=True, slots=True)
class HoldCallerAudio:
    """No session listens: keep what the caller says."""


@dataclass(frozen=True, slots=True)
class ReleaseCallerAudio:
    """What was said before `before_ms` has been answered and need not be kept any longer."""

    before_ms: int


@dataclass(frozen=True, slots=True)
class HideCaller:
    """From now on nobody hears the caller, nor sees a key of theirs.

    Args:
        tool: The tool for which digits that are typed are kept; "" to keep none that come.
        parameter: Its parameter that gets them; what was kept for it before is forgotten.
    """

    tool: str = ""
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class ShowCaller:
    """From now on the caller is heard again, and their keys are seen."""


@dataclass(frozen=True, slots=True)
class ForgetKeys:
    """Forget the digits that are kept."""


PlayerCommand = PlayReply | FinishReply | HoldPlayback | GoOnPlayback | StopPlayback | DropRest
MicrophoneCommand = ResumeCallerAudio | HoldCallerAudio | ReleaseCallerAudio
SecretCommand = HideCaller | ShowCaller | ForgetKeys
ListenerCommand = PlayerCommand | MicrophoneCommand | SecretCommand
