import pytest

from agent.gemini.settings import GOOGLE_BASE_URL, GeminiSettings


def test_the_key_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(GeminiSettings(api_key="s3cret"))


def test_google_is_the_default() -> None:
    assert GeminiSettings(api_key="k").origin == GOOGLE_BASE_URL
    assert GeminiSettings(api_key="k", base_url="").origin == GOOGLE_BASE_URL


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("url", ["https://10.0.0.1:8772", "wss://proxy.example/gemini"])
def test_a_slash_at_the_end_of_the_base_url_makes_no_difference(url: str, slash: str) -> None:
    assert GeminiSettings(api_key="k", base_url=url + slash).origin == url


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8772",
        "ws://127.0.0.1",
        "127.0.0.1:8772",
        "https://",
        "https://[::1",
        "https://example.com:port",
    ],
)
def test_a_base_url_without_tls_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(ValueError, match=r"base_url: expected .* got .*; hint: .*TLS"):
        GeminiSettings(api_key="k", base_url=url)


@pytest.mark.parametrize("key", ["", "two words", "line\n", "schlüssel-42"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="api_key: expected") as raised:
        GeminiSettings(api_key=key)
    assert not key or key.strip() not in str(raised.value)


@pytest.mark.parametrize("name", ["connect_timeout_ms", "close_timeout_ms", "max_message_bytes"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected more than 0, got 0"):
        GeminiSettings(**{"api_key": "k", name: 0})  # type: ignore[arg-type] # one name of three
