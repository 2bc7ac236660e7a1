"""What the tests of hostile input share: files around one bad row, and what a refusal must look like."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gateway.model.visible import visible
from gateway.sandbox import YUNXI_MAPPING
from tests.acceptance.commands import Done, tanqiao
from tests.fakes.homes import WUHAN, make_home, trip

__all__ = ["CSV_HEADER", "act", "converted", "mapping_for", "new_home", "require_refused", "ride"]

CSV_HEADER = "行程编号,用户,出行方式,里程（公里）,开始时间\n"
_numbers = count()


@contextmanager
def new_home(folder: Path) -> Iterator[Path]:
    """Give a home for the tests of a whole file."""
    with pytest.MonkeyPatch.context() as patch:
        yield make_home(folder, patch)


def act(**changes: str) -> bytes:
    """Make one act of its own as a line of NDJSON without its end."""
    return json.dumps(trip(next(_numbers), **changes), ensure_ascii=False).encode()


def ride(**changes: str) -> str:
    """Make one act of its own as a line of Yunxi's CSV, with its end."""
    cells = {"event": f"R{next(_numbers)}", "person": "u", "mode": "地铁", "km": "10"} | changes
    return ",".join([*cells.values(), "2025-03-01 08:00:00"]) + "\n"


def mapping_for(kind: str, path: Path) -> Path:
    """Write Yunxi's rules for files of another kind, by the same column names."""
    text = YUNXI_MAPPING.replace("{kind: csv, encoding: [utf-8, gb18030]}", f"{{kind: {kind}}}")
    path.write_text(text, "utf-8")
    return path


def converted(file: Path, home: Path, *, mapping: str | Path = WUHAN) -> dict[str, Any]:
    """Convert a file by the command and return its answer; nothing may be lost, nothing may act."""
    done = tanqiao("convert", file, "--home", home, "--mapping", mapping)
    assert done.returncode == 0, done.stderr
    _require_safe(done)
    answer: dict[str, Any] = json.loads(done.stdout)
    kept = [
        json.loads(line)
        for part in (home / "quarantine" / str(answer["submission"])).glob("*")
        for line in part.read_text("utf-8").splitlines()
    ]
    rejected = answer["rejected"]
    assert isinstance(rejected, dict)
    assert len(kept) == sum(rejected.values())
    assert all(row["code"] and row["detail"] and row["file"] and row["row"] for row in kept)
    return answer | {"kept": kept}


def require_refused(done: Done, exit_code: int, code: str, *, says: str = "") -> None:
    """Check a refusal: its exit code, its stable code, what to do, and nothing that acts on a terminal."""
    assert done.returncode == exit_code, done
    assert f"  code:   {code} (" in done.stderr
    assert "  remedy: " in done.stderr
    assert says in done.stderr
    assert done.stdout == ""
    _require_safe(done)


def _require_safe(done: Done) -> None:
    assert "Traceback" not in done.stderr
    assert visible(done.stdout) == done.stdout
    assert visible(done.stderr) == done.stderr
