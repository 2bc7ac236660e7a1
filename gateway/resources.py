"""Find the files that are shipped beside the code: JSON Schemas, mapping documents, the taxonomy of acts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateway.errors import LocalFileError

__all__ = [
    "behaviour_table",
    "page_templates",
    "schema",
    "shipped_basket",
    "shipped_kinds",
    "shipped_mappings",
]

_PACKAGE = Path(__file__).resolve().parent
_HOMES = (_PACKAGE / "_bundled", _PACKAGE.parent)  # as installed, then beside the package in a checkout


def schema(name: str) -> dict[str, Any]:
    """Return a JSON Schema of ``openapi/schemas`` by its name without ending.

    Raises:
        LocalFileError: no such schema was shipped.
    """
    path = _folder("openapi") / "schemas" / f"{name}.schema.json"
    if not path.is_file():
        raise LocalFileError(
            f"expected the schema {name} at {path}, found none", remedy="install tanqiao again"
        )
    parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def behaviour_table() -> str:
    """Return the taxonomy of low-carbon acts, as CSV."""
    return (_PACKAGE / "model" / "behaviours.csv").read_text(encoding="utf-8")


def shipped_mappings() -> Iterator[tuple[str, bytes]]:
    """Yield each shipped mapping document with its path below ``mappings``, in a fixed order."""
    folder = _folder("mappings")
    for path in sorted(folder.glob("*/*.yaml")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()


def shipped_kinds() -> bytes:
    """Return the shipped declaration of the kinds of acts that claims compare."""
    return (_folder("mappings") / "kinds.yaml").read_bytes()


def shipped_basket() -> bytes:
    """Return the standard basket of acts that is shipped with the mappings."""
    return (_folder("mappings") / "basket.yaml").read_bytes()


def page_templates(name: str) -> dict[str, str]:
    """Return the templates and style sheets of some pages, by file name."""
    folder = _PACKAGE / "web" / name
    return {
        path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.is_file()
    }


def _folder(name: str) -> Path:
    for home in _HOMES:
        if (home / name).is_dir():
            return home / name
    raise LocalFileError(
        f"expected the folder {name} in {_HOMES[0]} or {_HOMES[1]}, found neither",
        remedy="install tanqiao again",
    )
