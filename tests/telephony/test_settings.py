"""The environment, and what the settings page says of it."""

import re
from pathlib import Path

import pytest

from telephony.errors import SettingsError
from telephony.settings import NumberSettings, Settings, load, read, unknown

SETTINGS = Path(__file__).parents[2] / "docs/settings.md"

GOOD = {
    "GEMINI_API_KEY": "a-key",
    "TWILIO_AUTH_TOKEN": "new,old",
    "PUBLIC_URL": "https://voice.example.com/",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    for name, value in (GOOD | environment).items():
        monkeypatch.setenv(name, value)


def test_the_settings_page_says_what_the_settings_say() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| (.*?) \|$", SETTINGS.read_text(), re.MULTILINE)
    assert rows == [
        (
            name.upper(),
            "required" if field.is_required() else str(field.default or ""),
            field.description,
        )
        for name, field in Settings.model_fields.items()
    ]


def test_three_settings_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch)
    settings = load()
    assert settings.auth_tokens == ("new", "old")
    assert settings.public_url == "https://voice.example.com"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.gemini_model == "gemini-3.8-live"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, REDIS_URL="", PORT="", TWILIO_ACCOUNT_SID="")
    assert load().redis_url is None
    assert load().port == 8000


def test_the_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, HOST="0.0.0.1", PORT="1")
    assert (load(host="127.0.0.2").host, load(port=2).port) == ("127.0.0.2", 2)
    assert load(host=None, port=None).port == 1


def test_every_problem_is_named_at_once_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "http://voice.example.com")
    monkeypatch.setenv("REDIS_URL", "localhost")
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(SettingsError) as caught:
        load()
    message = str(caught.value)
    for name in ("GEMINI_API_KEY", "TWILIO_AUTH_TOKEN", "PUBLIC_URL", "REDIS_URL", "PORT"):
        assert f"  {name}: " in message
    assert "GEMINI_API_KEY: missing" in message
    assert "got 'http://voice.example.com'" in message
    assert message.count("hint:") == 4  # for all but PORT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://host/?a=b"),
        ("PUBLIC_URL", "https://me:secret@host"),
        ("PUBLIC_URL", "https://my host"),
        ("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:1"),
        ("TWILIO_AUTH_TOKEN", " , "),
        ("TWILIO_ACCOUNT_SID", "12345"),
        ("SSL_CERT_FILE", "no/such/file.pem"),
        ("TRANSCRIPT_TTL_S", "0"),
        ("DRAIN_BUDGET_S", "-1"),
        ("TRANSFER_TO", "5551234567"),
        ("TRANSFER_TO", "sip:desk"),
        ("PORT", "70000"),
        ("GEMINI_API_KEY", "two words"),
        ("HOT_PATH", "slow"),
    ],
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    given(monkeypatch, **{name: value})
    with pytest.raises(SettingsError, match=f"{name}: "):
        load()


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/media/", "/healthz"])
def test_an_address_with_a_path_of_ours_is_refused_with_the_address_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    given(monkeypatch, PUBLIC_URL=f"https://voice.example.com/prefix{path}")
    with pytest.raises(SettingsError) as caught:
        load()
    assert f"leave out '{path.rstrip('/')}'" in str(caught.value)
    assert "itself: https://voice.example.com/prefix\n" in str(caught.value)


def test_an_address_may_have_a_path_in_front_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, PUBLIC_URL="https://voice.example.com/twilio")
    assert load().public_url == "https://voice.example.com/twilio"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GEMINI_KEY", "GEMINI_API_KEY"),
        ("TWILIO_TOKEN", "TWILIO_AUTH_TOKEN"),
        ("REDIS_URI", "REDIS_URL"),
        ("RECORD_DIRECTORY", "RECORD_DIR"),
        ("METRICS_PORTS", "METRICS_PORT"),
        ("KEEP_WARM_WITH_A_PING", None),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_one_that_is_meant(
    name: str, meant: str | None
) -> None:
    told = unknown({name: "planted", "PATH": "/bin"})
    assert len(told) == 1
    assert told[0].startswith(f"{name} is set")
    assert told[0].endswith(
        f"did you mean {meant}?" if meant else "docs/settings.md lists all settings"
    )
    assert "planted" not in told[0]


def test_settings_and_names_of_other_programs_are_not_told() -> None:
    ours = [name.upper() for name in Settings.model_fields]
    others = ["SSL_CERT_DIR", "GOOGLE_APPLICATION_CREDENTIALS", "REDIS_SERVICE_HOST", "REDIS_PORT"]
    assert unknown(dict.fromkeys([*ours, *others, "REDIS_PORT_6379_TCP"], "")) == []


def test_no_message_holds_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, GEMINI_API_KEY="planted secret", PUBLIC_URL="https://me:planted@host")
    with pytest.raises(SettingsError) as caught:
        load()
    assert "planted" not in str(caught.value)
    given(monkeypatch, GEMINI_API_KEY="planted", TWILIO_AUTH_TOKEN="planted")
    assert "planted" not in repr(load())


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://api.example.com/"])
def test_twilios_api_may_be_a_local_one(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    given(monkeypatch, TWILIO_API_URL=url)
    assert load().twilio_api_url == url.rstrip("/")


def test_what_a_number_needs_is_asked_for_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "many")
    with pytest.raises(SettingsError) as caught:
        read(NumberSettings)
    lines = str(caught.value).splitlines()
    asked = [line.split(":")[0].strip() for line in lines if line.endswith(": missing")]
    assert asked == ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "PUBLIC_URL"]
    assert str(caught.value).count("hint:") == len(asked)
    assert "PORT" not in str(caught.value)
    given(monkeypatch, TWILIO_ACCOUNT_SID="AC1")
    assert read(NumberSettings).auth_tokens == ("new", "old")


@pytest.mark.parametrize("alone", ["TWILIO_REGION", "TWILIO_EDGE"])
def test_a_region_without_its_edge_or_the_other_way_round_is_refused(
    monkeypatch: pytest.MonkeyPatch, alone: str
) -> None:
    given(monkeypatch, **{alone: "dublin"})
    with pytest.raises(SettingsError, match=f"TWILIO_EDGE: .* got {alone} alone\n +hint: set both"):
        load()
    given(monkeypatch, TWILIO_REGION="ie1", TWILIO_EDGE="dublin")
    assert (load().twilio_region, load().twilio_edge) == ("ie1", "dublin")


def test_a_region_that_is_none_is_named_and_its_edge_is_not_blamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, TWILIO_REGION="ie1.evil.example", TWILIO_EDGE="dublin")
    with pytest.raises(SettingsError, match="TWILIO_REGION: ") as caught:
        load()
    assert "TWILIO_EDGE" not in str(caught.value)


@pytest.mark.parametrize("to", ["+15551234567", "sip:desk@example.com;user=phone"])
def test_a_call_may_be_transferred_to_a_number_or_an_address(
    monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    given(monkeypatch, TRANSFER_TO=to)
    assert load().transfer_to == to


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/calls?key=1",
        "http://127.0.0.1:9000/calls",
        "http://[::1]:9000/",
        "http://localhost/calls",
    ],
)
def test_a_webhook_may_be_plain_http_on_this_machine_alone(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    given(monkeypatch, WEBHOOK_URL=url, WEBHOOK_SECRET="s")
    assert load().webhook_url == url


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"WEBHOOK_URL": "https://example.com"}, "WEBHOOK_SECRET: missing, and WEBHOOK_URL is set"),
        ({"WEBHOOK_URL": "http://example.com"}, "WEBHOOK_URL: expected an address that begins"),
        ({"WEBHOOK_URL": "http://127.0.0.1.example.com"}, "WEBHOOK_URL: expected an address that"),
        ({"WEBHOOK_URL": "https://me:hunter2@example.com"}, "WEBHOOK_URL: expected an address"),
        ({"WEBHOOK_URL": "example.com/calls"}, "WEBHOOK_URL: expected an address such as"),
        ({"WEBHOOK_URL": "https://example.com:port"}, "WEBHOOK_URL: expected an address such as"),
        ({"WEBHOOK_SECRET": "whsec_hunter2!"}, "WEBHOOK_SECRET: expected base64 after whsec_"),
    ],
)
def test_a_webhook_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
) -> None:
    given(monkeypatch, **{"WEBHOOK_SECRET": "s"} | environment)
    if message.startswith("WEBHOOK_SECRET: missing"):
        monkeypatch.delenv("WEBHOOK_SECRET")
    with pytest.raises(SettingsError) as error:
        load()
    assert message in str(error.value)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("key", ["hunter2", "aHVudGVyMg==", "not base64!"])
def test_a_recording_key_of_another_form_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    given(monkeypatch, RECORDING_KEY=key)
    with pytest.raises(SettingsError) as error:
        load()
    assert "RECORDING_KEY: expected base64 of 32 bytes, got" in str(error.value)
    assert "hint: what `openssl rand -base64 32` prints" in str(error.value)
    assert key not in str(error.value)


def test_the_headers_for_the_collector_are_read_and_a_wrong_one_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given(monkeypatch, OTEL_EXPORTER_OTLP_HEADERS="X-Key=a%20b, other=c=d")
    assert load().trace_headers == {"x-key": "a b", "other": "c=d"}
    for wrong in ("x-secret", "x key=secret", "x=secret%0Ay"):
        given(monkeypatch, OTEL_EXPORTER_OTLP_HEADERS=wrong)
        with pytest.raises(SettingsError, match="OTEL_EXPORTER_OTLP_HEADERS") as refused:
            load()
        assert "secret" not in str(refused.value)
