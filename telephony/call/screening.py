"""Hears from somebody's words that a call is screened: its caller is asked for name and reason.

Telephones such as those with iOS 26 do so before they ring, and services such as Google's. Twilio's
detection may take one that has asked, and now waits, for an answering machine that has finished;
and so a receptionist who asks. What they said tells them apart from a voicemail, which may ask for
a name and a reason, too, but for a message, or to be called back.

The words are those of the languages in which telephones screen calls, and of some more. They were
written down without hearing such telephones: see docs/unverified.md.
"""

import re
from collections.abc import Iterable

from agent.conversation.checkpoint import Checkpoint
from agent.conversation.transcript import Line
from telephony.call.ending import FOR_A_MACHINE, EndedReason

_NAME = re.compile(
    r"\bname|\bnombre|\bnom\b|\bnome|\bnaam|名前|氏名|姓名|名字|이름|성함|\bwho(?:'s| is) calling",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\breason|\bwhy\b|\bcalling (?:about|for|regarding)|\bpurpose|\bgrund|\banliegen|\bwarum"
    r"|\bweshalb"
    r"|\bmotivo|\braz[oóã]|\bpor qu[eé]|\bmotif|\braison|\bpourquoi|\bobjet de|\bperch[eé]"
    r"|\breden\b|\bwaarom|用件|理由|原因|事由|来意|來意|이유|용건|목적",
    re.IGNORECASE,
)
_SCREENED = re.compile(
    r"\bscreen(?:ing|ed|s)?\b|\btry(?:ing)? to connect you|\bsee if (?:this|the) person"
    r"|\bsee if (?:he|she|they)(?:'s|'re| is| are)? available|\bstay on the line",
    re.IGNORECASE,
)
_VOICEMAIL = re.compile(
    r"\bleave\b|\bhinterlass|\bdej[ea]\b|\bdevolver|\blaiss|\blasci|\bdeixe|\binspreken"
    r"|\bbeep|\b(?:the|a|this) tone\b|\bmessage|\bvoice ?mail|\bmailbox|\bcall(?:ed)? (?:you )?back"
    r"|\bback to you|\breturn (?:your|the) call"
    r"|\bpiep|\bsignalton|\bnachricht|\banrufbeantworter|\bzurück\w*ruf|\brufe\w* \w+ zurück"
    r"|\btono\b|\bseñal|\bmensaje|\bbuzón|\bllamar[eé]|\bbip\b|\bsignal sonore|\bmessagerie"
    r"|\brappel|\bsegnale|\bmessaggio|\bsegreteria|\brichiam|\bsinal|\bmensagem|\brecado|\bretorn"
    r"|\bpieptoon|\bbericht|\bterug\w*bel"
    r"|発信音|メッセージ|留守番|留言|提示音|삐|메시지|음성 ?사서함",
    re.IGNORECASE,
)


def stored_words(lines: Iterable[Line], checkpoint: Checkpoint | None) -> list[str]:
    """What the other party of a call has said, by what is stored of it; for `is_screened`."""
    said = [line.text for line in lines if line.role == "caller"]
    return said if checkpoint is None else [*said, checkpoint.owed_words]


def spares(reason: EndedReason, said: Iterable[str]) -> bool:
    """Whether a call is not ended for a reason, because it is the end of one with a machine, and
    this machine only screens calls. `said` is as for `is_screened`.
    """
    return reason in FOR_A_MACHINE and is_screened(said)


def is_screened(said: Iterable[str]) -> bool:
    """Whether the one who has answered asks who calls and why, and takes no message.

    Args:
        said: What they have said so far, each time that they spoke. The last of it that tells
            anything counts: a telephone that has screened a call may send it to a voicemail then.
    """
    for words in reversed(list(said)):
        if _VOICEMAIL.search(words):
            return False
        if _SCREENED.search(words):
            return True
        if _NAME.search(words) and _REASON.search(words):
            return True
    return False
