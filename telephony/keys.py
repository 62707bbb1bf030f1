"""Secrets that have a form of their own: what they must look like, and their bytes."""

from base64 import b64decode

WHSEC = "whsec_"
"""How a webhook's secret begins that is written as Standard Webhooks has it."""

KEY_BYTES = 32


def recording_keys(text: str) -> tuple[bytes, ...]:
    """The keys of RECORDING_KEY, of 32 bytes each: the first seals, each of them opens.

    Args:
        text: They in base64, such as `openssl rand -base64 32` prints, with commas between them.

    Raises:
        ValueError: The text has another form. The message does not show it.
    """
    return tuple(map(_recording_key, text.split(",")))


def _recording_key(text: str) -> bytes:
    try:
        key = b64decode(text.strip(), validate=True)
    except ValueError:
        raise ValueError(
            f"expected base64 of {KEY_BYTES} bytes, got other text (not shown)"
        ) from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"expected base64 of {KEY_BYTES} bytes, got {len(key)} bytes (not shown)")
    return key


def check_webhook_secret(text: str) -> None:
    """Check the form of WEBHOOK_SECRET.

    Raises:
        ValueError: It begins as Standard Webhooks has it, and does not go on so.
    """
    if not text.startswith(WHSEC):
        return
    try:
        b64decode(text.removeprefix(WHSEC), validate=True)
    except ValueError:
        raise ValueError(f"expected base64 after {WHSEC}, or any other text (not shown)") from None
