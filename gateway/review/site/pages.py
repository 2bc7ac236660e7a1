"""All pages of the site, from templates that are handed over: nothing is read or written here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from gateway.convert import Program
from gateway.convert.coverage import measure
from gateway.convert.program import Text
from gateway.review.basket import Basket
from gateway.review.compare import compare_mappings
from gateway.review.diff import compare_documents, sentence
from gateway.review.plot import plot
from gateway.review.site import prose
from gateway.review.site.heat import heat_of
from gateway.review.site.lineage import drawn, graph_of
from gateway.review.site.words import CONFIDENCES, KINDS, RELATIONS, STATUSES, plain

__all__ = ["Site", "pages"]


class Site(NamedTuple):
    """What the site is about: mappings, standard acts, names of behaviours, and the day it is made on."""

    programs: Sequence[Program]
    basket: Basket
    names: Mapping[str, Text]
    made: date


def pages(site: Site, templates: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file of the site: its path and its text."""
    environment = Environment(
        loader=DictLoader(dict(templates)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "statuses": STATUSES, "kinds": KINDS, "confidences": CONFIDENCES, "relations": RELATIONS,
        "made": site.made, "plain": plain,
    }  # fmt: skip
    programs = sorted(site.programs, key=lambda program: (program.id, program.version))
    links = {program.digest: page_of(program) for program in programs}
    cells = compare_mappings(programs, site.basket, on=site.made)
    shared: dict[str, Any] = {"programs": programs, "links": links}
    heat = heat_of(cells)
    titles = {platform: _title(ours) for platform, ours in _by_platform(programs).items()}

    def rendered(template: str, **more: object) -> str:
        return environment.get_template(template).render(**shared, **more)

    yield "site.css", templates["site.css"]
    yield (
        "index.html",
        rendered("index.html", root="", heat=heat, platforms=_by_platform(programs), titles=titles),
    )
    yield "compare.html", rendered("compare.html", root="", heat=heat, basket=site.basket, titles=titles)
    yield "disparity.svg", plot(cells, "zh")
    graphs = [graph_of(ours, links) for ours in _by_platform(programs).values()]
    pictures = [(graph, Markup(drawn(graph)), titles[graph.platform]) for graph in graphs]  # noqa: S704 - escaped where drawn
    yield "lineage.html", rendered("lineage.html", root="", pictures=pictures)
    for program in programs:
        yield (
            links[program.digest],
            rendered("mapping.html", root="../", **_mapping(program, site, programs=programs)),
        )


def page_of(program: Program) -> str:
    """Return the path of a mapping's page."""
    return f"mappings/{program.id.replace('/', '-')}.v{program.version}.html"


def _by_platform(programs: Sequence[Program]) -> dict[str, list[Program]]:
    found: dict[str, list[Program]] = {}
    for program in programs:
        found.setdefault(program.platform, []).append(program)
    return found


def _title(programs: Sequence[Program]) -> Text:
    """Name a platform by its mappings: nothing else says what it is called."""
    titles = dict.fromkeys((program.title_zh, program.title_en) for program in programs)
    return Text("、".join(zh for zh, _ in titles), ", ".join(en for _, en in titles))


def _mapping(program: Program, site: Site, *, programs: Sequence[Program]) -> dict[str, Any]:
    versions = [other for other in programs if other.id == program.id]
    before = [other for other in versions if other.version < program.version]
    changes = compare_documents(before[-1], program, as_of=program.effective_from) if before else []
    coverage = measure(program)
    return {
        "program": program,
        "versions": versions,
        "before": before[-1] if before else None,
        "changes": [
            Text(sentence(change, "zh"), sentence(change, "en"))
            for change in changes
            if change.effect != "editorial"
        ],
        "rules": prose.rules_of(program, site.names),
        "figures": prose.figures_of(program, site.names),
        "tables": list(prose.rows_of_tables(program)),
        "codes": prose.codes_of(program, site.names),
        "columns": prose.columns_of(program),
        "limits": prose.limits_of(program),
        "caps": prose.caps_of(program),
        "notes": prose.notes_of(program),
        "tests": prose.tests_of(program),
        "others": prose.other_sections(program),
        "covered": len(coverage.touched),
        "coverable": len(coverage.rules),
    }
