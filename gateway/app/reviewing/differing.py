"""Join the parts of comparing two versions of a mapping, and of trying one."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import gettempdir

from gateway.app.base.home import DiskSorting
from gateway.app.base.mappings import program_from_file, shipped_programs
from gateway.convert import Program
from gateway.errors import UsageError
from gateway.plugins import find_adapter
from gateway.review.diff import Change, compare_documents, sentence
from gateway.service.mappings.trying import Trying

__all__ = ["day_of", "diff_mappings", "program_named", "today", "trying"]


def today() -> date:
    """Return the present day in UTC."""
    return datetime.now(UTC).date()


def day_of(text: str) -> date:
    """Read a day of the command line; today where it is left out.

    Raises:
        UsageError: it is none.
    """
    try:
        return date.fromisoformat(text) if text else today()
    except ValueError as error:
        raise UsageError(f"expected a day such as 2026-01-31, not {text!r}") from error


def program_named(name: str) -> Program:
    """Return a mapping by the path of its document, or a shipped one by its id and version, ``id@2``.

    Raises:
        UsageError: there is no such shipped mapping.
    """
    if name.endswith((".yaml", ".yml")):
        return program_from_file(Path(name))
    wanted, _, version = name.partition("@")
    shipped = shipped_programs()
    versions = [program for program in shipped if program.id == wanted]
    chosen = [program for program in versions if version in {"", str(program.version)}]
    if not chosen:
        known = ", ".join(f"{program.id}@{program.version}" for program in versions or shipped)
        raise UsageError(f"there is no mapping {name}", remedy=f"name a YAML file, or one of {known}")
    return max(chosen, key=lambda program: program.version)


def diff_mappings(old: Program, new: Program, *, as_of: date) -> dict[str, object]:
    """Compare two versions by meaning: each change with its effect, in both languages."""
    changes = compare_documents(old, new, as_of=as_of)
    counts = dict.fromkeys(("retroactive", "forward-only", "editorial"), 0)
    for change in changes:
        counts[change.effect] += 1
    return {
        "old": f"{old.id}@{old.version}",
        "new": f"{new.id}@{new.version}",
        "as_of": as_of.isoformat(),
        **counts,
        "same_version": (old.id, old.version) == (new.id, new.version) and old.digest != new.digest,
        "changes": [_told(change) for change in changes],
    }


def trying(programs: Callable[[], Sequence[Program]], publication: Callable[[str], Program | None]) -> Trying:
    """Return what tries mapping versions on rows, in memory: a sample is too small to be sorted on disk."""
    return Trying(
        programs=programs,
        publication=publication,
        adapter=cache(find_adapter),
        assemble=DiskSorting(Path(gettempdir())).assemble,
        diff=lambda old, new, on: diff_mappings(old, new, as_of=on),
    )


def _told(change: Change) -> dict[str, object]:
    days = change.days
    told: dict[str, object] = {
        "effect": change.effect,
        "kind": change.kind,
        "about": list(change.about),
        "old": change.old,
        "new": change.new,
        "unit": change.unit,
        "from": "" if days is None or days.first == date.min else days.first.isoformat(),
        "until": "" if days is None or days.until == date.max else days.until.isoformat(),
        "zh": sentence(change, "zh"),
        "en": sentence(change, "en"),
        "pointers": list(change.pointers),
    }
    if change.past is not None:
        told["past"] = {"from": change.past.first.isoformat(), "until": change.past.until.isoformat()}
    return told
