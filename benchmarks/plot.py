"""Draw figures as bars on a logarithmic scale: plain SVG, readable in a diff."""

from collections.abc import Iterator, Sequence
from html import escape
from math import floor, log10
from typing import Any

__all__ = ["plot"]

WIDTH, LEFT, RIGHT = 860, 330, 70
TOP, STEP, BAR = 50, 20, 12
COLOURS = {"ours": "#1b7f4d", "peer": "#8a8f98", "bound": "#c9ccd1"}
LESS = 0.1  # microseconds at the left edge


def plot(figures: Sequence[dict[str, Any]]) -> str:
    """Return one bar for each figure: processor time of one item, ours beside peers and bounds."""
    decades = max((floor(log10(figure["cpu_us"] / LESS)) + 1 for figure in figures), default=1)
    height = TOP + STEP * len(figures) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        f' font-size="11"><title>Processor time of each stage</title>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="18" font-size="13">CPU time of one item in µs</text>',
        *_legend(),
        *_scale(decades, height),
        *(line for place, figure in enumerate(figures) for line in _bar(figure, place, decades=decades)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _legend() -> Iterator[str]:
    for place, (role, colour) in enumerate(COLOURS.items()):
        left = 10 + 70 * place
        yield f'<rect x="{left}" y="9" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{left + 14}" y="18">{role}</text>'


def _scale(decades: int, height: int) -> Iterator[str]:
    for decade in range(decades + 1):
        left = _left(LESS * 10**decade, decades)
        yield f'<line x1="{left}" y1="{TOP - 8}" x2="{left}" y2="{height - 15}" stroke="#e3e5e8"/>'
        yield f'<text x="{left}" y="{TOP - 12}" text-anchor="middle">{LESS * 10**decade:g}</text>'


def _bar(figure: dict[str, Any], place: int, *, decades: int) -> Iterator[str]:
    top, end = TOP + STEP * place, _left(figure["cpu_us"], decades)
    label = escape(f"{figure['stage']}: {figure['what']}")
    colour = COLOURS[figure["role"]]
    yield f'<text x="{LEFT - 6}" y="{top + BAR - 2}" text-anchor="end">{label}</text>'
    yield f'<rect x="{LEFT}" y="{top}" width="{max(end - LEFT, 1)}" height="{BAR}" fill="{colour}"/>'
    yield f'<text x="{end + 4}" y="{top + BAR - 2}">{figure["cpu_us"]:.3g}</text>'


def _left(cpu_us: float, decades: int) -> int:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * log10(max(cpu_us, LESS) / LESS) / decades)
