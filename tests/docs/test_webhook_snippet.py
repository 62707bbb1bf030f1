"""The example of docs/personas.md that checks a webhook's signature, with what offhook sends."""

from collections.abc import Callable, Mapping

import pytest

from telephony.server.delivery import key_of, signature
from tests.docs.documents import ROOT, blocks

SECRETS = ("whsec_YSBzZWNyZXQgb2YgdGhlIHJlY2VpdmVy", "any text")
NOW_S = 1_800_000_000
BODY = '{"type":"call.ended","persona":"Zoë"}'.encode()


def documented() -> Callable[[str, Mapping[str, str], bytes, float], bool]:
    """The function as the page has it."""
    page = (ROOT / "docs/personas.md").read_text(encoding="utf-8")
    (block,) = [block for block in blocks(page) if "webhook-signature" in block]
    names: dict[str, Callable[[str, Mapping[str, str], bytes, float], bool]] = {}
    exec(block, names)  # noqa: S102 - our own document
    return names["is_ours"]


def headers(secret: str, sent_s: int) -> dict[str, str]:
    """What a post is sent with."""
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(sent_s),
        "webhook-signature": signature(key_of(secret), "msg_1", sent_s, BODY),
    }


@pytest.mark.parametrize("secret", SECRETS)
def test_the_documented_check_takes_what_offhook_signs(secret: str) -> None:
    assert documented()(secret, headers(secret, NOW_S), BODY, NOW_S)


@pytest.mark.parametrize("secret", SECRETS)
def test_the_documented_check_refuses_everything_else(secret: str) -> None:
    is_ours, right = documented(), headers(secret, NOW_S)
    assert not is_ours(secret, right, BODY + b" ", NOW_S)
    assert not is_ours("another", right, BODY, NOW_S)
    assert not is_ours(secret, right | {"webhook-id": "msg_2"}, BODY, NOW_S)
    assert not is_ours(secret, headers(secret, NOW_S - 3600), BODY, NOW_S)
