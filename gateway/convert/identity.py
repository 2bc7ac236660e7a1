"""Events that no column names: made of roles, so that one act has one name however a file writes it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final

from gateway.convert.outcome import Refusal
from gateway.convert.program import Field

__all__ = ["events_of_roles"]

_WRITTEN: Final[dict[str, Callable[[int], str]]] = {
    "day": lambda day: date.fromordinal(day).isoformat(),
    "start": lambda second: datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "end": lambda second: datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
}


def events_of_roles(
    field: Field, columns: Mapping[str, Sequence[str | int | None]], *, refusals: dict[int, Refusal]
) -> list[tuple[str, ...]]:
    """Name each event by the roles it is made of: days and times in one form, all else as it is written.

    Refuses an act that lacks one of them, unless it is refused for something before.
    """
    parts = [[_text(role, value) for value in columns[role]] for role in field.of]
    for role, texts in zip(field.of, parts, strict=True):
        refusal = Refusal(field.missing, field.name, f"expected a value of {role}, there is none")
        for index, text in enumerate(texts):
            if text is None:
                refusals.setdefault(index, refusal)
    return list(zip(*[["" if text is None else text for text in texts] for texts in parts], strict=True))


def _text(role: str, value: str | int | None) -> str | None:
    return _WRITTEN[role](value) if isinstance(value, int) else value
