"""Withdraw records, look at claims, link and forget persons: by the commands that people use."""

import io
import json
import stat
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app.base import home as app_home
from gateway.cli.root import run
from tests.fakes.claims import DAWN, NOON, PLATFORMS, At, counting, linked_home, seen, submit
from tests.fakes.homes import audited, bytes_below, make_home, rows_of

A, B, C = PLATFORMS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON))  # the command has no clock to be given
    return linked_home(tmp_path, monkeypatch)


def answer(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> Any:
    capsys.readouterr()
    assert run([*map(str, arguments), "--format", "json"]) == code
    out = capsys.readouterr()
    return json.loads(out.out) if code == 0 else out.err


def chain(home: Path) -> dict[str, str]:
    """Record three rides of which the middle one overlaps both others; return the ids of their records."""
    submit(home, A, [seen("a-1", "an", 0, 30)])
    submit(home, B, [seen("b-1", "an", 20, 50)])
    submit(home, C, [seen("c-1", "an", 40, 70)])
    assert counting(home) == {(A, "a-1"), (C, "c-1")}
    return {str(row.event): row.id for row in rows_of(home)}


def test_when_an_act_is_withdrawn_the_next_holds_its_claim(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = chain(home)
    said = answer(capsys, "withdraw", ids["a-1"], "--home", home)

    assert said["restored"] == [ids["b-1"]]
    assert counting(home) == {(B, "b-1")}  # which is the first now, and sets the last one off
    assert audited(home).differences == []

    answer(capsys, "withdraw", ids["b-1"], "--home", home)
    assert counting(home) == {(C, "c-1")}
    assert audited(home).differences == []


def test_a_withdrawn_act_that_comes_again_stays_withdrawn(home: Path) -> None:
    ids = chain(home)
    assert run(["withdraw", ids["c-1"], "--home", str(home)]) == 0
    counts = submit(home, C, [seen("c-1", "an", 40, 70), seen("c-9", "an", 900, 960)]).counts

    assert (counts.duplicates, counts.accepted) == (1, 1)
    assert (C, "c-1") not in counting(home)


@pytest.mark.parametrize("again", [False, True], ids=["after the close", "a second time"])
def test_a_withdrawal_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], again: bool
) -> None:
    ids = chain(home)
    if again:
        answer(capsys, "withdraw", ids["a-1"], "--home", home)
    else:
        monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON + timedelta(days=3)))
    before = counting(home)

    said = answer(capsys, "withdraw", ids["a-1"], "--home", home, code=4)
    assert ("withdrawn before" if again else "claim-closed") in said
    assert counting(home) == before


def test_an_act_of_nobody_known_can_be_withdrawn_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON))
    home = make_home(tmp_path, monkeypatch)
    submit(home, A, [seen("a-1", "an", 0, 30)])
    (row,) = rows_of(home)

    assert run(["withdraw", row.id, "--home", str(home)]) == 0
    assert counting(home) == set()
    assert audited(home).differences == []


def test_a_coordinator_sees_the_pair_and_no_minute(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = chain(home)
    (pair,) = answer(capsys, "claims", "list", "--home", home, "--platform", A)
    shown = answer(capsys, "claims", "show", ids["b-1"], "--home", home)

    assert (pair["record"], pair["platform"], pair["reason"]) == (ids["b-1"], B, "already-claimed")
    assert (pair["counts_instead"], pair["of_platform"]) == (ids["a-1"], A)
    assert (shown["claim"], shown["counts_instead"], shown["closes"]) == (
        "already-claimed",
        ids["a-1"],
        "2025-03-13",
    )
    (other,) = shown["one_act_with"]
    assert (other["record"], other["platform"], other["hour"]) == (ids["a-1"], A, "2025-03-10T00Z")
    assert "00:20" not in json.dumps([pair, shown])


def test_claims_close_three_days_after_the_act(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain(home)
    answer(capsys, "claims", "close", "2025-03-10", "--home", home, code=4)
    answer(capsys, "claims", "close", "10 March", "--home", home, code=2)
    assert list((home / "index").glob("claims-*"))

    monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON + timedelta(days=3)))
    said = answer(capsys, "claims", "close", "2025-03-10", "--home", home)
    assert said == {"closed_through": "2025-03-10"}
    assert not list((home / "index").glob("claims-*"))
    assert audited(home).differences == []


def test_a_day_statement_counts_what_counts_and_says_how_many_do_not(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    persons = [f"p{number}" for number in range(12)]
    monkeypatch.undo()
    monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON))
    home = linked_home(home.parent, monkeypatch, persons, name="many")
    submit(home, B, [seen(f"b-{one}", one, 0, 30) for one in persons])
    submit(home, A, [seen(f"a-{one}", one, -5, 30) for one in persons])
    monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON + timedelta(days=3)))
    for platform in (A, B):
        answer(capsys, "statements", "close", "2025-03-10", "--home", home, "--platform", platform)

    from gateway.app.base.home import open_home

    with open_home(home) as opened:
        entries = [json.loads(entry)["body"] for entry in opened.log.entries(0)]
    first, second = [body for body in entries if body["type"] == "tanqiao/day/1"]
    assert [cell["count"] for cell in first["cells"]] == [12]
    assert first["rejected"] == []
    assert second["cells"] == []
    assert second["rejected"] == [{"code": "already-claimed", "count": 12}]
    assert audited(home).differences == []


def link_by_command(home: Path, patch: pytest.MonkeyPatch, platform: str, identity: str, **more: str) -> int:
    stdin = SimpleNamespace(buffer=io.BytesIO(identity.encode()))
    patch.setattr("sys.stdin", stdin)
    given = {"user": "an", "consent": "form 7", **more}
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    return run(["link", "--home", str(home), "--platform", platform, *options, "--format", "json"])


def test_linking_keeps_a_pseudonym_and_never_the_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path, monkeypatch)
    said = []
    for platform, identity in (
        (A, "11010119900307123x\n"),
        (B, "110101 19900307 123Ｘ"),
        (B, "110101199003071239"),
    ):
        capsys.readouterr()
        code = link_by_command(home, monkeypatch, platform, identity)
        said.append((code, json.loads(capsys.readouterr().out or "{}").get("platforms_of_person")))

    assert said == [(0, 1), (0, 2), (4, None)]
    assert stat.S_IMODE((home / "keys" / "person-1").stat().st_mode) == 0o600
    kept = b"".join(bytes_below(home).values())
    assert b"1101011990" not in kept


@pytest.mark.parametrize(
    ("identity", "more"),
    [("12345", {}), ("", {}), ("110101199003071234", {"consent": " "})],
    ids=["too short", "none", "no consent"],
)
def test_a_link_without_identity_or_consent_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, identity: str, more: dict[str, str]
) -> None:
    home = make_home(tmp_path, monkeypatch)

    assert link_by_command(home, monkeypatch, A, identity, **more) == 2


def test_a_new_epoch_keeps_who_is_linked_comparable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path, monkeypatch)
    monkeypatch.setattr(app_home, "SystemClock", lambda: At(NOON))
    link_by_command(home, monkeypatch, A, "110101199003071234")
    assert answer(capsys, "keys", "epoch", "--home", home) == {"key_epoch": 2}
    link_by_command(home, monkeypatch, B, "110101199003071234")
    assert json.loads(capsys.readouterr().out)["key_epoch"] == 1
    link_by_command(home, monkeypatch, A, "110101199003079999", user="bo")
    assert json.loads(capsys.readouterr().out)["key_epoch"] == 2

    submit(home, A, [seen("a-1", "an", 0, 30)])
    submit(home, B, [seen("b-1", "an", 0, 30)])
    assert len(counting(home)) == 1


def test_who_is_unlinked_is_compared_no_more(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "unlink", "--home", home, "--platform", B, "--user", "an")
    answer(capsys, "unlink", "--home", home, "--platform", B, "--user", "an", code=3)
    submit(home, A, [seen("a-1", "an", 0, 30)])
    submit(home, B, [seen("b-1", "an", 0, 30)])

    assert counting(home) == {(A, "a-1"), (B, "b-1")}


def test_an_erased_person_has_no_link_and_no_interval_and_what_counted_stays(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain(home)
    said = answer(capsys, "erase", "--home", home, "--platform", A, "an")

    assert (said["records"], said["links"]) == (1, 1)
    assert not list((home / "index").glob("claims-*"))
    assert counting(home) == {(A, "None"), (C, "c-1")}
    assert audited(home).differences == []

    refused = submit(home, B, [seen("b-2", "an", 1, 29)]).counts.rejected
    assert dict(refused) == {"late": 1}  # whether the erased act was this one can be told no more
    later = submit(home, B, [seen("b-3", "an", 2 * 1440, 2 * 1440 + 30)], now=DAWN + timedelta(days=2)).counts
    assert later.accepted == 1


def test_a_link_without_any_act_is_erased_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = answer(capsys, "erase", "--home", home, "--platform", B, "an")

    assert (said["records"], said["links"]) == (0, 1)
    answer(capsys, "erase", "--home", home, "--platform", B, "an", code=2)  # nothing of B is left


def test_an_audit_notices_a_state_that_no_reversal_gives(home: Path) -> None:
    from gateway.app.base.home import open_home
    from gateway.ports import ClaimDecision, ClaimState

    ids = chain(home)
    with open_home(home, writing=True) as opened:
        record = bytes.fromhex(ids["b-1"])
        opened.journal.claims.decide(ClaimDecision(states={record: ClaimState.HOLDS}))

    (first, *_) = audited(home).differences
    assert "counts otherwise than its reversals say" in first


def test_an_audit_notices_a_reversal_that_was_changed(home: Path) -> None:
    chain(home)
    path = next((home / "reversals").glob("*.ndjson"))
    path.write_bytes(path.read_bytes().replace(b"already-claimed", b"withdrawn"))

    assert any("is not the file that was written" in one for one in audited(home).differences)
