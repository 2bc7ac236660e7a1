"""Read the figures of a document: the basis it encodes, factors and tables by date, with their citations."""

from collections.abc import Callable, Iterator
from datetime import date
from fractions import Fraction
from typing import Final, Literal, TypeVar, cast

from gateway.convert.program import Dated, Factor, Source, Table, TableRow
from gateway.convert.reading.cites import read_cite
from gateway.convert.reading.node import Node
from gateway.convert.reading.source import behaviours_of
from gateway.model.codes import Rejection

__all__ = ["classes_of", "read_basis", "read_factors", "read_tables"]

T = TypeVar("T")
_REFUSING_KINDS: Final = frozenset({"step", "label"})


def read_basis(root: Node) -> dict[str, dict[str, str]]:
    """Read the documents that the mapping encodes, by their short names."""
    basis: dict[str, dict[str, str]] = {}
    for entry in root.elements("basis"):
        ref = entry.word("ref")
        if ref in basis:
            entry["ref"].report("basis", f"expected each ref once, got {ref} again")
        entry.date("read")
        basis[ref] = {name: member.text for name, member in entry.members()}
    return basis


def classes_of(source: Source) -> dict[str, tuple[str, ...]]:
    """Return the classes of each class input, each once, in the document's order."""
    return {
        field.name: tuple(dict.fromkeys(row.value for row in source.code_tables.get(field.code_table, ())))
        for field in source.fields
        if field.role is None and field.code_table is not None
    }


def read_factors(root: Node, source: Source) -> dict[str, Factor]:
    """Read the factors, reporting unknown classes, days out of order and missing citations."""
    classes = {"behaviour": behaviours_of(source), **classes_of(source)}
    return {name: _factor(root, node, name=name, classes=classes) for name, node in root.members("factors")}


def read_tables(root: Node) -> dict[str, Table]:
    """Read the piecewise tables, reporting rows out of order and rows that say too much or too little."""
    return {name: _table(root, node, name=name) for name, node in root.members("tables")}


def _factor(root: Node, node: Node, *, name: str, classes: dict[str, tuple[str, ...]]) -> Factor:
    by = node.word("by") or None
    if by is not None and by not in classes:
        node["by"].report("name", f"expected behaviour or a class input, got {by}")
    known = classes.get(by or "", ())

    def value(dated: Node) -> Fraction | dict[str, Fraction]:
        return _figure(dated["value"], by=by, known=known)

    return Factor(name=name, unit=node.word("unit"), by=by, values=tuple(_dated(root, node, value=value)))


def _figure(node: Node, *, by: str | None, known: tuple[str, ...]) -> Fraction | dict[str, Fraction]:
    if by is None:
        if not node.text:
            node.report("figure", "expected one decimal, got several: say by what they differ")
            return Fraction(0)
        return node.decimal()
    if node.text:
        node.report("figure", f"expected one decimal for each {by}, got one for all")
    for key, member in node.members():
        if known and key not in known:
            member.report("name", f"expected one of {', '.join(known)}, got {key}")
    return {key: member.decimal() for key, member in node.members()}


def _dated(root: Node, node: Node, *, value: Callable[[Node], T]) -> Iterator[Dated[T]]:
    last = date.min
    for dated in node.elements("values"):
        since = dated.date("from")
        if since <= last and last != date.min:
            dated["from"].report("date", f"expected a day after {last}, got {since}: list values by date")
        last = since
        yield Dated(since=since, value=value(dated), cite=read_cite(root, dated))


def _table(root: Node, node: Node, *, name: str) -> Table:
    kind = node.word("kind")
    if kind == "label" and node.word("unit") != "1":
        node["unit"].report("unit", f"expected unit 1 for labels, got {node.word('unit')}")

    def value(edition: Node) -> tuple[TableRow, ...]:
        return tuple(_rows(edition, kind))

    return Table(
        name=name,
        unit=node.word("unit"),
        of=node.word("of"),
        kind=cast('Literal["step", "marginal", "linear", "label"]', kind),
        boundary=cast('Literal["from", "above"]', node.word("boundary")),
        values=tuple(_dated(root, node, value=value)),
    )


def _rows(edition: Node, kind: str) -> Iterator[TableRow]:
    wanted = "label" if kind == "label" else "value"
    last: Fraction | None = None
    labels: set[str] = set()
    for row in edition.elements("rows"):
        at = row["at"].decimal()
        if last is not None and at <= last:
            row["at"].report("table", f"expected rows by ascending at, got {row.word('at')} after {last}")
        last = at
        given = [key for key in ("value", "label", "reject") if row.get(key)]
        allowed = {wanted, "reject"} if kind in _REFUSING_KINDS else {wanted}
        if len(given) != 1 or given[0] not in allowed:
            expected = " or ".join([wanted, "reject"][: len(allowed)])
            row.report(
                "table", f"expected {expected} in a {kind} table, got {' and '.join(given) or 'neither'}"
            )
        if row.word("label") in labels:
            row["label"].report("table", f"expected each label once, got {row.word('label')} again")
        labels |= {row.word("label")} - {""}
        yield TableRow(
            at=at,
            value=row["value"].decimal() if row.get("value") else None,
            label=row.word("label") or None,
            reject=Rejection(row.word("reject")) if row.get("reject") else None,
        )
