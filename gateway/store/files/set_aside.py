"""Files of rows that were set aside: one JSON object a line, below a folder for each submission.

Whoever sets rows aside for another reason adds a folder to ``set_aside_folders`` of
:class:`gateway.store.files.home.Home`: its files are then searched and emptied with the others.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.errors import LocalFileError, Refused
from gateway.model.visible import safe_line
from gateway.store.files.durable import write_durably

__all__ = ["ERASED", "SetAsideFiles", "still_erased"]

ERASED: Final = "erased"
_KEPT: Final = ("file", "row", "code", "field")  # where the row stood and why: these name nobody
_OURS: Final = ("code", "detail", "field")  # words of this program; what they quote stands in the fields too
_ERASED_END: Final = b'"erased":true}'  # no other line has a member after its fields that says so

Line = dict[str, Any]


class SetAsideFiles:
    """The files below some folders."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = list(folders)

    def empty(
        self,
        concerns: Callable[[str], bool],
        names: Callable[[Collection[str]], bool],
        *,
        dry_run: bool = False,
    ) -> tuple[int, int]:
        """Empty the rows that name somebody; returns how many rows, in how many files.

        Args:
            concerns: tells by the name of a submission whether its rows are looked at.
            names: tells by all texts of a row whether it is to be emptied.
            dry_run: count only.

        Raises:
            Refused: there is a file of another kind, which may hold anything.
            LocalFileError: a line is not what was written.
        """
        rows = files = 0
        for submission, path in list(self._files()):
            if not concerns(submission):
                continue
            lines = path.read_bytes().splitlines()
            emptied = [_emptied(line, names) for line in _parsed(lines, path)]
            found = sum(line is not None for line in emptied)
            if found:
                rows, files = rows + found, files + 1
                if not dry_run:
                    kept = [line or others for line, others in zip(emptied, lines, strict=True)]
                    write_durably(path, b"".join(line + b"\n" for line in kept), mode=0o600)
        return rows, files

    def sweep(self) -> None:
        """Remove what a killed run has left half written."""
        for folder in self._folders:
            for half in folder.rglob("*.half"):
                half.unlink()

    def _files(self) -> Iterator[tuple[str, Path]]:
        for folder in self._folders:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                if path.suffix != ".ndjson" or path.parent.parent != folder:
                    raise Refused(
                        f"{path} was not written by this home: whom it names cannot be told",
                        remedy="move it out of the home, and erase the person there too",
                    )
                yield path.parent.name, path


def still_erased(path: Path, lines: Iterable[bytes]) -> list[bytes]:
    """Return lines that are about to replace a file, where those that were erased in it stay so.

    An erased row that is not among the lines stays too: it was counted when it was set aside.
    """
    if not path.exists():
        return list(lines)
    kept = {_place(line): line for line in path.read_bytes().splitlines() if line.endswith(_ERASED_END)}
    if not kept:
        return list(lines)
    for line in lines:
        file, row = _place(line)
        if (ERASED, row) not in kept:
            kept.setdefault((file, row), line)
    return [kept[place] for place in sorted(kept)]


def _place(data: bytes) -> tuple[str, int]:
    line = orjson.loads(data)
    return line["file"], line["row"]


def _parsed(lines: list[bytes], path: Path) -> Iterator[Line]:
    for number, data in enumerate(lines, 1):
        try:
            line = orjson.loads(data)
        except orjson.JSONDecodeError:
            line = None
        if not isinstance(line, dict):
            raise LocalFileError(
                f"line {number} of {path} is not the JSON object that was written there",
                remedy="put the file back from a backup, or move it out of the home",
            )
        yield line


def _emptied(line: Line, names: Callable[[Collection[str]], bool]) -> bytes | None:
    """Return what stays of a row that names somebody: where it stood and why; None for any other row.

    A file named after the person loses its name.
    """
    if ERASED in line or not names(_words(line)):
        return None

    def placed(place: Line) -> Line:
        return {**place, "file": ERASED} if names([str(place.get("file", ""))]) else place

    kept: Line = placed({name: line[name] for name in _KEPT if name in line})
    if "also" in line:
        kept["also"] = [placed(also) for also in line["also"]]
    return safe_line(orjson.dumps({**kept, ERASED: True}).decode()).encode()


def _words(line: Line) -> list[str]:
    return _texts({name: value for name, value in line.items() if name not in _OURS})


def _texts(value: object) -> list[str]:
    """Return every text of a row: keys too, which may be the platform's; a number here is the row's own."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *_texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []
