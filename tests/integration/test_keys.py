"""Changes of keys from end to end, and a kill between any two of their steps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.base.keys import end_key, list_keys, rotate_record_key
from gateway.app.records.check import receipt_of, verifier
from gateway.cli.root import run
from gateway.errors import LocalFileError, Refused
from gateway.signing import SignatureInvalid
from gateway.store.journal.decisions import SqlJournal
from gateway.store.log.tiles import LogFolder
from gateway.store.log.trust import TrustFiles
from tests.fakes.homes import audited, bytes_below, convert, make_home, rows_of, trips, write_trips
from tests.fakes.stopping import Killed


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def record_keys(home: Path) -> dict[str, tuple[object, object]]:
    return {
        str(key["id"]): (key["retired"], key["revoked"])
        for key in list_keys(home)
        if key["purpose"] == "record"
    }


def signed_by(home: Path) -> list[set[str]]:
    from gateway.model.strict import read_strict_object

    with open_home(home) as opened:
        entries: list[Any] = [read_strict_object(entry) for entry in opened.log.entries(0)]
    return [{signature["key"] for signature in entry["signatures"]} for entry in entries]


def verify_all(home: Path) -> None:
    checks = verifier((home / "trust" / "policy").read_bytes(), (home / "trust" / "keys.json").read_bytes())
    for row in rows_of(home):
        checks.verify(receipt_of(home, row.id, disclose=[]))


@pytest.mark.parametrize("action", ["retired", "revoked"])
def test_a_key_is_rotated_and_the_old_one_ended(home: Path, tmp_path: Path, action: str) -> None:
    [old] = record_keys(home)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(3)))
    new = str(rotate_record_key(home)["added"])
    convert(home, write_trips(tmp_path / "b.ndjson", trips(3, first=10)))
    end_key(home, old, action=action)
    convert(home, write_trips(tmp_path / "c.ndjson", trips(3, first=20)))

    signers = signed_by(home)
    assert signers[-5:] == [{old}, {old, new}, {old, new}, {new}, {new}]
    assert signers[:-5] == [{old}] * (len(signers) - 5)
    verify_all(home)
    assert audited(home).differences == []


def test_what_an_ended_key_signs_afterwards_counts_for_nothing(home: Path, tmp_path: Path) -> None:
    [old] = record_keys(home)
    rotate_record_key(home)
    before = (home / "trust" / "keys.json").read_bytes()
    end_key(home, old, action="revoked")
    convert(home, write_trips(tmp_path / "a.ndjson", trips(1)))
    receipt = receipt_of(home, rows_of(home)[0].id, disclose=[])
    policy = (home / "trust" / "policy").read_bytes()

    verifier(policy, (home / "trust" / "keys.json").read_bytes()).verify(receipt)
    verifier(policy, before).verify(receipt)
    with open_home(home) as opened:
        ring = opened.trust.ring()
    with pytest.raises(SignatureInvalid, match="revoked"):
        ring.find(old).require_may_sign(10)


def test_the_last_record_key_an_ended_key_and_a_strange_key_cannot_be_ended(home: Path) -> None:
    [only] = record_keys(home)
    before = bytes_below(home / "log", home / "trust")

    with pytest.raises(Refused, match="last record key"):
        end_key(home, only, action="retired")
    with pytest.raises(Refused, match="no key"):
        end_key(home, "record-" + "0" * 32, action="retired")
    assert bytes_below(home / "log", home / "trust") == before
    rotate_record_key(home)
    end_key(home, only, action="retired")
    ended = record_keys(home)
    with pytest.raises(Refused, match="ended already"):
        end_key(home, only, action="retired")
    assert record_keys(home) == ended
    assert run(["keys", "retire", only, "--home", str(home)]) == 4


def test_keys_are_rotated_again_and_again(home: Path, tmp_path: Path) -> None:
    for number in range(4):
        old = [key for key, ends in record_keys(home).items() if ends == ("", "")]
        new = rotate_record_key(home)["added"]
        for key in old:
            end_key(home, key, action="retired")
        convert(home, write_trips(tmp_path / f"{number}.ndjson", trips(2, first=10 * number)))
        assert signed_by(home)[-1] == {new}
    (home / "keys" / "record").unlink()  # a retired key may be put away

    rotate_record_key(home)

    verify_all(home)
    assert audited(home).differences == []


def test_a_home_whose_only_key_is_gone_writes_nothing(home: Path, tmp_path: Path) -> None:
    (home / "keys" / "record").unlink()
    before = bytes_below(home / "log", home / "trust")

    with pytest.raises(LocalFileError, match="record key"):
        convert(home, write_trips(tmp_path / "a.ndjson", trips(3)))
    assert bytes_below(home / "log", home / "trust") == before


def test_a_key_half_written_by_a_kill_is_not_a_key(home: Path, tmp_path: Path) -> None:
    (home / "keys" / "record-2.half").write_bytes(b"-----BEGIN")

    assert convert(home, write_trips(tmp_path / "a.ndjson", trips(3))).accepted == 3
    rotate_record_key(home)
    assert audited(home).differences == []


def kill_before(patch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    patch.setattr(owner, name, killed)


def kill_after(patch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    real: Callable[..., Any] = getattr(owner, name)

    def killed(*arguments: Any, **named: Any) -> None:
        real(*arguments, **named)
        raise Killed

    patch.setattr(owner, name, killed)


STEPS: dict[str, tuple[Callable[[pytest.MonkeyPatch, type, str], None], type, str, bool]] = {
    "before the stage": (kill_before, TrustFiles, "stage", False),
    "after the stage": (kill_after, TrustFiles, "stage", False),
    "after the announcement is decided": (kill_after, SqlJournal, "queue", True),
    "before it is published": (kill_before, LogFolder, "append", True),
    "after it is published": (kill_after, LogFolder, "append", True),
    "before the pin": (kill_before, TrustFiles, "_pin", True),
    "after the pin": (kill_after, TrustFiles, "_pin", True),
}


CHANGES: dict[str, Callable[[Path, str], object]] = {
    "rotate": lambda home, _: rotate_record_key(home),
    "retire": lambda home, old: end_key(home, old, action="retired"),
    "revoke": lambda home, old: end_key(home, old, action="revoked"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("kill", "owner", "name", "decided"), STEPS.values(), ids=STEPS)
def test_a_killed_change_of_keys_is_finished_or_dropped_by_the_next_command(
    home: Path,
    tmp_path: Path,
    *,
    change: str,
    kill: Callable[[pytest.MonkeyPatch, type, str], None],
    owner: type,
    name: str,
    decided: bool,
) -> None:
    [old] = record_keys(home)
    if change != "rotate":
        rotate_record_key(home)
    keys = record_keys(home)
    with pytest.MonkeyPatch.context() as patch:
        kill(patch, owner, name)
        with pytest.raises(Killed):
            CHANGES[change](home, old)

    assert convert(home, write_trips(tmp_path / "a.ndjson", trips(3))).accepted == 3

    assert (record_keys(home) != keys) is decided
    assert not (home / "trust" / "keys.json.next").exists()
    verify_all(home)
    assert audited(home).differences == []
    if change == "rotate":
        rotate_record_key(home)
        assert audited(home).differences == []
