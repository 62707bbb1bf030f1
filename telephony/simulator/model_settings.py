"""The settings with which a server of this process reaches a simulated model."""

from pathlib import Path

from agent.simulator.server import SimulatedGemini


def model_settings(gemini: SimulatedGemini | None) -> dict[str, str | Path]:
    """What `telephony.settings.load` is given for a model; nothing for the real one."""
    if gemini is None:
        return {}
    return {
        "gemini_api_key": "simulated",
        "google_gemini_base_url": gemini.base_url,
        "ssl_cert_file": gemini.ca_file,
    }
