"""What the log says of a call."""

import pytest
from structlog.testing import capture_logs

from agent.conversation.events import SessionRefused
from telephony.server.measuring import Measuring
from telephony.server.narrator import Narrator


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (SessionRefused(1, 403, "API key not valid"), "model refused"),
        (SessionRefused(1, 1011, "unavailable"), "model refused"),
        (SessionRefused(1, 0, "gaierror: no such name", unreachable=True), "model unreachable"),
        (SessionRefused(1, 0, "ConnectionRefusedError: connect call failed"), "model unreachable"),
        (SessionRefused(1, 0, "timed out"), "model unreachable"),
    ],
)
def test_a_model_that_said_nothing_is_unreachable_and_has_not_refused(
    refused: SessionRefused, said: str
) -> None:
    with capture_logs() as log:
        Narrator(Measuring())("CA1", refused, 900, [])
    assert [(line["event"], line["code"]) for line in log] == [(said, refused.code)]
