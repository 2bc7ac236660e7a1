"""Write the files of a new adapter distribution: one that works, to be changed step by step."""

import re
from pathlib import Path
from string import Template
from typing import Final

from gateway.errors import LocalFileError, UsageError

__all__ = ["write_distribution"]

_TEMPLATES: Final = Path(__file__).parent / "new_adapter"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_TAKEN: Final = frozenset({"adapters", "gateway", "mapping", "samples", "tests"})
_FILES: Final = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "{name}/__init__.py": "__init__.py",
    "{name}/wire.py": "wire.py",
    "{name}/adapter.py": "adapter.py",
    "samples/rides.txt": "rides.txt",
    "mapping/rides.v1.yaml": "rides.v1.yaml",
    "tests/test_{name}.py": "test_adapter.py",
}


def write_distribution(name: str, into: Path) -> list[Path]:
    """Write a distribution that offers an adapter of that name; return the files in their order.

    Raises:
        UsageError: the name cannot be the name of a package.
        LocalFileError: there is something in the folder already.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise UsageError(
            f"{name!r} cannot be the name of an adapter",
            field="NAME",
            remedy="use small letters, digits and single _ between them, such as yunxi_bike",
        )
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise LocalFileError(
            f"there is something at {into}; expected nothing, or an empty folder",
            remedy="name a new folder: nothing is ever written over",
        )
    words = {
        "name": name,
        "class_name": "".join(map(str.capitalize, name.split("_"))) + "Adapter",
        "project": f"{name.replace('_', '-')}-tanqiao",
        "platform": f"cn-000000/{name.replace('_', '-')}",
    }
    return [_write(into / path.format(name=name), source, words=words) for path, source in _FILES.items()]


def _write(path: Path, source: str, *, words: dict[str, str]) -> Path:
    text = Template((_TEMPLATES / f"{source}.tmpl").read_text("utf-8")).substitute(words)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    return path
