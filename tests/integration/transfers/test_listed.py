"""The list of a platform's transfers goes on where a process ended before it had written one."""

from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.transfers.moving import transferring
from gateway.store.ledger.books import SqlLedger
from gateway.store.ledger.moves import SqlMoveIndex
from tests.fakes.claims import PLATFORMS, At, seen
from tests.fakes.moving import AFTER, agree, agreement, begun, moving_home, signed, versions

NOT_WRITTEN = "tr_" + 26 * "0"  # an id before any that is made


def test_ids_of_which_nothing_was_written_do_not_end_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = moving_home(tmp_path, monkeypatch, [seen("e-1", "an", 0, 20)])
    agree(home, signed(agreement()))
    with open_home(home) as opened, SqlLedger(opened.database) as ledger:
        parts = transferring(opened, ledger, versions=versions(tmp_path), clock=At(AFTER))
        name = begun(parts, points=10)
        SqlMoveIndex(opened.database).note({NOT_WRITTEN: (PLATFORMS[0], PLATFORMS[1])})

        listed = [[one["id"] for one in parts.listed(viewer=PLATFORMS[0], limit=most)] for most in (1, 2, 9)]
        assert listed == [[name]] * 3
        assert parts.listed(viewer=PLATFORMS[0], after=name, limit=1) == []
