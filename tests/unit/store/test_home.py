"""The home folder: its facts, its lock, its making."""

import json
from pathlib import Path

import pytest

from gateway.errors import HomeBusy, LocalFileError
from gateway.store.files.home import Home, HomeFacts

FACTS = HomeFacts(origin="log.example", issuer="log.example", profile="test", created="2026-11-22T05:00:00Z")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def test_facts_read_back_as_they_were_written(home: Home) -> None:
    home.write_facts(FACTS)

    assert home.exists()
    assert home.facts() == FACTS


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"origin": "x"}', '"x"', "null"])
def test_facts_that_cannot_be_read_name_their_file(home: Home, text: str) -> None:
    (home.root / "home.json").write_text(text)

    with pytest.raises(LocalFileError, match=r"home\.json cannot be read"):
        home.facts()


def test_a_home_of_another_format_is_refused(home: Home) -> None:
    home.write_facts(FACTS)
    document = json.loads((home.root / "home.json").read_text())
    (home.root / "home.json").write_text(json.dumps({**document, "format": 2}))

    with pytest.raises(LocalFileError, match="format 2, this version reads 1"):
        home.facts()


def test_where_there_is_no_home_the_remedy_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LocalFileError, match="is not a home") as refused:
        Home(tmp_path).facts()

    assert "tanqiao init" in refused.value.remedy


def test_the_lock_is_held_by_one_and_given_back_however_it_ends(home: Home) -> None:
    with home.writing():
        with pytest.raises(HomeBusy), home.writing():
            pass
        with pytest.raises(HomeBusy), Home(home.root).writing():
            pass
    with pytest.raises(ZeroDivisionError), home.writing():
        raise ZeroDivisionError

    with home.writing():
        pass


def test_a_killed_making_is_swept_away_and_begun_again(home: Home) -> None:
    home.begin_making()
    (home.root / "keys").mkdir()
    (home.root / "keys" / "log").write_text("half a home")
    (home.root / "tanqiao.db").write_text("half a database")
    (home.root / "home.json.half").write_text("{")

    home.begin_making()

    assert [path.name for path in home.root.iterdir()] == ["unfinished"]
    home.write_facts(FACTS)
    assert [path.name for path in home.root.iterdir()] == ["home.json"]


def test_a_finished_home_is_never_swept_away(home: Home) -> None:
    home.begin_making()
    (home.root / "keys").mkdir()
    home.write_facts(FACTS)

    with pytest.raises(LocalFileError, match="a home already"):
        home.begin_making()
    assert (home.root / "keys").exists()


def test_record_keys_are_files_of_that_name_alone(home: Home) -> None:
    home.keys.mkdir()
    for name in (
        "record",
        "record-2",
        "record-10",
        "record-3.half",
        "record-x",
        "record-02",
        "records",
        "log",
    ):
        (home.keys / name).write_text("")

    assert [path.name for path in home.record_keys()] == ["record", "record-10", "record-2"]
    assert home.next_record_key().name == "record-3"


def test_scratch_is_empty_each_time(home: Home) -> None:
    (home.scratch() / "left").write_text("x")

    assert list(home.scratch().iterdir()) == []


def test_quarantine_is_replaced_and_for_its_owner(home: Home) -> None:
    home.set_aside("s", 3, lines=[b"old", b"older"])
    home.set_aside("s", 3, lines=[b"new"])

    [path] = (home.root / "quarantine").rglob("*.ndjson")
    assert path.read_bytes() == b"new\n"
    assert path.stat().st_mode & 0o077 == 0
