"""Every byte that a home publishes or keeps as a record, and every byte of a receipt, is held to its digest.

``TANQIAO_TAMPER`` says how many bytes of each file are changed (8 when unset, ``all`` for every one);
``TANQIAO_SEED`` repeats a run: it chooses where the changes begin and which bits change.
"""

import copy
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from gateway.app.base.home import OpenHome, open_home
from gateway.app.base.kinds import shipped
from gateway.app.base.mappings import journal_replayer
from gateway.app.records.check import audited_books, receipt_of, verifier
from gateway.app.records.days import close_day_of
from gateway.cli.output import exit_code
from gateway.cli.root import run
from gateway.errors import GatewayError, IntegrityBroken
from gateway.model.shape import Shape
from gateway.resources import schema
from gateway.service.audit import Auditing, QuickLook, audit_home
from gateway.service.receipts.proving import ReceiptVerifier
from gateway.service.receipts.replaying import Replayer
from gateway.store.journal.publications import SqlPublications
from gateway.store.ledger.rebuild import RebuiltBooks
from gateway.store.sql.database import Database
from tests.fakes.homes import audited, bytes_below, convert_in_parts, make_home, rows_of, trips, write_trips

TAMPER = os.environ.get("TANQIAO_TAMPER", "8")
SEED = int(os.environ.get("TANQIAO_SEED", random.SystemRandom().randrange(10**6)))
RECEIPT_ROUNDS = 8 if TAMPER == "all" else 40  # a receipt is quick to look at
ROOT = Path(__file__).resolve().parents[2]
WUHAN_V2 = ROOT / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small home: four records in two batches, a closed day, seven kinds of published files."""
    made = make_home(tmp_path, monkeypatch)
    convert_in_parts(made, [write_trips(tmp_path / "a.ndjson", trips(4, days=1))], 2)
    close_day_of(made, "2025-03-10")
    assert audited(made).differences == []
    return made


def tampered(data: bytes, rng: random.Random) -> Iterator[tuple[int, bytes]]:
    """Change one byte at a time: each, or some evenly over the file from a chosen place on."""
    step = 1 if TAMPER == "all" else max(1, len(data) // int(TAMPER))
    for place in range(rng.randrange(step), len(data), step):
        yield place, data[:place] + bytes([data[place] ^ rng.randrange(1, 256)]) + data[place + 1 :]


class CapUsage:
    """What an audit counts of caps, in a dict: a database for each of many audits would take most time."""

    def __init__(self) -> None:
        self._usage: dict[bytes, int] = {}

    def cap_usage(self, keys: list[bytes]) -> dict[bytes, int]:
        return {key: self._usage[key] for key in keys if key in self._usage}

    def store_cap_usage(self, usage: Mapping[bytes, int]) -> None:
        self._usage |= usage

    def all_cap_usage(self) -> Iterator[tuple[bytes, int]]:
        yield from sorted(self._usage.items())


def said_by_audit(opened: OpenHome, replayer: Replayer, *, rebuilt: RebuiltBooks) -> str:
    """Audit as the command does, and return what it says: differences, or the error that ends it."""
    quick = QuickLook(
        issuer=opened.facts.issuer,
        records=opened.records,
        index=opened.index(),
        replayer=replayer,
        published={"sha256:" + mapping.digest: mapping.position for mapping in opened.journal.mappings()},
    )
    try:
        parts = Auditing(
            issuer=opened.facts.issuer,
            journal=opened.journal,
            publications=SqlPublications(opened.database),
            records=opened.records,
            erasures=opened.erasures,
            findings=opened.findings,
            reversals=opened.reversals,
            kinds=shipped(),
            log=copy.copy(opened.log),  # one that has read nothing yet
            index=opened.index(),
            replayer=replayer,
            caps=CapUsage(),
            books=audited_books(opened, rebuilt),
            policy=opened.trust.policy(),
            ring=opened.trust.ring_bytes(),
            statement_shape=Shape(schema("statement")),
            require_pinned=opened.trust.require_pinned,
            look=quick.looks,
        )
        return "\n".join(audit_home(parts).differences)
    except IntegrityBroken as error:
        return str(error)


def test_every_changed_byte_of_a_kept_file_is_refused_and_its_file_named(home: Path) -> None:
    """Bytes that mean nothing, such as Parquet's padding, count too: the digest covers the whole file."""
    rng = random.Random(SEED)
    refused: Counter[str] = Counter()
    with (
        open_home(home) as opened,
        closing(Database(home.parent / "audit.db")) as books,
        RebuiltBooks(opened.database, books) as rebuilt,
    ):
        replayer = journal_replayer(opened.journal)
        assert said_by_audit(opened, replayer, rebuilt=rebuilt) == ""
        for path, data in bytes_below(home / "log", home / "records", home / "index", home / "trust").items():
            name = path.relative_to(home).as_posix()
            for place, changed in tampered(data, rng):
                path.write_bytes(changed)
                said = said_by_audit(opened, replayer, rebuilt=rebuilt)
                assert name.removeprefix("log/") in said, (SEED, name, place, said)
                refused[name.split("/000", 1)[0].split("/platform", 1)[0].split("-", 1)[0]] += 1
            path.write_bytes(data)
        assert said_by_audit(opened, replayer, rebuilt=rebuilt) == ""
    print(f"seed {SEED}, bytes changed and refused: {dict(refused)}")  # noqa: T201

    assert set(refused) == {
        "index/events", "log/checkpoint", "log/tile/0", "log/tile/entries", "records",
        "trust/keys.json", "trust/policy",
    }  # fmt: skip


def test_the_command_leaves_with_6_for_a_changed_byte_of_each_file(home: Path) -> None:
    rng = random.Random(SEED)
    for path, data in bytes_below(home / "log", home / "records", home / "index", home / "trust").items():
        place = rng.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ rng.randrange(1, 256)]) + data[place + 1 :])
        assert run(["audit", "--home", str(home)]) == 6, (SEED, path, place)
        path.write_bytes(data)
    assert run(["audit", "--home", str(home)]) == 0


def test_every_changed_byte_of_a_receipt_is_refused(home: Path) -> None:
    """What is no receipt any more is malformed (4); whatever still is one contradicts what was signed (6)."""
    rng = random.Random(SEED)
    policy, ring = (home / "trust" / "policy").read_bytes(), (home / "trust" / "keys.json").read_bytes()
    checks = verifier(policy, ring, mappings=[WUHAN_V2])
    receipt = receipt_of(home, rows_of(home)[0].id, disclose=["event", "subject"]).rstrip(b"\n")
    checks.verify(receipt)
    codes: Counter[int] = Counter()
    alike: Counter[int] = Counter()
    for _ in range(RECEIPT_ROUNDS):
        for place, changed in tampered(receipt, rng):
            codes[refusal(checks, changed)] += 1
            if receipt[place : place + 1].isalnum():
                another = receipt[:place] + next_alike(receipt[place]) + receipt[place + 1 :]
                alike[refusal(checks, another)] += 1
    print(f"seed {SEED}, bytes changed: {dict(codes)} by exit code, into their like: {dict(alike)}")  # noqa: T201

    assert set(codes) | set(alike) == {4, 6}
    assert alike[6] > alike[4]


def refusal(checks: ReceiptVerifier, changed: bytes) -> int:
    """Return the exit code with which a changed receipt is refused."""
    with pytest.raises(GatewayError) as refused:
        checks.verify(changed)
    return exit_code(refused.value)


def next_alike(character: int) -> bytes:
    """Return another digit for a digit, and another letter for a letter of the same case and alphabet."""
    for alphabet in (b"0123456789", b"abcdef", b"ghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
        if character in alphabet:
            return alphabet[(alphabet.index(character) + 1) % len(alphabet) :][:1]
    raise AssertionError(character)
