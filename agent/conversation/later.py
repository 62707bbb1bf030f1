"""Marks fields that came to a recorded class later, by a persona's key or a checkpoint's version.

At its default such a field is left out of recordings, so that older recordings stay as they are.
"""

from typing import Any

LATER: dict[str, Any] = {"later": True}
"""The metadata of such a field, for `dataclasses.field`."""
