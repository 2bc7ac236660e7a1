"""Draw what cities give for standard acts as bars: plain SVG, readable in a diff."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from html import escape

from gateway.convert.explain import exact_text
from gateway.convert.wording import Lang
from gateway.review.compare import Cell, spread

__all__ = ["plot"]

WIDTH, LEFT, RIGHT = 960, 300, 270
HEAD, STEP, BAR = 34, 22, 13
_STYLE = (
    "<style>text{fill:#1c2321}.back{fill:#fff}.quiet{fill:#5b6663}.bar{fill:#1b7f4d}"
    "@media(prefers-color-scheme:dark){text{fill:#e6ebe9}.back{fill:#131816}.quiet{fill:#9aa6a2}"
    ".bar{fill:#4cc38a}}</style>"
)
_TITLE = {
    "zh": "同一行为在各平台的减排量（克 CO2e，封顶前）",
    "en": "One act on each platform: g CO2e before caps",
}


def plot(cells: Sequence[Cell], lang: Lang) -> str:
    """Return bars for each act that two cells have a value for; each act has its own scale."""
    groups = _groups(cells)
    height = 40 + sum(HEAD + STEP * len(group) for group in groups)
    title = _TITLE[lang]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' font-family="sans-serif" font-size="12"><title>{escape(title)}</title>{_STYLE}',
        f'<rect class="back" width="{WIDTH}" height="{height}"/>',
        f'<text x="10" y="24" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    top = 40
    for group in groups:
        parts.extend(_group(group, top, lang=lang))
        top += HEAD + STEP * len(group)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _groups(cells: Sequence[Cell]) -> list[list[Cell]]:
    names = dict.fromkeys(cell.act.name for cell in cells)
    groups = [
        [cell for cell in cells if cell.act.name == name and cell.grams and cell.alike] for name in names
    ]
    return [sorted(group, key=lambda cell: -(cell.grams or 0)) for group in groups if len(group) > 1]


def _group(group: Sequence[Cell], top: int, *, lang: Lang) -> Iterator[str]:
    most = group[0].grams or Fraction(1)
    yield (
        f'<text x="10" y="{top + 22}" font-weight="bold">{escape(getattr(group[0].act.title, lang))}'
        f' <tspan class="quiet" font-weight="normal">× {spread(group)}</tspan></text>'
    )
    for place, cell in enumerate(group):
        line = top + HEAD + STEP * place
        width = max(int((cell.grams or 0) * (WIDTH - LEFT - RIGHT) / most), 1)
        title = getattr(cell.program, f"title_{lang}") if cell.program else cell.platform
        version = f"{title} v{cell.program.version}" if cell.program else title
        value = f"{exact_text(cell.grams or Fraction(0))} g"
        yield f'<text x="{LEFT - 8}" y="{line + BAR - 2}" text-anchor="end">{escape(version)}</text>'
        yield f'<rect class="bar" x="{LEFT}" y="{line}" width="{width}" height="{BAR}"/>'
        yield (
            f'<text x="{LEFT + width + 6}" y="{line + BAR - 2}">{escape(value)}'
            f' <tspan class="quiet">{escape(cell.basis)}</tspan></text>'
        )
