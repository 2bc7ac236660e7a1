"""The listed changes of one operator in a Python file, for tools/mutate_operators.py."""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Mutant", "mutants"]

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
}  # fmt: skip
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
}  # fmt: skip
_SWAPPED_NAMES: Final = {"min": "max", "max": "min", "floor": "ceil", "ceil": "floor"}
_DIVMOD_UP: Final = "(lambda a, b: (-(-a // b), a + b * (-a // b)))"
_UNTOUCHED: Final = {"annotation", "returns", "decorator_list", "exc"}  # types, cache sizes, messages
_CACHE_SIZES: Final = {"MEMO_ENTRIES_MAX", "CACHED_DAYS_MAX", "REMEMBERED_MAX", "_CACHED_TILES_MAX"}


class Slot(NamedTuple):
    """A place in a syntax tree where one expression may stand for another."""

    parent: ast.AST
    field: str
    place: int | None

    def put(self, node: ast.AST) -> None:
        """Write a node into the place."""
        if self.place is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.place] = node


class Mutant(NamedTuple):
    """A file with one operator changed."""

    path: str
    name: str
    source: str


def mutants(path: str, text: str) -> Iterator[Mutant]:
    """Yield every listed change of a file; the name is the line, the text before and the text after."""
    tree = ast.parse(text)
    seen: Counter[str] = Counter()
    for slot, node in list(_slots(tree)):
        for after in _changes(node, slot):
            slot.put(after)
            name = f"{getattr(node, 'lineno', 0)}: {_brief(node)} -> {_brief(after)}"
            seen[name] += 1
            yield Mutant(path, f"{name} #{seen[name]}" if seen[name] > 1 else name, ast.unparse(tree))
            slot.put(node)


def _brief(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def _slots(node: ast.AST) -> Iterator[tuple[Slot, ast.AST]]:
    """Walk the tree without docstrings, annotations, decorators, messages, ``__all__`` and cache sizes."""
    for name, value in ast.iter_fields(node):
        if name in _UNTOUCHED:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            if isinstance(child, ast.AST) and not _is_skipped(child):
                yield Slot(node, name, index), child
                yield from _slots(child)


def _is_skipped(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(
            isinstance(t, ast.Name) and t.id in {"__all__", "__slots__", *_CACHE_SIZES} for t in targets
        )
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.keyword) and node.arg == "strict")


def _changes(node: ast.AST, slot: Slot) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _compared_otherwise(node)
        case ast.BinOp() if not _is_text(node.left) and not _is_text(node.right):
            yield from _calculated_otherwise(node)
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            yield ast.copy_location(
                ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value), node
            )
        case ast.Call(func=ast.Name(id="divmod")):
            yield ast.Call(ast.parse(_DIVMOD_UP, mode="eval").body, node.args, node.keywords)
        case ast.Name(id=name, ctx=ast.Load()) if name in _SWAPPED_NAMES:
            yield ast.Name(_SWAPPED_NAMES[name], ast.Load())
        case ast.BoolOp():
            yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.Constant(value=bool() as truth):
            yield ast.Constant(not truth)
        case ast.Constant(value=int() as number):
            yield from (ast.Constant(number + 1), ast.Constant(number - 1))
        case ast.Name(id=name) if isinstance(slot.parent, ast.Compare) and name.isupper():
            yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        case ast.If(orelse=[]) if isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue):
            yield ast.copy_location(ast.If(ast.Constant(False), node.body, []), node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _compared_otherwise(node: ast.Compare) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        for other in _COMPARISONS.get(type(op), ()):
            yield ast.Compare(
                node.left, [*node.ops[:index], other(), *node.ops[index + 1 :]], node.comparators
            )


def _calculated_otherwise(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
    if isinstance(node.op, ast.FloorDiv):
        negated = ast.BinOp(ast.UnaryOp(ast.USub(), node.left), ast.FloorDiv(), node.right)
        yield ast.UnaryOp(ast.USub(), negated)
