"""Where figures come from and where they go: source document, factor, mapping, city, as a graph."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple
from unicodedata import east_asian_width

from gateway.convert import Program
from gateway.convert.explain import exact_text
from gateway.convert.program import Cite

__all__ = ["Edge", "Graph", "Node", "drawn", "graph_of"]

COLUMNS = (0, 300, 600, 850)
WIDTHS = (250, 250, 200, 150)
STEP, BOX = 46, 34
HEAD = 30
_SVG = "http://www.w3.org/2000/svg"
_TITLES = (("依据文件", "source"), ("系数", "factor"), ("映射规则", "mapping"), ("平台", "platform"))


class Node(NamedTuple):
    """Something in one of the four columns; ``kind`` is its confidence, if it is a factor."""

    column: int
    name: str
    label: str
    detail: str
    kind: str
    link: str


class Edge(NamedTuple):
    """What rests on what: from a node to a node of a later column."""

    left: str
    right: str


class Graph(NamedTuple):
    """The lineage of one platform's mappings."""

    platform: str
    nodes: list[Node]
    edges: list[Edge]


def graph_of(programs: Sequence[Program], links: dict[str, str]) -> Graph:
    """Return the lineage of one platform; ``links`` has the page of each mapping by digest."""
    platform = programs[0].platform
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    for program in programs:
        own = f"m {program.digest}"
        label = f"{program.id.rpartition('/')[2]} v{program.version}"
        link = links[program.digest]
        nodes[own] = Node(2, own, label, f"{program.effective_from} →", program.status, link)
        edges[Edge(own, "p")] = None
        cited: set[str] = set()
        for name, values, cite in _figures(program):
            figure = f"f {program.digest} {name} {cite.ref}"
            nodes[figure] = Node(1, figure, name, values, cite.confidence or "unknown", f"{link}#figures")
            edges[Edge(figure, own)] = None
            if cite.ref:
                nodes.setdefault(*_source(program, cite.ref, link=link))
                edges[Edge(_source(program, cite.ref, link=link)[0], figure)] = None
                cited.add(cite.ref)
        for ref in program.basis.keys() - cited:
            key, node = _source(program, ref, link=link)
            nodes.setdefault(key, node)
            edges[Edge(key, own)] = None
    nodes["p"] = Node(3, "p", platform, "", "", "")
    return Graph(platform, list(nodes.values()), list(edges))


def _source(program: Program, ref: str, *, link: str) -> tuple[str, Node]:
    entry = program.basis[ref]
    key = f"s {entry.get('url') or entry.get('title', ref)} {entry.get('title', '')}"
    detail = " ".join(filter(None, (entry.get("publisher", ""), entry.get("edition", ""))))
    return key, Node(0, key, entry.get("title", ref), detail, "", f"{link}#source-{ref}")


def _figures(program: Program) -> Iterator[tuple[str, str, Cite]]:
    """Yield each factor and table once for each source, with its figures in short."""
    found: dict[tuple[str, str], tuple[list[str], Cite]] = {}
    for factor in program.formula.factors.values():
        for dated in factor.values:
            values = list(dated.value.values()) if isinstance(dated.value, dict) else [dated.value]
            texts = found.setdefault((factor.name, dated.cite.ref), ([], dated.cite))[0]
            texts.append(f"{' / '.join(map(exact_text, values))} {factor.unit}")
    for table in program.formula.tables.values():
        for edition in table.values:
            found.setdefault((table.name, edition.cite.ref), ([], edition.cite))[0].append(
                f"{len(edition.value)} × {table.unit}"
            )
    for (name, _), (texts, cite) in found.items():
        yield name, "; ".join(texts), cite


def drawn(graph: Graph) -> str:
    """Draw a graph in four columns as SVG; colours come from the page's style sheet."""
    columns = [[node for node in graph.nodes if node.column == column] for column in range(4)]
    height = HEAD + STEP * max(map(len, columns)) + 6
    places: dict[str, tuple[int, int]] = {}
    for column, nodes in enumerate(columns):
        gap = (height - HEAD) / max(len(nodes), 1)
        for row, node in enumerate(nodes):
            places[node.name] = (COLUMNS[column], HEAD + int(gap * (row + 0.5)))
    return "\n".join(
        [
            f'<svg class="lineage" xmlns="{_SVG}" viewBox="0 0 1004 {height}" role="group"'
            f' aria-label="{escape(graph.platform)}">',
            *(
                f'<text class="head" x="{x}" y="14">{zh} <tspan lang="en">{en}</tspan></text>'
                for x, (zh, en) in zip(COLUMNS, _TITLES, strict=True)
            ),
            *(_curve(edge, graph, places=places) for edge in graph.edges),
            *(_box(node, x=places[node.name][0], y=places[node.name][1]) for node in graph.nodes),
            "</svg>",
        ]
    )


def _curve(edge: Edge, graph: Graph, *, places: dict[str, tuple[int, int]]) -> str:
    left = next(node for node in graph.nodes if node.name == edge.left)
    (x, y), (to, down) = places[edge.left], places[edge.right]
    start = x + WIDTHS[left.column]
    middle = (start + to) // 2
    beside = " beside" if left.column == 0 and places[edge.right][0] == COLUMNS[2] else ""
    return f'<path class="edge{beside}" d="M{start} {y} C{middle} {y} {middle} {down} {to} {down}"/>'


def _box(node: Node, *, x: int, y: int) -> str:
    width = WIDTHS[node.column]
    room = width // 7 - 2
    label, detail = escape(_cut(node.label, room)), escape(_cut(node.detail, room + 2))
    top, line = y - BOX // 2, y - 3 if detail else y + 4
    box = (
        f"<title>{escape(f'{node.label} {node.detail}'.strip())}</title>"
        f'<rect class="node {escape(node.kind)}" x="{x}" y="{top}" width="{width}" height="{BOX}" rx="4"/>'
        f'<text class="label" x="{x + 10}" y="{line}">{label}</text>'
        f'<text class="detail" x="{x + 10}" y="{y + 12}">{detail}</text>'
    )
    return f'<a href="{escape(node.link)}">{box}</a>' if node.link else f"<g>{box}</g>"


def _cut(text: str, room: int) -> str:
    """Cut a text to a width, where a Chinese character is as wide as two letters."""
    width = 0
    for place, character in enumerate(text):
        width += 2 if east_asian_width(character) in "WF" else 1
        if width > room:
            return text[:place].rstrip() + "…"
    return text
