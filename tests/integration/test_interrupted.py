"""What an audit says of a run that was killed, and that the next run makes it whole."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.store.files.records import ParquetRecordFiles
from gateway.store.journal.decisions import SqlJournal
from gateway.store.log.tiles import LogFolder
from tests.fakes.homes import audited, convert, make_home, points_by_event, trips, write_trips
from tests.fakes.stopping import Killed


def killed(*_: Any, **__: Any) -> None:
    """Stand for a step that was never come to."""
    raise Killed


def killed_after(real: Callable[..., Any]) -> Callable[..., None]:
    """Return a step after which nothing more happens."""

    def step(*arguments: Any, **named: Any) -> None:
        real(*arguments, **named)
        raise Killed

    return step


@pytest.mark.parametrize(
    ("owner", "name", "replacement", "said"),
    [
        pytest.param(ParquetRecordFiles, "write", killed_after(ParquetRecordFiles.write),
                     "belongs to no batch", id="files are written"),
        pytest.param(SqlJournal, "decide", killed, "belongs to no batch", id="before the decision"),
        pytest.param(SqlJournal, "decide", killed_after(SqlJournal.decide), "the journal 4",
                     id="decided, not published"),
        pytest.param(LogFolder, "append", killed_after(LogFolder.append), "", id="published"),
        pytest.param(SqlJournal, "finish", killed, "", id="all is done but the last word"),
    ],
)  # fmt: skip
def test_an_audit_names_what_an_interrupted_run_has_left_and_the_rerun_mends_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    owner: type,
    name: str,
    replacement: Callable[..., None],
    said: str,
) -> None:
    home = make_home(tmp_path, monkeypatch)
    file = write_trips(tmp_path / "a.ndjson", trips(6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, replacement)
        with pytest.raises(Killed):
            convert(home, file)

    left = "\n".join(audited(home).differences)

    assert said in left
    assert ("if a run was interrupted" in left) is bool(said)
    counts = convert(home, file)
    assert (counts.rows, counts.accepted + counts.duplicates) == (6, 6)
    assert len(points_by_event(home)) == 6
    assert audited(home).differences == []
