"""Every way a call can end has its reason, and every reason is one that a call ends for."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.conversation.built_in_tools import ENDS_CALL, Target, puts_through
from agent.conversation.commands import Impasse
from agent.conversation.events import SessionRefused
from agent.conversation.resumption import MAX_BACKOFF_MS
from agent.conversation.tool_events import ActsStored, ToolCalled
from telephony.call.commands import Command, EndCall
from telephony.call.ending import EndedReason
from telephony.call.events import (
    CallStatus,
    DrainRequested,
    EndRequested,
    OwnershipLost,
    StreamEnded,
)
from telephony.call.presence import PARKED_LIMIT_MS, WAITING_LIMIT_MS
from telephony.server.driver import FAILED
from tests.telephony.call.conftest import SILENCE, Phone, of
from tests.telephony.call.test_machine_parting import LIMITED, lasts, says_nothing


def loses_its_stream(phone: Phone) -> list[Command]:
    phone.starts()
    phone.step(StreamEnded("MZ1", "close"))
    return phone.wait(PARKED_LIMIT_MS)


def is_refused(phone: Phone, code: int, *, unreachable: bool = False) -> list[Command]:
    """Every session of the call, until it gives up."""
    phone.starts()
    for _ in range(100):
        done = phone.tells(
            lambda session: SessionRefused(session, code, "no", unreachable=unreachable)
        )
        if not of(EndCall, done):
            done = phone.says(SILENCE, MAX_BACKOFF_MS)
        if of(EndCall, done):
            return done
    return []


def is_over_without_its_stream(phone: Phone) -> list[Command]:
    phone.starts()
    phone.step(StreamEnded("MZ1", "broken"))
    return phone.step(CallStatus("completed"))


HANGS_UP = replace(LIMITED, tools=(ENDS_CALL,))


def hangs_up(phone: Phone) -> list[Command]:
    phone.greets()
    return phone.tells(lambda session: ToolCalled(session, "1", "end_call", "{}"))


SALES = (Target("sales", "One moment."),)
PUTS_THROUGH = replace(LIMITED, tools=(puts_through(SALES),), transfers=SALES)


def lets_go(phone: Phone) -> list[Command]:
    phone.greets()
    phone.tells(lambda session: ToolCalled(session, "1", "transfer", '{"to":"sales"}'))
    return phone.step(ActsStored(1))


WAYS: dict[EndedReason, Callable[[Phone], list[Command]]] = {
    EndedReason.AGENT_HANGUP: lambda _: hangs_up(Phone(persona=HANGS_UP)),
    EndedReason.CALLER_HANGUP: lambda phone: phone.step(CallStatus("completed")),
    EndedReason.CUT_OFF: is_over_without_its_stream,
    EndedReason.HANDED_OVER: lambda phone: phone.step(DrainRequested(0)),
    EndedReason.LIMIT: lambda _: lasts(Phone(persona=LIMITED)),
    EndedReason.MACHINE: lambda phone: phone.step(EndRequested(EndedReason.MACHINE)),
    EndedReason.MODEL_QUOTA: lambda phone: is_refused(phone, 429),
    EndedReason.MODEL_REFUSED: lambda phone: is_refused(phone, 403),
    EndedReason.MODEL_UNAVAILABLE: lambda phone: is_refused(phone, 503),
    EndedReason.MODEL_UNREACHABLE: lambda phone: is_refused(phone, 0, unreachable=True),
    EndedReason.NOT_ATTACHED: lambda phone: phone.wait(WAITING_LIMIT_MS),
    EndedReason.PUT_THROUGH: lambda _: lets_go(Phone(persona=PUTS_THROUGH)),
    EndedReason.SILENCE: lambda _: says_nothing(Phone(persona=LIMITED)),
    EndedReason.STREAM_LOST: loses_its_stream,
    EndedReason.TAKEN_OVER: lambda phone: phone.step(OwnershipLost(2)),
    EndedReason.TOO_MANY_RESUMES: lambda phone: phone.step(
        EndRequested(EndedReason.TOO_MANY_RESUMES)
    ),
    EndedReason.TRANSFERRED: lambda phone: phone.step(EndRequested(EndedReason.TRANSFERRED)),
    EndedReason.VOICEMAIL: lambda phone: phone.step(EndRequested(EndedReason.VOICEMAIL)),
}
"""All but the one that no call gives itself: it had a bug, and its driver says so."""


def test_there_is_a_way_to_each_end() -> None:
    assert WAYS.keys() | {FAILED.reason} == set(EndedReason)


@pytest.mark.parametrize("reason", WAYS)
def test_a_call_ends_for_this_reason(phone: Phone, reason: EndedReason) -> None:
    assert of(EndCall, WAYS[reason](phone)) == [EndCall(reason, reason.final)]


def test_a_call_is_over_for_good_for_these_reasons_alone() -> None:
    assert {reason.value for reason in EndedReason if reason.final} == {
        "agent_hangup",
        "caller_hangup",
        "cut_off",
        "limit",
        "machine",
        "model_quota",
        "model_refused",
        "model_unavailable",
        "model_unreachable",
        "silence",
        "too_many_resumes",
        "transferred",
        "voicemail",
    }


def test_a_conversation_that_cannot_go_on_ends_its_call_for_that_reason() -> None:
    assert {EndedReason(impasse).final for impasse in Impasse} == {True}
