"""The earliest of several deadlines."""


def earliest(*times_ms: int | None) -> int | None:
    """The first of these times; None where there is none. Asked after every event of a call."""
    known = [time for time in times_ms if time is not None]
    return min(known) if known else None
