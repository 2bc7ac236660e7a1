"""Change a JSON or YAML document in its structure, where changed bytes would only break its syntax."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import yaml

__all__ = ["changed"]

_LEAVES: tuple[Any, ...] = (
    "", "0", "1", "-1", "0.5", "1e999999999", "9" * 40,
    "１２３", "NaN", "=1+1", "\u202e", "\x1b[2J", "\ud800",
    "2025-02-30", "9999-12-31", "0001-01-01", "P1Y", "min(1, 2)", "reduction / reduction",
    "distance * distance", "M1", "1/0", "km", "gCO2e", "half_even", "label", "linear", "a/b~c",
    0, 1, -1, 2**53, True, None, [], {},
)  # fmt: skip


def changed(data: bytes, size: int, *, seed: int) -> bytes | None:
    """Return the document with one to three changes of its tree, or None if it has none."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        try:
            tree = yaml.load(data.decode("utf-8", "replace"), yaml.BaseLoader)  # noqa: S506 - texts only
        except (yaml.YAMLError, ValueError, RecursionError):
            return None
    if not isinstance(tree, dict | list) or not tree:
        return None
    chance = Random(seed)
    for _ in range(chance.randrange(1, 4)):
        _change(tree, chance)
    try:
        if chance.random() < 0.7:  # as a mapping's canonical bytes are
            made = json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        else:
            made = json.dumps(tree, ensure_ascii=chance.random() < 0.5)
        written = made.encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError, TypeError):  # the last: keys that cannot be compared
        return None
    return written if len(written) <= size else None


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    members: list[tuple[Any, Any]] = []
    if isinstance(tree, dict):
        members = list(tree.items())
    elif isinstance(tree, list):
        members = list(enumerate(tree))
    for key, inner in members:
        yield tree, key
        yield from _places(inner)


def _change(tree: Any, chance: Random) -> None:
    places = list(_places(tree))
    if not places:
        return
    container, key = chance.choice(places)
    donor, other = chance.choice(places)
    match chance.randrange(7):
        case 0:
            del container[key]
        case 1 if isinstance(container, dict):
            container[str(other)] = container.pop(key)
        case 2:
            container[key] = copy.deepcopy(donor[other])
        case 3 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 4 if isinstance(container[key], str) and container[key]:
            text = container[key]
            at = chance.randrange(len(text))
            container[key] = text[:at] + chance.choice("0123456789abz-+*/() .,:{}汉") + text[at + 1 :]
        case 5:
            container[key] = str(other)
        case _:
            container[key] = copy.deepcopy(chance.choice(_LEAVES))
