"""A process that is forked is like one that was started, to whoever asked for it."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.end_to_end.serving import Start, offhook, offhook_anew, run, run_anew
from tests.end_to_end.watching import PATIENCE_S

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--version"], {}),
        (["chaos", "--to", "nowhere"], {}),
        (["serve"], {"GEMINI_API_KEY": "any", "PUBLIC_URL": "https://voice.example.com"}),
        (["fixture", "lint", "pyproject.toml"], {"PYTHONUNBUFFERED": "1"}),
    ],
)
async def test_it_prints_and_exits_as_one_that_was_started(
    arguments: list[str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "of whoever tests")
    forked = await run(*arguments, **environment)
    assert forked == await run_anew(*arguments, **environment)


@pytest.mark.parametrize("start", [offhook, offhook_anew])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_it_ends_by_the_signal_that_it_is_sent(
    tmp_path: Path, start: Start, number: signal.Signals
) -> None:
    gemini = ("simulate", "gemini", "--port", "0", "--cert-dir", str(tmp_path))
    process = await start(*gemini, environment={"PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert (await process.stdout.readline()).startswith(b"export")
            process.send_signal(number)
            assert await process.wait() == process.returncode == -number
        with pytest.raises(ProcessLookupError):
            process.send_signal(number)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_end_of_one_is_not_taken_for_that_of_another(tmp_path: Path) -> None:
    gemini = ("simulate", "gemini", "--port", "0", "--cert-dir", str(tmp_path))
    first, second = [await offhook(*gemini, environment={}) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_S):
        second.kill()
        await second.communicate()
        assert (first.returncode, second.returncode) == (None, -signal.SIGKILL)
        first.terminate()
        await first.communicate()
        assert first.returncode == -signal.SIGTERM
