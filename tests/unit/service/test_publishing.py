"""What the queue holds is published only as this home has signed it: the log cannot take it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app.base.home import OpenHome, open_home
from gateway.cli.root import run
from gateway.errors import IntegrityBroken
from gateway.model.statement import KeyChange
from gateway.service.publishing import publish_queue
from gateway.signing import Signer, TrustedKey, seal
from gateway.store.files.keys import create_signing_key
from tests.fakes.homes import WUHAN, bytes_below, change_database, convert, make_home, trips, write_trips

ISSUED = "2026-01-01T00:00:00Z"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home with one batch."""
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(5)))
    return home


@pytest.fixture
def opened(root: Path) -> Iterator[OpenHome]:
    """Open that home for writing."""
    with open_home(root, writing=True) as found:
        yield found


def statement(opened: OpenHome, *signers: Signer, issuer: str = "", keys_digest: str = "sha256:00") -> bytes:
    """Seal an announcement of the home's own record key."""
    (own,) = opened.record_signers()
    body = KeyChange(
        issuer=issuer or opened.facts.issuer,
        action="added",
        key=own.key_id,
        purpose="record",
        keys_digest=keys_digest,
        issued=ISSUED,
    ).body()
    return seal(body, signers or [own])


def require_refused(opened: OpenHome, entry: bytes, *, said: str = "this home signed it") -> None:
    """Queue an entry and check that it is named, and that the log stays as it is."""
    size, before = opened.log.size, bytes_below(opened.home.log)
    opened.journal.queue(entry)

    with pytest.raises(IntegrityBroken, match=said) as refused:
        publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)

    assert f"queued entry {size} " in str(refused.value)
    assert refused.value.code == "integrity-broken"
    assert (opened.log.size, bytes_below(opened.home.log)) == (size, before)


def test_an_entry_as_it_was_signed_is_published(opened: OpenHome) -> None:
    size = opened.log.size
    opened.journal.queue(statement(opened))

    publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)

    assert opened.log.size == size + 1
    assert opened.log.entry(size) == statement(opened)


@pytest.mark.parametrize("place", [0, 60, 200, -40, -1])
def test_a_changed_byte_of_an_entry_is_refused(opened: OpenHome, place: int) -> None:
    entry = bytearray(statement(opened))
    entry[place] ^= 1

    require_refused(opened, bytes(entry))


def test_one_bad_entry_holds_back_the_good_ones_with_it(opened: OpenHome) -> None:
    size = opened.log.size
    opened.journal.queue(statement(opened))
    opened.journal.queue(statement(opened)[:-1])

    with pytest.raises(IntegrityBroken, match=f"queued entry {size + 1} "):
        publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)

    assert opened.log.size == size


def test_an_entry_by_a_key_that_is_not_trusted_is_refused(opened: OpenHome, tmp_path: Path) -> None:
    stranger = create_signing_key(tmp_path / "stranger", "record")

    require_refused(opened, statement(opened, stranger), said="is not in the trust file")


def test_an_entry_in_the_name_of_another_is_refused(opened: OpenHome) -> None:
    require_refused(opened, statement(opened, issuer="somebody.else"), said="expected a statement of")


def test_a_change_of_keys_that_only_the_new_key_has_signed_is_refused(
    opened: OpenHome, tmp_path: Path
) -> None:
    """Who may write the database and the trust folder, but has no key, cannot bring one in."""
    stranger = create_signing_key(tmp_path / "stranger", "record")
    added = TrustedKey(purpose="record", public=stranger.public, since=opened.log.size)
    staged = opened.trust.stage(opened.trust.ring().added(added))
    ring = opened.trust.ring_bytes()

    require_refused(opened, statement(opened, stranger, keys_digest=staged), said="this has 0")
    assert opened.trust.ring_bytes() == ring
    opened.trust.require_pinned()


def test_nothing_is_published_under_a_key_ring_that_was_not_pinned(opened: OpenHome) -> None:
    path = opened.home.key_ring
    path.write_bytes(path.read_bytes().replace(b'"since":0', b'"since":1', 1))
    size = opened.log.size
    opened.journal.queue(statement(opened))

    with pytest.raises(IntegrityBroken, match=r"trust/keys\.json"):
        publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)

    assert opened.log.size == size


def test_the_key_ring_is_not_asked_for_where_nothing_is_queued(opened: OpenHome) -> None:
    asked = []

    publish_queue(opened.journal, opened.log, rings=lambda: asked.append(1) or opened.publishing_rings())

    assert asked == []


def test_a_command_after_a_kill_leaves_a_changed_entry_unpublished(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run was killed between its decision and the log; then somebody changed what waits there."""
    with open_home(root, writing=True) as opened:
        opened.journal.queue(statement(opened))
        size = opened.log.size
    change_database(
        root,
        "UPDATE queue SET entry = CAST(replace(entry, 'added', 'added ') AS BLOB) WHERE position = ?",
        size,
    )
    before = bytes_below(root / "log", root / "records")
    file = write_trips(tmp_path / "b.ndjson", trips(5, first=100))

    code = run(["convert", "--home", str(root), "--mapping", WUHAN, "--format", "json", str(file)])

    assert code == 6
    assert f"queued entry {size} " in capsys.readouterr().err
    assert bytes_below(root / "log", root / "records") == before
