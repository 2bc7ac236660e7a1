"""From raw differences to changes of meaning: each difference is accounted for by one change at least.

Whatever this module does not know is taken to change acts: it may say too much, never too little.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from gateway.convert import Program
from gateway.convert.document import Value, from_canonical
from gateway.convert.program import Field, Step
from gateway.review.diff.change import Change, Days, Effect, Kind, Reach, Sides
from gateway.review.diff.figures import Figure, factor_changes, table_changes
from gateway.review.diff.tree import ORDER, Difference, differences, value_text

__all__ = ["compare_documents"]

_SAID: Final = frozenset(
    {
        "source",
        "credit",
        "fields",
        "values",
        "plausibility",
        "basis",
        "tests",
        "caps",
        "factors",
        "tables",
        "formula",
    }
)
_BESIDE: Final = frozenset({"note", "cite", "clause", "confirmed", "confidence", "year"})
_NAMING: Final = frozenset(
    {
        "factors",
        "tables",
        "fields",
        "value",
        "cases",
        "caps",
        "formula",
        "speed",
        "duration",
        "values",
        "rows",
        "sum",
    }
)
"""Members whose own members have names that the author chose, so that they may be called like those above."""


class _Rule(NamedTuple):
    """What a place of a document is about; ``meaning`` is what its change has to change to have an effect."""

    pattern: str
    kind: Kind
    meaning: Callable[[Program, tuple[str, ...]], object] | None = None
    editorial: bool = False


def _field(program: Program, path: tuple[str, ...]) -> Field | None:
    return next((field for field in program.source.fields if field.name == path[2]), None)


def _step(program: Program, name: str) -> Step | None:
    return next((step for step in program.formula.steps if step.name == name), None)


_RULES: Final = (
    _Rule("version|supersedes|schema|mapping", "identity", lambda program, _: program.id),
    _Rule("status", "status", lambda program, _: program.status in {"official", "press"}),
    _Rule("title/.*|issuer", "text", editorial=True),
    _Rule("basis(/.*)?", "source", editorial=True),
    _Rule("tests(/.*)?", "test", editorial=True),
    _Rule("effective/(zone|basis)", "days", lambda program, _: program.zone.key),
    _Rule("source/fields/[^/]+/(min|max)", "bounds", _field),
    _Rule("source/fields/[^/]+(/.*)?", "reading", _field),
    _Rule("source/plausibility(/.*)?", "threshold", lambda program, _: _judging(program)),
    _Rule("source/claim_tolerance(/.*)?", "threshold", lambda program, _: _judging(program)),
    _Rule("source/format(/.*)?", "reading", lambda program, _: program.source.format),
    _Rule("source/claim_window(/.*)?", "threshold", lambda program, _: program.source.claim_window),
    _Rule("closed/snapshot", "text", editorial=True),
    _Rule("closed(/on)?", "days", lambda program, _: program.closed and program.closed.on),
    _Rule("source/group(/.*)?", "reading", lambda program, _: program.source.group),
    _Rule("source/(adapter|evidence|ownership)", "reading", lambda program, _: program.source),
    _Rule("credit/expiry(/.*)?", "expiry", lambda program, _: program.expiry),
    _Rule("credit/caps(/.*)?", "cap", lambda program, _: program.caps),
    _Rule("credit/(unit|kind|reversible)", "credit"),
    _Rule("code_tables/[^/]+/\\(order\\)", "code", editorial=True),
)


def _judging(program: Program) -> object:
    source = program.source
    return source.limits, source.overlap, source.claim_tolerance_mg, source.claim_then


def compare_documents(old: Program, new: Program, *, as_of: date) -> list[Change]:
    """Return every change from one version to another, what changes acts first.

    Args:
        old: the version whose acts are looked at.
        new: the version that would follow it, or replace it.
        as_of: the day on which the new version is published: acts of earlier days have taken place.
    """
    sides = Sides(old, new, as_of)
    before, after = (from_canonical(program.canonical).value for program in (old, new))
    groups: dict[tuple[str, ...], list[Difference]] = {}
    for difference in differences(before, after):
        groups.setdefault(_group(difference.path), []).append(difference)
    changes = [
        change for group, members in groups.items() for change in _changes(group, members, sides=sides)
    ]
    order: dict[Effect, int] = {"retroactive": 0, "forward-only": 1, "editorial": 2}
    return sorted(changes, key=lambda change: order[change.effect])


def _group(path: tuple[str, ...]) -> tuple[str, ...]:
    """Say with which others a difference is understood: a factor's figures together, all else by itself."""
    if path[0] in {"factors", "tables"} and not _is_beside(path):
        return path[:2]
    if path[0] in {"tests", "basis"}:
        return path[:2]
    if path[0] == "effective" and path[-1] in {"from", "until"}:
        return path[:1]
    return path


def _is_beside(path: tuple[str, ...]) -> bool:
    """Tell whether a place speaks of the rules without being one: a note, or where a figure comes from."""
    if path[-1] not in _BESIDE or (path[0] == "code_tables" and len(path) == 3):
        return False
    return len(path) == 1 or path[-2] not in _NAMING


def _changes(group: tuple[str, ...], members: list[Difference], *, sides: Sides) -> Iterator[Change]:
    match group:
        case ("factors" | "tables", *_) if len(group) <= 2:
            yield from _figure_changes(group, members, sides=sides)
        case ("effective",):
            yield from _day_changes(members, sides=sides)
        case ("formula", _, *_) if not _is_beside(group):
            yield from _step_changes(members[0], sides=sides)
        case ("formula",):  # one has steps, the other takes over what the platform has computed
            yield _change("formula", members[0], about=("steps",), reach=sides.reach(Days()))
        case ("code_tables", _, _, *_) if not _is_beside(group) and group[-1] != ORDER:
            yield from _code_changes(members[0], sides=sides)
        case ("tests" | "basis", _):
            yield _entry(group, members)
        case _:
            yield _ruled(members[0], sides=sides)


def _entry(group: tuple[str, ...], members: list[Difference]) -> Change:
    """Account for all that differs in one test or one source."""
    whole = len(members) == 1 and len(members[0].path) <= 2
    return Change(
        kind="test" if group[0] == "tests" else "source",
        effect="editorial",
        about=_about(group),
        old=_told(members[0].old) if whole else _parts(members, 0),
        new=_told(members[0].new) if whole else _parts(members, 1),
        pointers=_pointers(members),
    )


def _told(value: Value | None) -> str:
    """Write an entry by its title or expression, if it has one."""
    parts = value if isinstance(value, dict) else {}
    named = [parts[name] for name in ("title", "expr", "cases") if name in parts and "zh" not in parts[name]]
    return value_text(named[0] if named else value)


def _parts(members: list[Difference], side: int) -> str:
    values = [(one.path[2:], (one.old, one.new)[side]) for one in members]
    return "; ".join(
        f"{' '.join(path)} {value_text(value)}".strip() for path, value in values if value is not None
    )


def _ruled(difference: Difference, *, sides: Sides) -> Change:
    path = difference.path
    if _is_beside(path):
        kind: Kind = "text" if path[-1] == "note" else "source"
        return _change(kind, difference, about=_about(path), reach=Reach())
    rule = next((rule for rule in _RULES if re.fullmatch(rule.pattern, "/".join(path))), _Rule("", "other"))
    same = rule.editorial or (
        rule.meaning is not None and rule.meaning(sides.old, path) == rule.meaning(sides.new, path)
    )
    reach: Reach = Reach() if same else sides.reach(Days())
    return _change(rule.kind, difference, about=_about(path), reach=reach)


def _about(path: tuple[str, ...]) -> tuple[str, ...]:
    """Name what a difference is about: the path without the names that its kind says already."""
    return tuple(part for part in path if part not in _SAID)


def _change(kind: Kind, difference: Difference, *, about: tuple[str, ...], reach: Reach) -> Change:
    return Change(
        kind=kind,
        effect=reach.effect,
        about=about,
        old=_told(difference.old),
        new=_told(difference.new),
        days=reach.days,
        past=reach.past,
        pointers=_pointers([difference]),
    )


def _pointers(members: Iterable[Difference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pointer for one in members for pointer in one.pointers if pointer))


def _figure_changes(group: tuple[str, ...], members: list[Difference], *, sides: Sides) -> Iterator[Change]:
    """Compare a factor or a table day by day; what no day of the version meets is editorial."""
    name = group[-1]
    units, figures, counted_all = _figures(group, sides)
    pointers = _pointers(members)
    kind: Kind = "factor" if group[0] == "factors" else "table"
    for one in members:
        if one.path[2:] and one.path[2] != "values":
            reach = sides.reach(Days())
            yield _change(kind, one, about=(name, one.path[-1]), reach=reach)
    for figure in figures:
        reach = sides.reach(figure.days, counted=counted_all or bool(figure.old))
        yield Change(
            kind=kind,
            effect=reach.effect,
            about=(name, figure.of) if figure.of else (name,),
            old=figure.old,
            new=figure.new,
            unit=units[1] if figure.new else units[0],
            days=reach.days,
            past=reach.past,
            pointers=pointers,
        )
    written = [one for one in members if not one.path[2:] or one.path[2] == "values"]
    if not figures and written:
        yield Change(
            kind=kind,
            effect="editorial",
            about=(name,),
            old="; ".join(value_text(one.old) for one in written if one.old is not None),
            new="; ".join(value_text(one.new) for one in written if one.new is not None),
            pointers=_pointers(written),
        )


def _figures(group: tuple[str, ...], sides: Sides) -> tuple[tuple[str, str], list[Figure], bool]:
    """Return the units, where the figures differ, and whether acts without an old figure were counted."""
    name, old, new = group[-1], sides.old.formula, sides.new.formula
    if group[0] == "factors":
        before, after = old.factors.get(name), new.factors.get(name)
        units = (before.unit if before else "", after.unit if after else "")
        return units, list(factor_changes(before, after, days=sides.covered)), False
    was, is_ = old.tables.get(name), new.tables.get(name)
    return (
        (was.unit if was else "", is_.unit if is_ else ""),
        list(table_changes(was, is_, days=sides.covered)),
        was is not None,
    )


def _day_changes(members: list[Difference], *, sides: Sides) -> Iterator[Change]:
    """Compare the days covered: a successor's first day ends its predecessor, and changes none before."""
    old, new = sides.old, sides.new
    for one in members:
        if one.path[-1] == "until":
            before, after = old.effective_until or date.max, new.effective_until or date.max
            lost = Days(max(after, new.effective_from), before)
            reach = sides.lost(lost) if after < before else sides.reach(Days(before), counted=False)
        elif new.version > old.version or new.effective_from < old.effective_from:
            reach = Reach("forward-only", Days(new.effective_from))
        else:
            reach = sides.lost(Days(old.effective_from, new.effective_from))
        yield _change("days", one, about=(one.path[-1],), reach=reach)


def _step_changes(difference: Difference, *, sides: Sides) -> Iterator[Change]:
    """Compare a step by what is computed for each behaviour, and by its rounding."""
    name = difference.path[1]
    if name == ORDER:
        yield _change("formula", difference, about=("order",), reach=Reach())
        return
    before, after = _step(sides.old, name), _step(sides.new, name)
    if before == after:
        yield _change("formula", difference, about=(name,), reach=Reach())
    elif len(difference.path) > 2 and difference.path[2] == "round":
        yield _change("rounding", difference, about=(name,), reach=sides.reach(Days()))
    else:
        counted = before is None or _counted_before(sides.old, before, after=after)
        about = (name, *difference.path[3:])
        yield _change("formula", difference, about=about, reach=sides.reach(Days(), counted=counted))


def _counted_before(old: Program, before: Step, *, after: Step | None) -> bool:
    """Tell whether a change of a step concerns a behaviour that the old version knows."""
    if after is None or (before.unit, before.rounding) != (after.unit, after.rounding):
        return True
    return any(after.expr.get(behaviour) != before.expr.get(behaviour) for behaviour in old.behaviours)


def _meaning(program: Program, table: str, *, code: str) -> str:
    """Return what a code stands for; nothing if acts of it are not counted."""
    rows = program.source.code_tables.get(table, ())
    value = next((row.value for row in rows if row.code == code), "")
    return "" if value in program.unmapped else value


def _code_changes(difference: Difference, *, sides: Sides) -> Iterator[Change]:
    """Compare a code: a new one counts acts that were refused, any other change concerns counted ones."""
    table, code = difference.path[1:3]
    meanings = [_meaning(program, table, code=code) for program in (sides.old, sides.new)]
    reach = sides.reach(Days(), counted=bool(meanings[0]))
    same = meanings[0] == meanings[1]
    change = _change("code", difference, about=(table, code), reach=Reach() if same else reach)
    yield (
        change
        if same
        else Change(
            kind="code",
            effect=change.effect,
            about=change.about,
            old=meanings[0],
            new=meanings[1],
            days=change.days,
            pointers=change.pointers,
        )
    )
