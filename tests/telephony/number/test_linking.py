"""Linking and unlinking: what is changed at Twilio, and what is remembered."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import UsageError
from telephony.number.account import Account, AccountError
from telephony.number.linking import Plan, carry_out, plan_link, plan_unlink
from telephony.number.memory import Memory, MemoryFileError
from telephony.number.webhooks import FIELDS, Number, ours
from telephony.simulator.rest import refusal
from telephony.simulator.rest_server import SimulatedRest

PHONE_NUMBER = "+14155550199"
A, B = "https://a.example.com", "https://b.example.com"
OLD = {
    "voice_url": "https://old.example.com/voice?x=1",
    "voice_method": "GET",
    "voice_fallback_url": "https://old.example.com/fallback",
}


@dataclass
class Desk:
    """One number, and somebody who links it."""

    rest: SimulatedRest
    account: Account
    memory: Memory
    sid: str

    @property
    def at_twilio(self) -> dict[str, str]:
        """The number as it stands there."""
        return {field: self.rest.account.numbers[self.sid][field] or "" for field in FIELDS}

    def set_by_hand(self, **fields: str) -> None:
        """Somebody changes it in the Console."""
        self.rest.account.numbers[self.sid].update(fields)

    async def link(self, public_url: str = A, *, force: bool = False) -> Plan:
        number = await asyncio.to_thread(self.account.number, PHONE_NUMBER)
        plan = plan_link(number, self.memory, public_url, force=force)
        await asyncio.to_thread(carry_out, plan, self.account, self.memory)
        return plan

    async def unlink(self) -> Plan:
        number = await asyncio.to_thread(self.account.number, PHONE_NUMBER)
        plan = plan_unlink(number, self.memory)
        await asyncio.to_thread(carry_out, plan, self.account, self.memory)
        return plan


@pytest.fixture
def desk(rest: SimulatedRest, account: Account, tmp_path: Path) -> Desk:
    """A number that somebody else answers."""
    sid = rest.account.add(PHONE_NUMBER, **OLD)
    return Desk(rest, account, Memory(tmp_path), sid)


async def test_a_linked_number_has_all_that_is_ours_and_unlinked_all_that_it_had(
    desk: Desk,
) -> None:
    before = desk.at_twilio
    await desk.link()
    assert desk.at_twilio == before | ours(A)
    await desk.unlink()
    assert desk.at_twilio == before
    with pytest.raises(UsageError, match="expected a number that was linked from here"):
        await desk.unlink()


async def test_a_plan_changes_nothing(desk: Desk) -> None:
    before = desk.at_twilio
    number = await asyncio.to_thread(desk.account.number, PHONE_NUMBER)
    plan = plan_link(number, desk.memory, A, force=False)
    assert [change.field for change in plan.changes] == [
        *("voice_url", "voice_method", "voice_fallback_url", "status_callback")
    ]
    assert desk.at_twilio == before
    assert desk.memory.recall(number) is None
    assert {request.method for request in desk.rest.account.requests} == {"GET"}


async def test_linking_twice_changes_nothing_and_forgets_nothing(desk: Desk) -> None:
    before = desk.at_twilio
    await desk.link()
    plan = await desk.link()
    assert plan.changes == []
    assert [request.method for request in desk.rest.account.requests].count("POST") == 1
    await desk.unlink()
    assert desk.at_twilio == before


async def test_a_number_that_calls_us_already_was_not_linked_from_here(desk: Desk) -> None:
    desk.set_by_hand(**ours(A))
    assert (await desk.link()).changes == []
    with pytest.raises(UsageError, match="expected a number that was linked from here"):
        await desk.unlink()


async def test_a_new_public_url_does_not_make_the_old_one_what_was_before(desk: Desk) -> None:
    before = desk.at_twilio
    await desk.link(A)
    await desk.link(B)
    await desk.unlink()
    assert desk.at_twilio == before


async def test_a_failed_link_does_not_make_ours_what_was_before(desk: Desk) -> None:
    before = desk.at_twilio
    await desk.link(A)
    number = await asyncio.to_thread(desk.account.number, PHONE_NUMBER)
    plan = plan_link(number, desk.memory, B, force=False)
    desk.rest.account.faults.append(refusal(503, 20503, "Unavailable"))
    with pytest.raises(AccountError):
        await asyncio.to_thread(carry_out, plan, desk.account, desk.memory)
    await desk.link(A)
    await desk.link(B)
    await desk.unlink()
    assert desk.at_twilio == before


async def test_what_somebody_changed_since_is_left_by_unlink(desk: Desk) -> None:
    before = desk.at_twilio
    await desk.link()
    desk.set_by_hand(voice_url="https://other.example.com")
    plan = await desk.unlink()
    assert plan.kept == ("voice_url", "voice_method")
    assert desk.at_twilio == before | {
        "voice_url": "https://other.example.com",
        "voice_method": "POST",
    }


async def test_what_somebody_changed_since_is_remembered_by_the_next_link(desk: Desk) -> None:
    before = desk.at_twilio
    await desk.link()
    desk.set_by_hand(status_callback="https://other.example.com/status")
    await desk.link()
    assert desk.at_twilio == before | ours(A)
    await desk.unlink()
    assert desk.at_twilio == before | {"status_callback": "https://other.example.com/status"}


@pytest.mark.parametrize("shadow", [{"voice_application_sid": "AP1"}, {"trunk_sid": "TK1"}])
async def test_a_shadow_stays_unless_forced_and_comes_back(
    desk: Desk, shadow: dict[str, str]
) -> None:
    desk.set_by_hand(**shadow)
    before = desk.at_twilio
    await desk.link()
    assert desk.at_twilio == before | ours(A)
    await desk.link(force=True)
    assert desk.at_twilio == before | ours(A) | dict.fromkeys(shadow, "")
    await desk.link(B)
    await desk.unlink()
    assert desk.at_twilio == before


async def test_nothing_is_changed_at_twilio_where_nothing_can_be_remembered(
    desk: Desk, tmp_path: Path
) -> None:
    before = desk.at_twilio
    (tmp_path / "numbers").write_text("in the way")
    with pytest.raises(MemoryFileError, match="nothing was changed at Twilio"):
        await desk.link()
    assert desk.at_twilio == before


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', "[]", "\xff"])
async def test_a_memory_that_cannot_be_read_is_said_and_kept(desk: Desk, text: str) -> None:
    await desk.link()
    number = await asyncio.to_thread(desk.account.number, PHONE_NUMBER)
    path = desk.memory.path(number)
    path.write_text(text, encoding="latin-1")
    for again in (desk.link, desk.unlink):
        with pytest.raises(MemoryFileError, match="move it away"):
            await again()
    assert path.read_text(encoding="latin-1") == text


async def test_of_the_memory_every_whole_file_is_one_that_was_written(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.link(A)
    await desk.link(B)
    assert [path.name for path in (tmp_path / "numbers").iterdir()] == [f"{desk.sid}.json"]


@dataclass
class _OnPaper:
    """An account of one number, on paper: what `carry_out` asks for, and no socket."""

    number: Number = field(
        default_factory=lambda: Number("PN1", PHONE_NUMBER, "", dict.fromkeys(FIELDS, ""))
    )

    def set(self, webhooks: dict[str, str]) -> None:
        self.number = replace(self.number, webhooks={**self.number.webhooks, **webhooks})


ADDRESSES = ("voice_url", "voice_fallback_url", "status_callback")
HANDS = st.dictionaries(
    st.sampled_from(ADDRESSES), st.sampled_from(["", "https://x.example", "https://y.example"])
)
STEPS = st.lists(st.one_of(st.sampled_from([A, B]), HANDS), max_size=8)


@given(first=HANDS, steps=STEPS)
def test_unlink_restores_of_each_field_the_last_value_that_was_not_ours(
    first: dict[str, str], steps: list[str | dict[str, str]]
) -> None:
    paper = _OnPaper()
    paper.set(first)
    theirs = dict(paper.number.webhooks)
    with TemporaryDirectory() as folder:
        memory = Memory(Path(folder))
        for step in [*steps, A]:
            if isinstance(step, dict):
                paper.set(step)
                theirs |= step
            else:
                plan = plan_link(paper.number, memory, step, force=False)
                if plan.remember is not None and plan.changes:
                    memory.remember(paper.number, plan.remember)
                paper.set({change.field: change.after for change in plan.changes})
        plan = plan_unlink(paper.number, memory)
    paper.set({change.field: change.after for change in plan.changes})
    assert {name: paper.number.webhooks[name] for name in ADDRESSES} == {
        name: theirs[name] for name in ADDRESSES
    }
