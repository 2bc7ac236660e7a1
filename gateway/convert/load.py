"""Make a program from a mapping document: read, check the shape, check the meaning, hand over."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from gateway.convert.checking import check_bounds, check_taxonomy, check_tests, check_units
from gateway.convert.document import (
    Document,
    Finding,
    MappingRefused,
    Value,
    canonical_bytes,
    from_canonical,
    sha256_hex,
    value_at,
)
from gateway.convert.program import Kind, Program, Source, Status
from gateway.convert.reading import (
    Node,
    behaviours_of,
    read_basis,
    read_caps,
    read_closed,
    read_expiry,
    read_formula,
    read_source,
    read_zone,
    unmapped_of,
)
from gateway.convert.shape import schema_findings
from gateway.convert.yaml_text import read_yaml
from gateway.model.behaviour import Behaviour

__all__ = ["check_scheme", "load_program", "program_from_canonical", "program_from_document"]


def load_program(
    text: bytes,
    schema: Mapping[str, Any],
    *,
    name: str = "",
    behaviours: Mapping[str, Behaviour] | None = None,
) -> Program:
    """Turn the YAML text of a mapping into a program; with a taxonomy, its behaviours must be of it.

    Raises:
        MappingRefused: with every finding, each at its line and column.
    """
    return program_from_document(read_yaml(text, name=name), schema, name=name, behaviours=behaviours)


def program_from_canonical(
    canonical: bytes, schema: Mapping[str, Any], *, behaviours: Mapping[str, Behaviour] | None = None
) -> Program:
    """Rebuild the same program from a document's canonical JSON; ``behaviours`` as with YAML.

    Raises:
        MappingRefused: the bytes are not canonical, or the document does not pass its checks.
    """
    return program_from_document(from_canonical(canonical), schema, behaviours=behaviours)


def program_from_document(
    document: Document,
    schema: Mapping[str, Any],
    *,
    name: str = "",
    behaviours: Mapping[str, Behaviour] | None = None,
) -> Program:
    """Check a document and make its program: shape first, then meaning.

    Raises:
        MappingRefused: with every finding of the first of the two that found any.
    """
    findings = schema_findings(document, schema)
    if findings:
        raise MappingRefused(findings, name)
    program = _program(document, findings)
    if behaviours is not None:
        check_taxonomy(Node(document, findings), program, behaviours=behaviours)
    if findings:
        raise MappingRefused(findings, name)
    return program


def _program(document: Document, findings: list[Finding]) -> Program:
    root = Node(document, findings)
    canonical = canonical_bytes(document.value)
    _check_version(root)
    source = read_source(root)
    formula = read_formula(root, source)
    check_units(root, formula)
    check_bounds(root, formula)
    check_tests(root, source, steps=formula.steps)
    effective = root["effective"]
    since = effective.date("from")
    until = effective.date("until") if effective.get("until") else None
    if until is not None and until <= since:
        effective["until"].report("date", f"expected a day after {since}, got {until}")
    credit = root.get("credit")
    return Program(
        id=root.word("mapping"),
        version=int(root.word("version")),
        digest=sha256_hex(canonical),
        canonical=canonical,
        platform=root.word("mapping").rpartition("/")[0],
        status=cast("Status", root.word("status")),
        title_zh=root["title"].word("zh"),
        title_en=root["title"].word("en"),
        effective_from=since,
        effective_until=until,
        zone=read_zone(effective["zone"]),
        basis=read_basis(root),
        source=source,
        behaviours=behaviours_of(source),
        formula=formula,
        unit="" if credit is None else credit.word("unit"),
        kind="unpublished" if credit is None else cast("Kind", credit.word("kind")),
        caps=read_caps(root, source),
        expiry=read_expiry(root),
        reversible=credit is None or credit.word("reversible", "true") == "true",
        tests=tuple(cast("dict[str, object]", test.value) for test in root.elements("tests")),
        unmapped=unmapped_of(source),
        closed=read_closed(root, until),
    )


def _check_version(root: Node) -> None:
    version = int(root.word("version"))
    supersedes = root.get("supersedes")
    if supersedes is None:
        if version > 1:
            root["version"].report("version", "expected supersedes for a version above 1, got none")
    elif version == 1:
        supersedes.report("version", f"expected no supersedes for version 1, got {supersedes.text}")
    elif int(supersedes.text) >= version:
        supersedes.report("version", f"expected a version below {version}, got {supersedes.text}")


def check_scheme(programs: Sequence[Program]) -> tuple[Finding, ...]:
    """Return what keeps the versions of one scheme from following each other.

    Versions form a chain by ``supersedes``, come into force in that order, and read the same rows:
    their ``source`` is equal apart from what is held to be plausible, and a code once given keeps its
    meaning, while codes may be added.
    """
    ordered = sorted(programs, key=lambda program: program.version)
    return tuple(finding for old, new in pairwise(ordered) for finding in _succession(old, new))


def _succession(old: Program, new: Program) -> Iterator[Finding]:
    before, document = from_canonical(old.canonical), from_canonical(new.canonical)
    supersedes = value_at(document.value, "/supersedes")
    label = f"in version {new.version}"
    if old.id != new.id:
        yield document.finding("/mapping", "scheme", message=f"expected {old.id} {label}, got {new.id}")
    if supersedes != str(old.version):
        message = f"expected supersedes {old.version} {label}, got {supersedes}"
        yield document.finding("/supersedes", "scheme", message=message)
    if new.effective_from <= old.effective_from:
        message = f"expected a day after {old.effective_from} {label}, got {new.effective_from}"
        yield document.finding("/effective/from", "scheme", message=message)
    if _reading(before) != _reading(document):
        message = f"expected the source of version {old.version} {label}, got another one"
        yield document.finding("/source", "scheme", message=message)
    if old.closed is not None:
        message = f"expected no version after {old.version}, whose programme is closed, got {new.version}"
        yield document.finding("/version", "scheme", message=message)
    for name, code in _changed_codes(old.source, new.source):
        message = (
            f"expected the meaning of version {old.version} for code {code!r} {label}, got another or none"
        )
        yield document.finding(f"/code_tables/{name}", "scheme", message=message)


def _reading(document: Document) -> Value | None:
    """Return what a document says of reading rows, without what it holds to be plausible of them."""
    source = value_at(document.value, "/source")
    judging = {"claim_tolerance", "plausibility"}
    return {key: source[key] for key in source if key not in judging} if isinstance(source, dict) else source


def _changed_codes(old: Source, new: Source) -> Iterator[tuple[str, str]]:
    for name, rows in old.code_tables.items():
        meanings = {row.code: row.value for row in new.code_tables.get(name, ())}
        yield from ((name, row.code) for row in rows if meanings.get(row.code) != row.value)
