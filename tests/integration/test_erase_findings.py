"""What was found of an erased person's acts, and when these took place, leads to nobody any more."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.app.records.erase import erase
from gateway.errors import Refused
from gateway.store.files.findings import NdjsonFindings
from tests.fakes.homes import audited, bytes_below, convert, make_home, rows_of
from tests.fakes.searching import found_in, spellings, spellings_of_bytes
from tests.fakes.stopping import Killed
from tests.integration.test_plausible import TIMES, lines, ride, write

PERSON, YUNXI = "somebody-0417", "cn-000000/yunxi"
PLACE = {"file", "row", "also"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home in which acts of the person and of another are longer than is plausible."""
    home = make_home(tmp_path, monkeypatch)
    rides = [
        ride(f"e{number}", user, 200 * number, 200 * number + 180)
        for number, user in enumerate([PERSON, "another", PERSON, "another"])
    ]
    convert(home, write(tmp_path / "rides.ndjson", rides), mapping=TIMES)
    late = ride("e9", "another", 2000, 2180)
    convert(home, write(tmp_path / f"{PERSON}.ndjson", [late]), mapping=TIMES)
    assert len(lines(home / "findings")) == 5
    return home


def found(home: Path) -> list[Mapping[str, object]]:
    """Return the findings in the order in which they stand, as they are read."""
    with open_home(home) as opened:
        files = opened.journal.finding_files().items()
        return [json.loads(line) for batch, file in files for line in opened.findings.read(batch, file)]


def require_forgotten(home: Path, before: list[Mapping[str, object]]) -> None:
    """Check that only the place has gone, and only of the person's acts and of the file named after them."""
    gone = {row.id for row in rows_of(home) if row.person is None}
    for finding, was in zip(found(home), before, strict=True):
        mine = finding["record"] in gone or PERSON in str(was["file"])
        left = {name: value for name, value in was.items() if name not in PLACE}
        assert finding == ({**left, "erased": True} if mine else was)
    assert found_in(spellings(PERSON), home) == []
    assert [path.suffix for path in (home / "findings").iterdir()] == [".ndjson", ".ndjson"]
    assert audited(home).differences == []


def test_findings_of_erased_acts_keep_what_was_found_and_not_where(home: Path) -> None:
    before = found(home)
    with open_home(home) as opened:
        pseudonym = opened.index().pseudonym(YUNXI, PERSON)
        key = opened.index().own_acts(f"{YUNXI}/times", [pseudonym.hex()])
        other = opened.index().own_acts(f"{YUNXI}/times", [opened.index().pseudonym(YUNXI, "another").hex()])
    assert found_in(spellings_of_bytes(key), home)

    assert erase(home, PERSON, platform=YUNXI, dry_run=True).findings == 3
    assert found(home) == before
    assert erase(home, PERSON, platform=YUNXI).findings == 3

    require_forgotten(home, before)
    assert found_in(spellings_of_bytes(key), home) == []
    assert found_in(spellings_of_bytes(other), home)


@pytest.mark.parametrize("killed", ["before", "after"])
def test_findings_are_old_or_new_and_finished_by_the_next_command_that_writes(
    home: Path, monkeypatch: pytest.MonkeyPatch, killed: str
) -> None:
    """Stopped before the digest of what was staged counts, or before it is in its place."""
    before = found(home)

    def stopped(*_args: object) -> None:
        raise Killed

    real = NdjsonFindings.stage
    with monkeypatch.context() as patch:
        if killed == "before":
            patch.setattr(NdjsonFindings, "stage", lambda *args: (real(*args), stopped()))
        else:
            patch.setattr(
                Path, "replace", lambda one, to: stopped() if one.suffix == ".next" else one.rename(to)
            )
        with pytest.raises(Killed):
            erase(home, PERSON, platform=YUNXI)
    assert list((home / "findings").glob("*.next"))
    assert [one["record"] for one in found(home)] == [one["record"] for one in before]
    assert (found(home) == before) is (killed == "before")

    with open_home(home, writing=True):
        pass
    assert not list((home / "findings").glob("*.next"))
    assert erase(home, PERSON, platform=YUNXI).records == 2
    require_forgotten(home, before)


def test_a_file_among_the_findings_that_nobody_knows_is_named(home: Path) -> None:
    (home / "findings" / "notes.txt").write_text(PERSON)
    before = bytes_below(home / "records", home / "findings")

    with pytest.raises(Refused, match=r"findings/notes\.txt"):
        erase(home, PERSON, platform=YUNXI)

    assert bytes_below(home / "records", home / "findings") == before
