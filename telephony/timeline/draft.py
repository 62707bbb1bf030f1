"""Spans and figures while they are collected: they name raw events by `Ref`, not yet by number."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from telephony.timeline.model import Figure, Kind, Span, Unit
from telephony.timeline.trail import Ref


@dataclass(slots=True)
class _Draft:
    kind: Kind
    from_ms: int
    until_ms: int
    refs: tuple[Ref, ...]
    text: str
    turn: int
    level: float


@dataclass(slots=True)
class Drafts:
    """What will be drawn. Whatever has no raw event is left out."""

    _spans: list[_Draft] = field(default_factory=list)
    _figures: list[tuple[_Draft, float, Unit, str]] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        from_ms: float,
        until_ms: float,
        refs: Iterable[Ref | None],
        *,
        text: str = "",
        turn: int = 0,
        level: float = 0.0,
    ) -> None:
        """Draw something.

        Args:
            kind: What it is.
            from_ms: When it began.
            until_ms: When it ended.
            refs: What it comes from; None is left out.
            text: What there is to say of it.
            turn: The number of its turn, or 0.
            level: As in `Span`.
        """
        self._draft(kind, from_ms, until_ms, refs, text, turn, level)

    def figure(
        self,
        kind: Kind,
        from_ms: float,
        until_ms: float,
        refs: Iterable[Ref | None],
        *,
        label: str,
        usd: float | None = None,
    ) -> None:
        """Draw something that is a figure too: how long it took, or what it cost."""
        draft = self._draft(kind, from_ms, until_ms, refs, label, 0, usd or 0.0)
        if draft is not None:
            if usd is not None:
                self._figures.append((draft, usd, "usd", label))
            else:
                self._figures.append((draft, draft.until_ms - draft.from_ms, "ms", label))

    def _draft(
        self,
        kind: Kind,
        from_ms: float,
        until_ms: float,
        refs: Iterable[Ref | None],
        text: str,
        turn: int,
        level: float,
    ) -> _Draft | None:
        known = tuple(dict.fromkeys(ref for ref in refs if ref is not None))
        if not known:
            return None
        begins, ends = round(from_ms), round(until_ms)
        draft = _Draft(kind, begins, max(begins, ends), known, text, turn, level)
        self._spans.append(draft)
        return draft

    @property
    def refs(self) -> set[Ref]:
        """All raw events that something comes from."""
        return {ref for draft in self._spans for ref in draft.refs}

    def done(self, numbers: dict[Ref, int]) -> tuple[tuple[Span, ...], tuple[Figure, ...]]:
        """All spans, in order of time, and all figures.

        Args:
            numbers: The number of each raw event that is named.
        """
        self._spans.sort(key=lambda each: (each.from_ms, each.until_ms))
        spans = tuple(
            Span(
                each.kind,
                each.from_ms,
                each.until_ms,
                tuple(sorted(numbers[ref] for ref in each.refs)),
                each.text,
                each.turn,
                each.level,
            )
            for each in self._spans
        )
        places = {id(each): n for n, each in enumerate(self._spans)}
        figures = [
            Figure(draft.kind, value, unit, label, places[id(draft)])
            for draft, value, unit, label in self._figures
        ]
        return spans, tuple(sorted(figures, key=lambda each: each.span))
