"""The taxonomy of low-carbon acts (低碳行为类别): what platforms' own kinds of act are named by.

Its codes are this project's own; they follow the seven classes of T/ACEF 031-2022.
"""

import csv
from collections.abc import Mapping
from io import StringIO
from typing import Final, NamedTuple

from gateway.errors import InvariantBroken

__all__ = ["BEHAVIOUR_CLASSES", "Behaviour", "contains", "read_behaviours"]

BEHAVIOUR_CLASSES: Final = {
    "clothing": "衣",
    "food": "食",
    "living": "住",
    "travel": "行",
    "use": "用",
    "office": "办公",
    "digital-finance": "数字金融",
    "engagement": "公益互动",
    "account": "账户",
}
"""The classes with their names in Chinese; the last two are not of the standard."""

_KINDS: Final = frozenset({"act", "group", "aggregate", "project"})
_BEARING: Final = frozenset({"yes", "no", "case"})


class Behaviour(NamedTuple):
    """One kind of act.

    ``kind`` is ``act``, ``group`` (several kinds of act), ``aggregate`` (what a person's acts come to) or
    ``project`` (a certified reduction that is no person's act). ``parent`` is the wider kind that it is part
    of, or empty. ``bears_reduction`` is ``yes``, ``no`` or ``case`` (it depends on the platform's rules).
    """

    code: str
    zh: str
    en: str
    of_class: str
    kind: str
    parent: str
    units: tuple[str, ...]
    bears_reduction: str


def read_behaviours(text: str) -> dict[str, Behaviour]:
    """Read the taxonomy by code, in its own order.

    Raises:
        InvariantBroken: the shipped table contradicts itself.
    """
    rows = csv.DictReader(StringIO(text))
    found = {
        row["code"]: Behaviour(
            row["code"],
            row["zh"],
            row["en"],
            row["class"],
            row["kind"],
            row["parent"],
            tuple(row["units"].split(";")),
            row["bears_reduction"],
        )
        for row in rows
    }
    for one in found.values():
        known = one.of_class in BEHAVIOUR_CLASSES and one.kind in _KINDS and one.bears_reduction in _BEARING
        if not known or (one.parent and one.parent not in found):
            raise InvariantBroken(f"the taxonomy of behaviours has a wrong row: {one}")
    return found


def contains(behaviours: Mapping[str, Behaviour], wider: str, *, code: str) -> bool:
    """Tell whether a kind of act is another one, or part of it: a metro ride is public transport."""
    seen = {code}
    while code != wider:
        parent = behaviours[code].parent if code in behaviours else ""
        if not parent or parent in seen:
            return False
        seen.add(parent)
        code = parent
    return True
