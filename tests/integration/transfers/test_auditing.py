"""An audit rebuilds all of the transfers from log, records and journal, and names whatever was changed."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.app.base.home import open_home
from gateway.app.log.decision_log import DecisionDuty, decision_receipt, publish_decisions, verify_decision
from gateway.app.records.check import audit
from gateway.app.records.erase import erase
from gateway.app.transfers.operating import show
from gateway.errors import GatewayError, IntegrityBroken, NotFound
from gateway.ports import ClaimDecision, ClaimState
from gateway.service.audit import AuditReport
from tests.fakes.corridors import DESTINATION, SOURCE, Between, between_cities, transfer_id

pytestmark = pytest.mark.xdist_group("transfers")
COMMITTED, REJECTED, BACK, ABORTED = (transfer_id() for _ in range(4))
Change = Callable[[sqlite3.Connection], object]


class Moved(NamedTuple):
    """A home of four transfers: two committed and in the log, one never taken up, one aborted since."""

    home: Path
    between: Between


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    folder = tmp_path_factory.mktemp("auditing")
    limit = {"net_debit_cap_mg": "50000"}
    with pytest.MonkeyPatch.context() as patch, between_cities(folder, patch, **limit) as between:
        with between.carried():
            between.start(between.quote(60), name=COMMITTED)
            between.until(COMMITTED, "committed")
            publish_decisions(between.home)
            other = {"destination_account": f"{DESTINATION}-00002"}
            between.start(between.quote(10), name=REJECTED, **other)
            own = [lot.record for lot in between.quote(9999, source=DESTINATION).quote.lots if not lot.lot]
            between.start(between.quote(30, source=DESTINATION, records=own), name=BACK)
            between.until(BACK, "committed")
            publish_decisions(between.home)
            between.start(between.quote(90, source=DESTINATION), name=ABORTED)
            assert between.until(ABORTED, "aborted")["reason"] == "position-limit"
        yield Moved(between.home, between)


@pytest.fixture
def copied(moved: Moved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy with a checkpoint store of its own, so that its log may grow."""
    monkeypatch.setenv("TANQIAO_STATE", str(shutil.copytree(moved.home.parent / "state", tmp_path / "state")))
    return Path(shutil.copytree(moved.home, tmp_path / "home"))


def audited(home: Path) -> AuditReport:
    return audit(home, lambda _rows: None)


def test_a_home_that_nobody_touched_passes_with_every_part_looked_at(moved: Moved) -> None:
    report = audited(moved.home)
    looked_at = {check.name: check.looked_at for check in report.checks}

    assert report.differences == []
    assert looked_at["transfers"] == 4
    assert looked_at["decisions in the log"] == 2
    assert looked_at["transfer amounts"] >= 2
    assert looked_at["transfer journal"] >= 4


def test_an_audit_passes_after_both_ends_of_a_person_were_forgotten(moved: Moved, copied: Path) -> None:
    corridor = moved.between.corridor()
    for account, platform in ((SOURCE, corridor.source), (DESTINATION, corridor.destination)):
        erase(copied, f"{account}-00001", platform=platform)

    assert audited(copied).differences == []


def sql(statement: str) -> Change:
    def change(database: sqlite3.Connection) -> object:
        done = database.execute(statement)
        assert done.rowcount >= 1
        return done

    return change


def body(table: str, change: Callable[[Any], object]) -> Change:
    """Change the body of the first entry of a table of the journal."""

    def run(database: sqlite3.Connection) -> None:
        query = f"SELECT number, body FROM {table} WHERE body LIKE '%{COMMITTED}%'"  # noqa: S608 - our own names
        number, text = database.execute(query).fetchone()
        document = json.loads(text)
        change(document)
        changed = json.dumps(document, separators=(",", ":"))
        assert changed != text
        database.execute(f"UPDATE {table} SET body = ? WHERE number = ?", (changed, number))  # noqa: S608 - likewise

    return run


def put(*path: int, by: Any) -> Callable[[Any], object]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = by(document[path[-1]]) if callable(by) else by

    return change


def document(change: Callable[[Any], object]) -> Change:
    """Change what is kept of the first transfer."""

    def run(database: sqlite3.Connection) -> None:
        (text,) = database.execute("SELECT document FROM transfers WHERE id = ?", (COMMITTED,)).fetchone()
        found = json.loads(text)
        change(found)
        changed = json.dumps(found, separators=(",", ":"))
        assert changed != text
        database.execute("UPDATE transfers SET document = ? WHERE id = ?", (changed, COMMITTED))

    return run


def second_decision(database: sqlite3.Connection) -> None:
    """Decide a transfer once more, under another name, as the newest entry of the journal."""
    (head,) = database.execute("SELECT number FROM ledger_head").fetchone()
    (text,) = database.execute("SELECT body FROM decisions WHERE transfer = ?", (COMMITTED,)).fetchone()
    again = json.loads(text)
    again[0], again[2] = head + 1, "ABORT"
    database.execute("INSERT INTO decisions VALUES (?, ?, ?)", ("tr_again", head + 1, json.dumps(again)))
    database.execute("UPDATE ledger_head SET number = ?", (head + 1,))


R_PARTS = 6  # where a reservation has its parts; in a part: 3 recognised, 4 points that come, 6 dust
CHANGES: dict[str, tuple[Change, str]] = {
    "a lot is used less": (
        sql("UPDATE lots SET moved_mg = moved_mg - 1 WHERE moved_mg > 0"),
        "transfer books: I2 lots",
    ),
    "a lot has lost its row": (sql("DELETE FROM lots WHERE origin <> ''"), "transfer books: I2 lots"),
    "a lot that nobody moved": (
        sql("UPDATE lots SET name = 'x' || name WHERE origin <> ''"),
        "the journal gives no such row",
    ),
    "a position": (
        sql("UPDATE positions SET committed_out = committed_out - 1 WHERE committed_out > 0"),
        "transfer books: I4 positions",
    ),
    "the limit of a position": (sql("UPDATE positions SET cap = cap + 1"), "transfer books: I4 positions"),
    "a balance": (
        sql("UPDATE accounts SET balance = balance + 1 WHERE kind = 'held'"),
        "transfer books: I1 accounts",
    ),
    "what a person has moved today": (
        sql("UPDATE counters SET used = 0 WHERE used > 0"),
        "transfer books: I12 counters",
    ),
    "what has moved in a window": (sql("UPDATE flows SET mg = mg + 1"), "transfer books: I8 flows"),
    "a window": (sql("UPDATE windows SET state = 'SETTLED'"), "transfer books: I12 windows"),
    "the head of the chain": (
        sql("UPDATE ledger_head SET decision = 'sha256:0'"),
        "transfer books: I5 ledger_head",
    ),
    "a posting": (sql("UPDATE postings SET amount = amount + 1 WHERE number = 3"), "transfer journal: I1"),
    "a posting is gone": (sql("DELETE FROM postings WHERE line = 1"), "transfer journal: I1"),
    "a verdict": (body("decisions", put(2, by="ABORT")), "transfer journal: I5"),
    "the amounts of a decision": (body("decisions", put(7, 0, by=lambda mg: mg + 1)), "transfer journal: I5"),
    "the chain": (body("decisions", put(8, by="sha256:" + 64 * "1")), "transfer journal: I5"),
    "the moment of a decision": (
        body("decisions", put(5, by="2026-01-01T00:00:00Z")),
        "decisions in the log: decisions 0: I12",
    ),
    "a decision is gone": (
        sql(f"DELETE FROM decisions WHERE transfer = '{COMMITTED}'"),  # noqa: S608 - our own name
        "transfer journal: the journal has no sound entry",
    ),
    "a decision that was logged is gone": (
        sql(f"DELETE FROM decisions WHERE transfer = '{COMMITTED}'"),  # noqa: S608 - our own name
        "decisions in the log: decisions 0: I5",
    ),
    "a decision is none any more": (
        sql(f"UPDATE decisions SET body = 'x' WHERE transfer = '{COMMITTED}'"),  # noqa: S608 - our own name
        "a row holds no decision",
    ),
    "a reservation is none any more": (
        sql("UPDATE reservations SET body = '[]'"),
        "a row holds no reservation",
    ),
    "a second decision": (second_decision, "kept as one about tr_again"),
    "a decision about another transfer": (
        sql(f"UPDATE decisions SET transfer = 'tr_x' WHERE transfer = '{COMMITTED}'"),  # noqa: S608 - our own name
        "I12 tr_x was reserved or decided, and is not there",
    ),
    "what a reservation recognises": (
        body("reservations", put(R_PARTS, 0, 3, by=lambda mg: mg - 1)),
        "transfer amounts: I7",
    ),
    "the points that come": (
        body("reservations", put(R_PARTS, 0, 4, by=lambda points: points + 1)),
        "transfer amounts: I7",
    ),
    "the dust": (body("reservations", put(R_PARTS, 0, 6, by="0/7")), "transfer amounts: I7"),
    "what a lot held": (
        body("reservations", put(R_PARTS, 0, 7, 3, by=lambda mg: mg + 1)),
        "transfer amounts: I2",
    ),
    "a longer life": (
        body("reservations", put(R_PARTS, 0, 5, by=lambda day: day + 30)),
        "transfer journal: I12 entry 3 could not have been made: I11",
    ),
    "a shorter life": (
        body("reservations", put(R_PARTS, 0, 5, by=lambda day: day - 30)),
        "transfer amounts: I11",
    ),
    "a day limit": (body("reservations", put(7, 0, 2, by=lambda mg: mg + 1)), "transfers: I4"),
    "an older day": (body("reservations", put(5, by=lambda day: day - 1)), "transfers: I4"),
    "the state of a transfer": (
        sql(f"UPDATE transfers SET state = 'RESERVED' WHERE id = '{COMMITTED}'"),  # noqa: S608 - our own name
        "transfers: I12",
    ),
    "the quote of a transfer": (document(put(1, 7, 0, 13, by=lambda points: points + 1)), "transfers: I12"),
    "the person of a transfer": (document(put(0, 0, 6, by=64 * "0")), "transfers: I2"),
    "a transfer is gone": (
        sql(f"DELETE FROM transfers WHERE id = '{COMMITTED}'"),  # noqa: S608 - our own name
        f"I12 {COMMITTED} was reserved or decided",
    ),
    "an answer": (
        sql("UPDATE requests SET answer = replace(answer, 'true', 'false') WHERE answer LIKE '%true%'"),
        "transfers: I10",
    ),
    "a request": (sql("UPDATE requests SET body = body || ' '"), "transfers: I10"),
    "a request is gone": (sql("DELETE FROM requests"), "transfers: I10"),
    "an end of a transfer": (sql("DELETE FROM transfer_ends"), "it is not found by its platforms"),
    "the account's person": (
        sql("UPDATE links SET person = x'00', linked = '2000-01-01T00:00:00Z'"),
        "the record is another person's",
    ),
    "an agreement that is not in the log": (
        sql("UPDATE corridor_documents SET position = NULL"),
        "does not stand in the log",
    ),
    "the root of logged decisions": (
        sql("UPDATE decision_batches SET root = zeroblob(32)"),
        "the journal does not know these decisions, or states them differently",
    ),
    "logged decisions are forgotten": (
        sql("DELETE FROM decision_batches"),
        "the journal does not know these decisions",
    ),
}


@pytest.mark.parametrize(("change", "told"), CHANGES.values(), ids=CHANGES.keys())
def test_whatever_was_changed_is_named(copied: Path, change: Change, told: str) -> None:
    with closing(sqlite3.connect(copied / "tanqiao.db")) as database, database:
        change(database)

    differences = audited(copied).differences

    assert [one for one in differences if told in one], differences


def test_a_moved_record_for_which_another_counts_is_named(moved: Moved, copied: Path) -> None:
    record = bytes.fromhex(str(moved.between.show(COMMITTED)["records"][0]))
    with open_home(copied, writing=True) as opened:
        opened.journal.claims.decide(ClaimDecision(states={record: ClaimState.SET_OFF}))

    assert [one for one in audited(copied).differences if one.startswith("transfer amounts: I14")]


def test_nothing_is_signed_over_a_decision_that_was_changed(copied: Path) -> None:
    """What the log has signed cannot be taken back: a broken chain stops before it."""
    with open_home(copied) as opened:
        before = opened.log.size
    with closing(sqlite3.connect(copied / "tanqiao.db")) as database, database:
        chain = "UPDATE decisions SET body = replace(body, 'sha256:', 'sha256:0') WHERE transfer = ?"
        database.execute(chain, (ABORTED,))

    with pytest.raises(IntegrityBroken, match=ABORTED):
        publish_decisions(copied)
    with open_home(copied) as opened:
        assert opened.log.size == before


def test_a_decision_that_cannot_be_read_stops_nobody_who_waits_for_something_else(
    copied: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(copied / "tanqiao.db")) as database, database:
        database.execute("UPDATE decisions SET body = 'x' WHERE transfer = ?", (ABORTED,))

    with open_home(copied) as opened:
        assert not DecisionDuty(opened).is_due()
    assert "could not be put into the log" in caplog.text


def test_a_decision_says_in_which_entry_it_stands_once_it_is_published(copied: Path) -> None:
    assert "log_entry" not in show(copied, ABORTED)

    assert publish_decisions(copied)["decisions"] == 1
    assert publish_decisions(copied)["decisions"] == 0
    entry = show(copied, ABORTED)["log_entry"]
    with open_home(copied) as opened:
        assert b"tanqiao/transfers/1" in opened.log.entry(int(str(entry)))
    assert audited(copied).differences == []


def test_a_receipt_proves_a_decision_to_whoever_has_the_trust_files(copied: Path, tmp_path: Path) -> None:
    proof, trust = tmp_path / "decision.json", copied / "trust"
    for name in (COMMITTED, BACK):
        proof.write_bytes(decision_receipt(copied, name))
        assert verify_decision(proof, trust)["transfer"] == name
    with pytest.raises(NotFound, match="does not stand in the log yet"):
        decision_receipt(copied, ABORTED)
    with pytest.raises(NotFound, match="nothing was decided"):
        decision_receipt(copied, REJECTED)


@pytest.mark.parametrize(
    ("was", "becomes", "code"),
    [
        (b'"COMMIT"', b'"ABORT"', "proof-invalid"),
        (b'"window":1', b'"window":2', "proof-invalid"),
        (b'"index":0,"size":1}', b'"index":0,"size":2}', "receipt-mismatch"),
        (b'"chain":"sha256:', b'"chain":"sha256:0', "malformed-document"),
        (b'"sequence":0', b'"sequence":1', "proof-invalid"),
    ],
)  # fmt: skip
def test_a_receipt_of_a_decision_that_was_changed_is_refused(
    moved: Moved, tmp_path: Path, was: bytes, becomes: bytes, code: str
) -> None:
    proof, good = tmp_path / "decision.json", decision_receipt(moved.home, COMMITTED)
    assert was in good
    proof.write_bytes(good.replace(was, becomes, 1))

    with pytest.raises(GatewayError) as refused:
        verify_decision(proof, moved.home / "trust")
    assert refused.value.code == code
