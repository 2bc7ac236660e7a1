"""What may be told of a backtest: exact sums and quantiles, groups of few people never by themselves."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from gateway.bulk.tally import PEOPLE_MIN, Sums, Tally

__all__ = ["QUANTILES", "quantiles", "report", "told_groups"]

QUANTILES: Final = (5, 25, 50, 75, 95)  # not the least and the greatest: these are somebody's
FEW: Final = f"fewer than {PEOPLE_MIN} people"


def report(tally: Tally) -> dict[str, object]:
    """Return what came of a backtest; nothing but counts where there are too few people altogether."""
    total = tally.total
    told: dict[str, object] = {
        "records": total.records,
        "changed": total.changed,
        "unchanged": total.records - total.changed,
        "gained": tally.gained,
        "lost": tally.lost,
        "refused_old": dict(tally.refused[0]),
        "refused_new": dict(tally.refused[1]),
        "shifted_old": tally.shifted[0],
        "shifted_new": tally.shifted[1],
        "stored_differ": tally.stored_differ,
    }
    if total.few:
        return {**told, "withheld": f"sums are withheld: these are records of {FEW}"}
    days = told_groups(tally.days)
    behaviours = told_groups(tally.behaviours)
    movers = sorted(behaviours, key=lambda row: -abs(int(str(row["points_change"]))))
    return {
        **told,
        **_sums(total),
        "points_change_quantiles": quantiles(tally.points_changes),
        "co2e_mg_change_quantiles": quantiles(tally.co2e_changes),
        "behaviours": behaviours,
        "movers": [row["group"] for row in movers if row["changed"]],
        "days": days,
        "caps_old": _caps(tally.caps[0]),
        "caps_new": _caps(tally.caps[1]),
    }


def told_groups(groups: Mapping[str, Sums]) -> list[dict[str, object]]:
    """Tell each group; those of few people together, and with the smallest other if they are still few.

    So no sum of few people can be had, not even by subtraction from the total.
    """
    small = {name for name, sums in groups.items() if sums.few}
    rest = Sums()
    for name in small:
        rest.add(groups[name])
    others = sorted((name for name in groups if name not in small), key=lambda name: groups[name].records)
    while small and rest.few and others:
        small.add(others[0])
        rest.add(groups[others.pop(0)])
    rows = [_row(name, sums) for name, sums in sorted(groups.items()) if name not in small]
    return [*rows, _row(f"({len(small)} groups, some of {FEW})", rest)] if small and not rest.few else rows


def _row(name: str, sums: Sums) -> dict[str, object]:
    return {"group": name, "records": sums.records, "changed": sums.changed, **_sums(sums)}


def _sums(sums: Sums) -> dict[str, object]:
    return {
        "co2e_mg_old": str(sums.co2e_mg[0]),
        "co2e_mg_new": str(sums.co2e_mg[1]),
        "points_old": str(sums.points[0]),
        "points_new": str(sums.points[1]),
        "points_change": str(sums.points[1] - sums.points[0]),
    }


def _caps(caps: Mapping[str, list[int]]) -> list[dict[str, object]]:
    return [
        {"cap": cap, "records_cut": rows, "points_cut": str(points)} for cap, (rows, points) in caps.items()
    ]


def quantiles(counts: Counter[int]) -> dict[str, str]:
    """Return exact quantiles by the nearest rank: each is a value that occurs."""
    total = counts.total()
    found: dict[str, str] = {}
    below, waiting = 0, [*QUANTILES]
    for value in sorted(counts):
        below += counts[value]
        while waiting and below * 100 >= waiting[0] * total:
            found[f"p{waiting.pop(0)}"] = str(value)
    return found
