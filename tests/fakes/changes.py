"""Change a document in one place after another, so that a verifier can be shown each of them."""

import copy
from collections.abc import Iterator
from typing import Any

__all__ = ["changes_of", "leaves", "put", "some_of"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield each leaf of a document with its path; a list counts as a leaf too, since it can be shortened."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        yield path, value
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def changes_of(value: Any) -> Iterator[Any]:
    """Change a leaf: each letter of a text, a number by one, a list by its last item."""
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
            yield value - 1
        case str():
            for place in range(len(value)):
                yield value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
            yield value + "0"
        case [*items] if items:
            yield items[:-1]
            yield [*items, items[-1]]


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


def some_of(found: list[Any], count: int) -> list[Any]:
    """Return ``count`` of them, evenly spread, or all of them for 0."""
    return found if not count else found[:: max(1, len(found) // count)]
