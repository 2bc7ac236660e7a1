"""The raw differences of two documents: nothing is understood here, and nothing is missed."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from gateway.convert.document import Value, child

__all__ = ["ORDER", "Difference", "differences", "value_text"]

ORDER: Final = "(order)"
"""Stands in a path for the order of a list whose items have names."""

_NAMES: Final = ("ref", "name", "code", "from", "at")


class Difference(NamedTuple):
    """A place where two documents differ; None stands for what is not there.

    ``path`` has the names on the way; the items of a list go by what names them, such as a code or a day.
    ``pointers`` lead to the place in the old and in the new document; one is empty where nothing is there.
    """

    path: tuple[str, ...]
    pointers: tuple[str, str]
    old: Value | None
    new: Value | None


class _Place(NamedTuple):
    path: tuple[str, ...]
    old: str
    new: str

    def down(self, name: str, *, old: str | int, new: str | int) -> "_Place":
        return _Place((*self.path, name), child(self.old, old), child(self.new, new))


def differences(old: Value, new: Value) -> Iterator[Difference]:
    """Yield every difference; at least one unless the documents are equal."""
    yield from _compared(old, new, place=_Place((), "", ""))


def _compared(old: Value, new: Value, *, place: _Place) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _member(old.get(key), new.get(key), place=place.down(key, old=key, new=key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, place=place)
    else:
        yield Difference(place.path, (place.old, place.new), old, new)


def _member(old: Value | None, new: Value | None, *, place: _Place) -> Iterator[Difference]:
    if old is None or new is None:
        pointers = (place.old if old is not None else "", place.new if new is not None else "")
        yield Difference(place.path, pointers, old, new)
    else:
        yield from _compared(old, new, place=place)


def _lists(old: list[Value], new: list[Value], *, place: _Place) -> Iterator[Difference]:
    """Compare items that have the same name, or that stand at the same place where they have none."""
    name = next((name for name in _NAMES if _names_all(name, old) and _names_all(name, new)), None)
    ours = {_key(item, name, place=number): number for number, item in enumerate(old)}
    theirs = {_key(item, name, place=number): number for number, item in enumerate(new)}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        at, to = ours.get(key), theirs.get(key)
        yield from _member(
            None if at is None else old[at],
            None if to is None else new[to],
            place=place.down(key, old=at or 0, new=to or 0),
        )
    before, after = ([key for key in keys if key in ours and key in theirs] for keys in (ours, theirs))
    if before != after:
        yield Difference((*place.path, ORDER), (place.old, place.new), list(before), list(after))


def _names_all(name: str, items: list[Value]) -> bool:
    """Tell whether each item has a name of that kind, no two the same."""
    names = [item.get(name) if isinstance(item, dict) else None for item in items]
    return all(isinstance(one, str) for one in names) and len(set(map(str, names))) == len(items)


def _key(item: Value, name: str | None, *, place: int) -> str:
    return str(item[name]) if name is not None and isinstance(item, dict) else str(place)


def value_text(value: Value | None) -> str:
    """Write a value in one line for a reader."""
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return ", ".join(map(value_text, value))
        case dict():
            return ", ".join(f"{key} {value_text(item)}" for key, item in value.items())
