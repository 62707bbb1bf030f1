import pytest
from google.genai.types import ThinkingLevel

from agent.gemini.quirks import BY_MODEL, DEFAULT, quirks_of
from agent.gemini.settings import GeminiSettings


def test_the_default_model_has_a_row_and_no_thinking_configuration() -> None:
    model = GeminiSettings(api_key="k").model
    assert BY_MODEL[model].thinking_level is None


def test_extended_thinking_thinks_as_little_as_it_may() -> None:
    assert quirks_of("gemini-3.8-live-extended-thinking").thinking_level is ThinkingLevel.LOW


@pytest.mark.parametrize("model", BY_MODEL)
def test_the_row_of_a_model_is_found_with_and_without_its_prefix(model: str) -> None:
    assert quirks_of(model) == quirks_of(f"models/{model}") == BY_MODEL[model]


def test_an_unknown_model_has_the_default_row() -> None:
    assert quirks_of("gemini-9-live") is DEFAULT
