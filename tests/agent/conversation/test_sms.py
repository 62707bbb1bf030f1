"""Text messages by template: the model fills in fields, and never does more than that."""

import json
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest

from agent.conversation.built_in_tools import ENDS_CALL, SEND_SMS
from agent.conversation.commands import ConversationCommand, RunTool, SendToolResult
from agent.conversation.declaration import Tool
from agent.conversation.persona import DEFAULT_PERSONA
from agent.conversation.segments import segments
from agent.conversation.sms import SmsField, Template, leading, linked, refusal, sends, written
from agent.conversation.tool_events import ActsStored, ToolCalled, ToolFinished
from tests.agent.conversation.conftest import Talk, of

BOOKED = Template(
    "booked",
    "Your table is booked for {when}, {name}. See https://table.example.com/b/{code}",
    fields=(
        SmsField("when", max_chars=40),
        SmsField("name", max_chars=30),
        SmsField("code", "code", max_chars=8),
    ),
)
PLAIN = Template("hours", "We are open from nine to five.")
TEMPLATES = (BOOKED, PLAIN)
LOOKS_UP = Tool("look_up", "Looks up.", idempotent=True, max_per_call=100)
MOST = 3
PERSONA = replace(
    DEFAULT_PERSONA, tools=(sends(TEMPLATES, MOST), LOOKS_UP, ENDS_CALL), sms=TEMPLATES
)
GOOD = {"when": "Friday at 19:30", "name": "Ms. Lee", "code": "A7-42"}
CALLS = 1_000


def booked(**fields: object) -> str:
    asked = {"template": "booked", "fields": GOOD | fields}
    return json.dumps(asked, sort_keys=True, separators=(",", ":"))


@pytest.fixture
def talk() -> Talk:
    talk = Talk(None, (), 1, persona=PERSONA)
    talk.greets()
    talk.now_ms += 1_000
    return talk


def asks(talk: Talk, arguments: str, name: str = SEND_SMS) -> list[ConversationCommand]:
    """The model calls the tool, and the store takes what is intended."""
    done = talk.tells(lambda session: ToolCalled(session, f"f{talk.now_ms}", name, arguments))
    return [*done, *talk.happens(ActsStored(10_000))]


def run(commands: Iterable[ConversationCommand]) -> list[RunTool]:
    return [each for each in commands if isinstance(each, RunTool) and each.name == SEND_SMS]


def test_a_message_is_sent_once_it_is_stored_as_intended(talk: Talk) -> None:
    done = talk.tells(lambda session: ToolCalled(session, "f", SEND_SMS, booked()))
    assert run(done) == []
    assert run(talk.happens(ActsStored(1))) == [RunTool(1, SEND_SMS, booked())]


def test_the_same_message_is_not_sent_twice_in_a_call_however_much_happens_between(
    talk: Talk,
) -> None:
    assert run(asks(talk, booked()))
    talk.happens(ToolFinished(1, "ok"))
    for n in range(30):
        talk.now_ms += 60_000
        asks(talk, f'{{"n":{n}}}', "look_up")
    again = asks(talk, booked())
    assert run(again) == []
    assert json.loads(of(SendToolResult, again)[0].result)["status"] == "ok"


def test_a_call_sends_as_many_messages_as_it_may(talk: Talk) -> None:
    sent = [len(run(asks(talk, booked(name=name)))) for name in ("A", "B", "C", "D")]
    assert sent == [1, 1, 1, 0]


def test_one_that_is_refused_does_not_count_and_may_be_corrected(talk: Talk) -> None:
    for _ in range(9):
        [result] = of(SendToolResult, asks(talk, booked(name="www.example.com")))
        assert json.loads(result.result)["retryable"] is True
        assert "example" not in json.loads(result.result)["hint"]
    assert run(asks(talk, booked()))


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example.com",
        "HTTP://EVIL.EXAMPLE.COM",
        "see www.evil",
        "evil.com",
        "bit.ly/x7",
        "evil\uff0ecom",  # a full stop of full width
        "evil\u2024com",  # a one dot leader
        "evil\u3002com",  # an ideographic full stop
        "\u24d4vil.com",  # a letter in a circle
        "xn.xn--p1ai",
        "mailto:x",
        "tel:+19005550100",
        "x@y",
        "10.0.0.1/x",
        "intent://x",
        "caf\u00e9.fr",
        "Friday\nYour account is locked",
        "Friday\r",
        "Friday\u2028x",
        "Friday\x00",
        "ev\u200bil",  # nobody sees the space
        "\u202emoc",  # the direction turns
        "\ud800",
        "x" * 41,
        "",
        "   ",
    ],
)
def test_a_field_holds_no_link_and_nothing_that_nobody_sees(text: str) -> None:
    assert refusal(TEMPLATES, booked(when=text)).startswith("when: expected")


@pytest.mark.parametrize(
    "text",
    ["Friday at 19:30", "24.12. at 7.30 pm", "Zoë & Søn (2)", "Uhr: 19.30", "u.s.a.", "3/4 €5,50"],
)
def test_a_field_holds_what_people_write(text: str) -> None:
    assert refusal(TEMPLATES, booked(when=text)) == ""


@pytest.mark.parametrize("code", ["x/../y", "a.b", "a b", "ä", "123456789", "?q=1"])
def test_a_field_in_a_link_holds_letters_and_digits_alone(code: str) -> None:
    assert refusal(TEMPLATES, booked(code=code)).startswith("code: expected letters, digits")


def test_two_fields_make_no_link_together() -> None:
    pair = Template("pair", "{a}.{b}", fields=(SmsField("a"), SmsField("b")))
    arguments = json.dumps({"template": "pair", "fields": {"a": "evil", "b": "com"}})
    assert refusal([pair], arguments) == "a: expected no part of a link"
    assert linked(BOOKED, GOOD) == ""


def test_what_a_field_holds_is_not_read_as_a_field() -> None:
    asked = {"template": "booked", "fields": GOOD | {"when": "{name}"}}
    assert written(TEMPLATES, asked)[1].startswith("Your table is booked for {name}, Ms. Lee.")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("integer", "-42", "4.2"),
        ("integer", "7", "\u0667"),  # a digit of another script
        ("date", "2026-11-30", "2026-02-30"),
        ("date", "2028-02-29", "20280229"),
        ("time", "23:59", "24:00"),
    ],
)
def test_a_field_is_of_its_kind(kind: str, good: str, bad: str) -> None:
    field = SmsField("x", kind)  # type: ignore[arg-type]  # given by the table above
    one = [Template("one", "It is {x}.", fields=(field,))]
    told = [json.dumps({"template": "one", "fields": {"x": each}}) for each in (good, bad)]
    assert [bool(refusal(one, each)) for each in told] == [False, True]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),  # 76 of them in the first segment: none is cut in two
        ("€" * 153, 3),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 in each, as a pair is not cut either
    ],
)
def test_the_segments_of_a_message_are_counted_as_networks_do(text: str, count: int) -> None:
    assert segments(text) == count


def test_a_message_of_too_many_segments_is_refused() -> None:
    one = [Template("one", "It is {x}.", fields=(SmsField("x", max_chars=300),), max_segments=1)]
    arguments = json.dumps({"template": "one", "fields": {"x": "ж" * 70}})
    assert refusal(one, arguments) == "fields: expected shorter ones, for at most 1 segments, got 2"


# Whatever a model sends.

_BITS = (
    *("Friday", "at", "19:30", "Ms. Lee", " ", " ", ".", "://", "https", "www.", "evil.com", "\n"),
    *("\u202e", "\u3002", "ж", "😀", "{name}", "{when}", "@", "+19005550100", "[", "]", '"', "\\"),
    *("x" * 39, "x" * 5_000, "\x00", "/", "t.co/x", "\uff0e", "com"),
)


def hostile(random: Random) -> str:
    """Arguments as a model may send them that is talked into something."""

    def text() -> object:
        if random.random() < 0.1:
            return random.choice([7, None, True, [], {"x": "y"}, ["https://evil.com"]])
        return "".join(random.choices(_BITS, k=random.randint(0, 6)))

    asked: dict[str, object] = {"template": random.choice(["booked"] * 8 + ["hours", "free", ""])}
    fields: dict[str, object] = dict(GOOD)
    for name in random.sample(["when", "name", "code"], k=random.randint(0, 3)):
        fields[name] = text()
    for _ in range(random.choice([0, 0, 0, 1])):
        fields[random.choice(["to", "text", "body", "url"])] = text()
    for _ in range(random.choice([0, 0, 0, 1])):
        fields.pop(random.choice(list(fields)))
    if random.random() < 0.95:
        asked["fields"] = fields
    for _ in range(random.choice([0, 0, 0, 0, 1])):
        asked[random.choice(["to", "text", "from", "Body"])] = text()
    return json.dumps(asked, sort_keys=True, separators=(",", ":"))


def escapes(arguments: str) -> list[str]:
    """What of a message that is sent is not the owner's; by other means than those of `sms`."""
    asked = json.loads(arguments)
    if asked.get("template") == "hours":
        return [] if asked.keys() == {"template"} or not asked["fields"] else ["fields of hours"]
    found = [key for key in asked if key not in {"template", "fields"}]
    found += [name for name in asked["fields"] if name not in GOOD]
    for name, value in asked["fields"].items():
        plain = unicodedata.normalize("NFKC", value).lower().replace("\u3002", ".")
        names = plain.replace("ms. lee", "").split(".")
        if any(a[-1:].strip() and b[:2].isalpha() for a, b in pairwise(names)):
            found.append(f"{name}: {value}")
        bad = ("://", "www.", "\n", "\u202e", "\x00")
        if any(each in plain for each in bad) or "@" in plain.strip(" @"):
            found.append(f"{name}: {value}")
        if len(value) > 40:
            found.append(f"{name} is {len(value)} long")
    return found


def test_of_1000_hostile_calls_none_sends_anything_but_the_owners_words() -> None:
    random, sent, refused, most = Random(11), 0, 0, 0
    for _ in range(CALLS // 10):
        talk = Talk(None, (), 1, persona=PERSONA)
        talk.greets()
        in_call = 0
        for _ in range(10):
            talk.now_ms += 1_000
            ran = run(asks(talk, hostile(random)))
            refused += not ran
            in_call += len(ran)
            assert [found for each in ran for found in escapes(each.arguments)] == []
            for each in ran:
                talk.happens(ToolFinished(each.call, "ok"))
        sent, most = sent + in_call, max(most, in_call)
    assert most <= MOST
    assert sent > 20  # the test would also pass if nothing were ever sent
    sys.stdout.write(f"{CALLS} hostile calls: {refused} refused, {sent} sent, 0 escapes\n")


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        ("https://{code}/", True),
        ("https://{code}.example.com/x", True),
        ("https://example.{code}/x", True),
        ("See https://example.com:{n}/", True),
        ("https://{code}@example.com/", True),
        ("www.{code}/a", True),
        ("{code}.example.com", True),
        ("{code}@example.com", True),
        ("tel:{n}", True),
        ("{code}.{other}", True),
        ("https://example.com{code}", True),
        ("https://example.com/{code}", False),
        ("https://example.com/a?b={code}&n={n}#{other}", False),
        ("example.com/{code}", False),
        ("Your code is {code}. It holds until {n}.", False),
        ("{n}.{n}.", False),
    ],
)
def test_no_field_says_where_a_link_leads(text: str, leads: bool) -> None:
    fields = SmsField("code", "code"), SmsField("n", "integer"), SmsField("other", "code")
    assert bool(leading(Template("x", text, fields=fields))) == leads


def test_an_owner_may_list_the_hosts_of_a_link() -> None:
    shops = SmsField("shop", enum=("north.example.com", "south.example.com"))
    assert leading(Template("x", "https://{shop}/", fields=(shops,))) == ""


TIME = SmsField("t", "time")


def test_what_stands_in_a_link_is_escaped_and_what_does_not_is_not() -> None:
    shop = SmsField("shop", enum=("New York & Co/1?#",))
    template = Template("x", "{shop}: https://example.com/{shop}?t={t}", "", (shop, TIME))
    _, text = written([template], {"template": "x", "fields": {"shop": shop.enum[0], "t": "19:30"}})
    assert text == (
        "New York & Co/1?#: https://example.com/New%20York%20%26%20Co%2F1%3F%23?t=19:30"
    )
