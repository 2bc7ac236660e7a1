"""Read the sections that say how rows become acts: format, roles, code tables."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal, cast

from gateway.convert.program import CodeRow, Field, Source, Text
from gateway.convert.reading.claiming import read_claim_window
from gateway.convert.reading.fields import CLOSED_ROLES, check_closed, read_field
from gateway.convert.reading.group import read_group
from gateway.convert.reading.node import Node
from gateway.convert.reading.plausibility import read_plausibility
from gateway.convert.units import CO2E_MG
from gateway.model.codes import Rejection
from gateway.model.source import SourceFormat

__all__ = ["behaviours_of", "read_source", "unmapped_of"]

CodeTables = dict[str, tuple[CodeRow, ...]]
_NEEDED_ROLES: Final = ("event", "person", "behaviour", "evidence", "ownership")


def read_source(root: Node) -> Source:
    """Read ``source`` and ``code_tables``, reporting what breaks their meaning."""
    node = root["source"]
    tables = {name: tuple(_code_rows(table)) for name, table in root.members("code_tables")}
    fields = [read_field(field, name, tables=tables) for name, field in node.members("fields")]
    fields.extend(_declared_constants(node))
    adapter, form = node.word("adapter", "common"), _format(node.get("format"))
    source = Source(
        adapter=adapter,
        format=form,
        fields=tuple(fields),
        code_tables=tables,
        claim_tolerance_mg=_tolerance(node.get("claim_tolerance")),
        group=read_group(node, adapter, pointers=adapter == "common" and form.kind == "ndjson"),
    )
    _check_constants(root, node)
    _check_roles(node, {field.name for field in fields})
    _check_addressing(node, source)
    _check_coded(root, source)
    _check_unmapped(root, source)
    known = (*behaviours_of(source), *unmapped_of(source))
    _check_limits(node, known)
    source = replace(source, claim_window=read_claim_window(root, source, behaviours=known))
    return read_plausibility(root, source, behaviours=behaviours_of(source))


def behaviours_of(source: Source) -> tuple[str, ...]:
    """Return the behaviours that a formula is needed for, each once, in the document's order."""
    for field in source.fields:
        if field.role == "behaviour" and field.constant is not None:
            return (field.constant,)
    return tuple(dict.fromkeys(row.value for row in _behaviour_rows(source) if row.unmapped is None))


def unmapped_of(source: Source) -> dict[str, Text]:
    """Return the behaviours of which the platform has acts and no figure is published, with the reason."""
    return {row.value: row.unmapped for row in _behaviour_rows(source) if row.unmapped is not None}


def _behaviour_rows(source: Source) -> tuple[CodeRow, ...]:
    tables = [field.code_table or "" for field in source.fields if field.role == "behaviour"]
    return tuple(row for table in tables for row in source.code_tables.get(table, ()))


def _format(node: Node | None) -> SourceFormat:
    if node is None:
        return SourceFormat()
    encodings = node.words("encoding") or (node.word("encoding", "utf-8"),)
    delimiter, quote = node.word("delimiter", ","), node.word("quote", '"')
    return SourceFormat(
        kind=cast('Literal["csv", "ndjson", "parquet"]', node.word("kind", "ndjson")),
        encodings=cast('tuple[Literal["utf-8", "gb18030"], ...]', encodings),
        delimiter="\t" if delimiter == "tab" else delimiter,
        quote="" if quote == "none" else quote,
        missing=frozenset(node.words("missing")) if node.get("missing") else frozenset({""}),
    )


def _tolerance(node: Node | None) -> int:
    if node is None:
        return 0
    exact = node["value"].decimal() * CO2E_MG[node.word("unit")]
    if exact.denominator != 1 or exact < 0:
        node["value"].report("scale", f"expected whole mg, not negative, got {node.word('value')}")
    return int(exact)


def _code_rows(table: Node) -> Iterator[CodeRow]:
    codes: set[str] = set()
    kinds: set[str] = set()
    for row in table.elements():
        given = [kind for kind in ("behaviour", "class") if row.get(kind)]
        kinds.update(given)
        code = row.word("code")
        if len(given) != 1:
            row.report("code-table", f"expected behaviour or class, got {' and '.join(given) or 'neither'}")
        elif code in codes:
            row["code"].report("code-table", f"expected each code once, got {code!r} again")
        else:
            codes.add(code)
            yield _code_row(row, given[0])
    if len(kinds) > 1:
        table.report("code-table", "expected rows of one kind, got behaviours and classes")


def _code_row(row: Node, kind: str) -> CodeRow:
    unmapped = row.get("unmapped")
    for key in ("relation", "unmapped"):
        extra = row.get(key)
        if extra is not None and kind != "behaviour":
            extra.report("code-table", f"expected {key} beside a behaviour only, got it beside a class")
    return CodeRow(
        code=row.word("code"),
        value=row.word(kind),
        relation=cast('Literal["same", "narrower", "broader"]', row.word("relation", "same")),
        unmapped=None if unmapped is None else Text(unmapped.word("zh"), unmapped.word("en")),
    )


def _declared_constants(node: Node) -> Iterator[Field]:
    """Make a constant field of ``evidence`` and ``ownership`` where ``source`` states them."""
    for role in CLOSED_ROLES:
        stated = node.get(role)
        if stated is None:
            continue
        if node["fields"].get(role):
            stated.report("role", f"expected {role} once, got it as a field too")
            continue
        yield Field(
            name=role,
            role=role,
            keys=(),
            constant=stated.text,
            type="text",
            code_table=None,
            unit="",
            scale=0,
            excess="reject",
            low=0,
            high=0,
            missing=Rejection.MISSING_FIELD,
            behaviours=None,
        )


def _check_roles(node: Node, bound: set[str]) -> None:
    for role in _NEEDED_ROLES:
        if role not in bound:
            node["fields"].report("role", f"expected a field or constant for the role {role}, got none")
    if not bound & {"start", "day"}:
        node["fields"].report("role", "expected a field for the role start or day, got neither")
    for part in node["fields"]["event"].elements("of"):
        if part.text not in bound | {"day"}:
            part.report("role", f"expected a role that has a field, got {part.text}")


def _check_constants(root: Node, node: Node) -> None:
    """Keep persons out of published rules: only a test or demo may be about one."""
    for role in ("person", "household"):
        constant = (node["fields"].get(role) or node).get("value")
        if constant is not None and root.word("status") != "illustrative":
            constant.report("role", f"expected a column for {role}: a constant is for illustrative mappings")


def _check_addressing(node: Node, source: Source) -> None:
    """Hold the common adapter's formats to their way of addressing; other adapters name their own keys."""
    if source.adapter != "common":
        return
    wrong = ("column", "columns") if source.format.kind == "ndjson" else ("path", "paths")
    expected = "path (a JSON Pointer)" if source.format.kind == "ndjson" else "column"
    group = node.get("group")
    rows = [] if group is None else [*group.members("sum"), ("start", group["start"])]
    for _, field in (*node.members("fields"), *rows):
        for key in wrong:
            place = field.get(key)
            if place is not None:
                place.report("field", f"expected {expected} for {source.format.kind}, got {key}")


def _check_coded(root: Node, source: Source) -> None:
    """Hold each code table to the kind of its field, and refuse a table that no field uses."""
    users = {field.code_table: field for field in source.fields if field.code_table is not None}
    for name, table in root.members("code_tables"):
        field = users.get(name)
        if field is None:
            table.report("unused", f"expected a field that uses the code table {name}, got none")
            continue
        wanted = "behaviour" if field.role == "behaviour" else "class"
        for row in table.elements():
            value = row.get(wanted)
            if value is None:
                row.report("code-table", f"expected {wanted} for the field {field.name}, got none")
            elif field.role is not None:
                check_closed(value, field.role, value=value.text)


def _check_unmapped(root: Node, source: Source) -> None:
    """Refuse a behaviour that has a formula by one code and none by another: a formula is for a behaviour."""
    mapped = set(behaviours_of(source))
    for _, table in root.members("code_tables"):
        for row in table.elements():
            unmapped = row.get("unmapped")
            if unmapped is not None and row.word("behaviour") in mapped:
                message = f"expected every code of {row.word('behaviour')} unmapped or none, got both"
                unmapped.report("code-table", message)


def _check_limits(node: Node, behaviours: tuple[str, ...]) -> None:
    for _, field in node.members("fields"):
        for behaviour in field.elements("behaviours"):
            if behaviour.text not in behaviours:
                behaviour.report("name", f"expected a behaviour of the code table, got {behaviour.text}")
