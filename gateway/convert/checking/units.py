"""Infer the unit of every step: unlike things cannot be added, and no conversion happens unseen."""

from gateway.convert.program import Binary, Call, Expr, Floor, Formula, MinMax, Name, Number
from gateway.convert.reading import Node, written
from gateway.convert.units import DIMENSIONLESS, Unit, divided, shown, times

__all__ = ["check_units"]

Known = Unit | None
"""A unit, or None for what fits every unit: zero, a literal of the points step, a name already reported."""


class _UnlikeUnitsError(Exception):
    """Two units meet that may not."""


def check_units(root: Node, formula: Formula) -> None:
    """Report sums of unlike units, tables asked in another unit, and steps that are not what they declare."""
    credit = root["credit"].word("unit")
    algebra = _Algebra(root, formula, credit=credit)
    for node, step in zip(root.elements("formula"), formula.steps, strict=True):
        declared = node.unit("unit", credit=credit)
        algebra.literal = None if step.name == "points" else DIMENSIONLESS
        for place, _, expr in written(node, step):
            try:
                found = algebra.unit(expr)
            except _UnlikeUnitsError as unlike:
                place.report("unit", str(unlike))
                continue
            if found is not None and found != declared:
                place.report("unit", f"expected {shown(declared)} as declared, got {shown(found)}")
        algebra.names[step.name] = declared


class _Algebra:
    """Units by name, and the rules by which expressions combine them."""

    def __init__(self, root: Node, formula: Formula, *, credit: str) -> None:
        fields = dict(root["source"].members("fields"))
        factors = dict(root.members("factors"))
        tables = dict(root.members("tables"))
        self.literal: Known = DIMENSIONLESS
        self.names: dict[str, Known] = {
            name: fields[name].unit("unit", credit=credit) if fields[name].get("unit") else DIMENSIONLESS
            for name in formula.inputs
        }
        self.names |= {name: node.unit("unit", credit=credit) for name, node in factors.items()}
        self._tables: dict[str, tuple[Unit, Unit]] = {
            name: (
                node.unit("of", credit=credit),
                _result(node.unit("unit", credit=credit), node, credit=credit),
            )
            for name, node in tables.items()
        }

    def unit(self, expr: Expr) -> Known:
        """Return the unit of an expression."""
        match expr:
            case Number():
                return self.literal if expr.value else None
            case Name():
                return self.names.get(expr.name)
            case Floor():
                return self.unit(expr.arg)
            case Call():
                return self._called(expr)
            case MinMax():
                return self._same(expr.op, *map(self.unit, expr.args))
            case Binary():
                return self._combined(expr.op, self.unit(expr.left), right=self.unit(expr.right))

    def _combined(self, op: str, left: Known, *, right: Known) -> Known:
        if op in {"+", "-"}:
            return self._same(op, left, right)
        if left is None or right is None:
            return None
        return times(left, right) if op == "*" else divided(left, right)

    @staticmethod
    def _same(op: str, *units: Known) -> Known:
        known = [unit for unit in units if unit is not None]
        for other in known[1:]:
            if other != known[0]:
                raise _UnlikeUnitsError(
                    f"expected equal units beside {op}, got {shown(known[0])} and {shown(other)}"
                )
        return known[0] if known else None

    def _called(self, expr: Call) -> Known:
        found = self.unit(expr.arg)
        if expr.table not in self._tables:
            return None
        of, result = self._tables[expr.table]
        if found is not None and found != of:
            raise _UnlikeUnitsError(f"expected {shown(of)} in {expr.table}(...), got {shown(found)}")
        return result


def _result(unit: Unit, node: Node, *, credit: str) -> Unit:
    """Return the unit of what a table gives; a marginal table's rows are rates for a unit of its argument."""
    return times(unit, node.unit("of", credit=credit)) if node.word("kind") == "marginal" else unit
