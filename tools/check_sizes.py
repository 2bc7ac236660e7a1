"""Check the size rules of the style guide: lines of a file, lines of a function, parameters, docstrings."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6
POSITIONAL_MAX = 2

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    """Print each breach as ``file:line: what`` and return 1 if there is any."""
    breaches = [breach for path in _tracked() for breach in _breaches(path)]
    print("\n".join(breaches) if breaches else "sizes: ok")
    return 1 if breaches else 0


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    return [Path(name) for name in listed if Path(name).exists() and "migrations/versions" not in name]


def _breaches(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    limit = TEST_FILE_LINES_MAX if path.parts[0] == "tests" else FILE_LINES_MAX
    if lines > limit:
        yield f"{path}:1: {lines} lines, at most {limit}"
    if path.parts[0] == "tests":
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, Function):
            yield from _function_breaches(path, node)


def _function_breaches(path: Path, node: Function) -> Iterator[str]:
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if length > FUNCTION_LINES_MAX:
        yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
    if node.name.startswith("__") and node.name != "__init__":
        return  # Python fixes the signatures of its own methods
    positional = [a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in {"self", "cls"}]
    count = len(positional) + len(node.args.kwonlyargs)
    if count > PARAMETERS_MAX and not _is_command(node):
        yield f"{path}:{node.lineno}: {node.name} takes {count} parameters, at most {PARAMETERS_MAX}"
    if len(positional) > POSITIONAL_MAX and not _is_command(node):
        yield f"{path}:{node.lineno}: {node.name}: after the first two, parameters are keyword-only"


def _is_command(node: Function) -> bool:
    """Tell whether typer reads the signature as a command line, whose options are not ours to count."""
    return "Annotated[" in ast.unparse(node.args) or "FormatOption" in ast.unparse(node.args)


if __name__ == "__main__":
    sys.exit(main())
