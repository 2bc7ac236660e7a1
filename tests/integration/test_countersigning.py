"""Versions that maintainers sign one by one: kept by whoever answers, published once by whoever writes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.app.base.home import open_home
from gateway.app.base.mappings import Versions
from gateway.app.reviewing.publications import approved_at, judging, maintaining
from gateway.convert import MappingRefused
from gateway.errors import ChecksFailed, GatewayError, MalformedDocument, NotFound, Refused
from gateway.model.canonical import canonical_bytes
from gateway.ports import MappingPublication, PublicationState
from gateway.service.acts.scheme import MappingNotAdmitted
from gateway.service.mappings.approving import ApprovalRefused, QuorumMissing
from gateway.service.mappings.catalogue import MappingChanged
from gateway.service.mappings.countersigning import (
    TooLateToWithdraw,
    missing_keys,
    publish_due,
    receive_publication,
    withdraw_publication,
)
from gateway.service.mappings.maintaining import PublicationWithdrawn
from gateway.store.journal.publications import SqlPublications
from tests.acceptance.commands import tanqiao
from tests.fakes.homes import WUHAN, audited, change_database, convert, make_home, rows_of, trip, write_trips
from tests.fakes.publications import (
    LI,
    STRANGER,
    WANG,
    ZHAO,
    MaintainerKey,
    name_maintainers,
    named,
    signed_by,
    version_three,
)
from tests.fakes.revisions import set_back
from tests.fakes.servers import PostgresServer, keep_in
from tests.fakes.serving import PlatformSigner

pytestmark = pytest.mark.xdist_group("servers")
ROOT = Path(__file__).resolve().parents[2]
THIRD = version_three()
State = PublicationState
PLATFORM = "cn-420100/wuhan"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_home(tmp_path, monkeypatch, profile="default")
    name_maintainers(made)
    return made


def receive(home: Path, data: bytes, sender: str = "") -> MappingPublication:
    with open_home(home) as opened:
        return receive_publication(data, judging(opened, Versions()), sender=sender)


def withdraw(home: Path, text: bytes = THIRD, asker: str = "") -> MappingPublication:
    with open_home(home) as opened:
        return withdraw_publication(named(text), judging(opened, Versions()), asker=asker)


def waiting(home: Path, platform: str = "", *, before: int | None = None, limit: int = 9) -> list[str]:
    """Return the digests of what is listed."""
    with open_home(home) as opened:
        found = SqlPublications(opened.database).open(platform, before=before, limit=limit)
    return ["sha256:" + one.digest for one in found]


def publish(home: Path) -> int:
    with open_home(home, writing=True) as opened:
        return publish_due(maintaining(opened, Versions()))


def kept(home: Path, text: bytes = THIRD) -> MappingPublication:
    with open_home(home) as opened:
        found = SqlPublications(opened.database).publication(named(text).removeprefix("sha256:"))
        assert found is not None
        return found


def published(home: Path) -> list[tuple[str, int]]:
    """Return the mappings of the log."""
    with open_home(home) as opened:
        bodies = [json.loads(entry)["body"] for entry in opened.log.entries(0)]
    return [(body["mapping"]["id"], len(body.get("approvals", []))) for body in bodies if "mapping" in body]


def test_a_version_waits_until_enough_have_signed_and_is_published_once(home: Path) -> None:
    first = receive(home, signed_by(THIRD, LI), "cn-420100/wuhan")
    again = receive(home, signed_by(THIRD, LI))
    with open_home(home) as opened:
        missing = missing_keys(first, judging(opened, Versions()).maintainers())
    assert (first.state, again, missing) == (State.WAITING, first, [WANG.key_id, ZHAO.key_id])
    assert (publish(home), published(home)) == (0, [])

    enough = receive(home, signed_by(THIRD, ZHAO))
    assert (enough.state, [one.key for one in enough.signatures]) == (State.SIGNED, [LI.key_id, ZHAO.key_id])
    assert (publish(home), publish(home)) == (1, 0)

    done = kept(home)
    assert (done.state, published(home)) == (State.PUBLISHED, [(WUHAN, 2)])
    assert receive(home, signed_by(THIRD, WANG)) == done
    with open_home(home) as opened:
        assert [(one.id, one.version) for one in approved_at(opened)()] == [(WUHAN, 3)]
    assert audited(home).differences == []


def test_both_ways_publish_alike(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entries differ in nothing but their moment; the catalogue is the same."""
    (tmp_path / "p.json").write_bytes(signed_by(THIRD, LI, WANG))
    other = make_home(tmp_path, monkeypatch, profile="default", name="other")
    name_maintainers(other)
    receive(home, signed_by(THIRD, LI, WANG))

    publish(home)
    assert (
        tanqiao("mapping", "publish", "--publication", tmp_path / "p.json", "--home", other).returncode == 0
    )

    found = []
    for one in (home, other):
        with open_home(one) as opened:
            body = json.loads(opened.journal.queued(opened.log.size - 1, 1)[0])["body"]
            found.append((body["mapping"], body["approvals"], [p.digest for p in approved_at(opened)()]))
    assert found[0] == found[1]
    assert kept(home)._replace(received="") == kept(other)._replace(received="")


def test_conversions_by_the_mappings_name_take_what_was_published(home: Path, tmp_path: Path) -> None:
    file = write_trips(tmp_path / "a.ndjson", [trip(20)])
    receive(home, signed_by(THIRD, LI, WANG))
    publish(home)

    convert(home, file)

    assert [row.points for row in rows_of(home)] == [1658]
    assert audited(home).differences == []


def approval(**changes: object) -> bytes:
    document = json.loads(signed_by(THIRD, LI))
    document["approval"] |= changes
    return canonical_bytes(document)


SIGNATURE = json.loads(signed_by(THIRD, LI))["approval"]["signatures"][0]
WRONG: dict[str, tuple[bytes, type[GatewayError]]] = {
    "no JSON": (b"x", MalformedDocument),
    "no document": (b'{"approval":{}}', MalformedDocument),
    "another member": (b'{"document":"x","approval":{"body":{},"signatures":[],"x":1}}', MalformedDocument),
    "a value that is no base64": (approval(signatures=[SIGNATURE | {"value": "?"}]), MalformedDocument),
    "no signature": (approval(signatures=[]), ApprovalRefused),
    "a signature twice": (approval(signatures=[SIGNATURE, SIGNATURE]), ApprovalRefused),
    "a stranger's": (signed_by(THIRD, STRANGER), ApprovalRefused),
    "a stranger's beside a maintainer's": (signed_by(THIRD, LI, STRANGER), ApprovalRefused),
    "by a key for requests": (signed_by(THIRD, PlatformSigner(101)), ApprovalRefused),
    "over another version": (signed_by(THIRD, LI, identity=(WUHAN, 4)), ApprovalRefused),
    "over another mapping": (
        signed_by(THIRD, LI, identity=("cn-420100/wuhan/daily-life", 3)),
        ApprovalRefused,
    ),
    "over another text": (
        canonical_bytes(json.loads(signed_by(THIRD, LI)) | {"document": version_three("x").decode()}),
        ApprovalRefused,
    ),
    "over nothing of this": (approval(body={"type": "x"}), ApprovalRefused),
    "no mapping": (signed_by(b'{"x":"y"}', LI), MappingRefused),
    "not canonical": (signed_by(THIRD + b" ", LI), MappingRefused),
    "tests that fail": (signed_by(version_three(points="1"), LI), ChecksFailed),
    "no successor": (signed_by(version_three(supersedes="1"), LI), Refused),
    "figures without a source": (signed_by(version_three(status="illustrative"), LI), MappingNotAdmitted),
}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a home in which nothing is ever published."""
    with pytest.MonkeyPatch.context() as patch:
        made = make_home(tmp_path_factory.mktemp("quiet"), patch, profile="default")
        name_maintainers(made)
        yield made


@pytest.mark.parametrize(("data", "kind"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_and_not_kept(quiet: Path, data: bytes, kind: type[GatewayError]) -> None:
    with open_home(quiet) as opened:
        before = SqlPublications(opened.database).every()
        with pytest.raises(kind) as refused:
            receive_publication(data, judging(opened, Versions()))

        assert type(refused.value) is kind
        assert refused.value.remedy
        assert SqlPublications(opened.database).every() == before


def test_a_platform_hands_in_its_own_mappings_only(quiet: Path) -> None:
    with pytest.raises(NotFound):
        receive(quiet, signed_by(THIRD, LI), "cn-440300/shenzhen")


def test_without_maintainers_nothing_is_kept(home: Path) -> None:
    (home / "trust/maintainers.json").unlink()

    with pytest.raises(QuorumMissing) as refused:
        receive(home, signed_by(THIRD, LI, WANG))

    assert "operator" in refused.value.remedy


def test_a_number_that_was_published_takes_no_other_text(home: Path) -> None:
    """Several texts may wait for a number; the first that enough have signed has it."""
    other = version_three("Another title")
    receive(home, signed_by(THIRD, LI))
    receive(home, signed_by(other, LI, WANG))
    receive(home, signed_by(THIRD, ZHAO))
    publish(home)

    assert kept(home).state is State.PUBLISHED
    assert json.loads(kept(home, other).fault)["code"] == "mapping-changed"
    assert published(home) == [(WUHAN, 2)]
    with pytest.raises(MappingChanged):
        receive(home, signed_by(other, ZHAO))
    assert audited(home).differences == []


def test_who_is_no_maintainer_any_more_does_not_count(home: Path) -> None:
    receive(home, signed_by(THIRD, LI, WANG))
    name_maintainers(home, wang=WANG, zhao=ZHAO)

    publish(home)
    refused = kept(home)
    assert (refused.state, json.loads(refused.fault)["code"]) == (State.REFUSED, "quorum-missing")
    with pytest.raises(ApprovalRefused):
        receive(home, signed_by(THIRD, LI))
    assert receive(home, signed_by(THIRD, WANG)).state is State.WAITING

    assert receive(home, signed_by(THIRD, ZHAO)).state is State.SIGNED
    publish(home)
    assert published(home) == [(WUHAN, 2)]
    assert audited(home).differences == []


def test_a_list_of_maintainers_that_is_damaged_stops_nobody_else(home: Path) -> None:
    receive(home, signed_by(THIRD, LI, WANG))
    rules = (home / "trust/maintainers.json").read_text()
    (home / "trust/maintainers.json").write_text("{")

    assert (publish(home), kept(home).state) == (1, State.REFUSED)
    (home / "trust/maintainers.json").write_text(rules)
    receive(home, signed_by(THIRD, LI))

    assert (publish(home), kept(home).state) == (1, State.PUBLISHED)


NUMBERS = count()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[MaintainerKey]]]:
    with pytest.MonkeyPatch.context() as patch:
        home = make_home(tmp_path_factory.mktemp("large"), patch, profile="default")
        yield home, [MaintainerKey(seed) for seed in range(110, 118)]


@settings(
    max_examples=int(os.environ.get("TANQIAO_TEST_PUBLICATIONS", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_fewer_signatures_than_must_never_publish(
    large: tuple[Path, list[MaintainerKey]], data: st.DataObject
) -> None:
    """Whatever subset, in whatever order, in whatever documents, however often."""
    home, everybody = large
    keys = everybody[: data.draw(st.integers(2, 8), "n")]
    quorum = data.draw(st.integers(2, len(keys)), "m")
    signers = data.draw(st.lists(st.sampled_from(keys), unique=True, max_size=quorum - 1), "signers")
    sent = (
        data.draw(st.lists(st.lists(st.sampled_from(signers), min_size=1, unique=True), max_size=5))
        if signers
        else []
    )
    name_maintainers(home, quorum, **{f"m-{number}": key for number, key in enumerate(keys)})
    text = version_three(f"Title {next(NUMBERS)}")
    with open_home(home) as opened:
        parts = judging(opened, Versions())
        for some in sent:
            found = receive_publication(signed_by(text, *some), parts)
            assert found.state is State.WAITING
        assert parts.publications.due() == []
    assert (publish(home), published(home)) == (0, [])


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_of_those_who_sign_at_once_none_is_lost(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each knows of its own signature alone; together they are enough, and one of them sees that."""
    if kind == "PostgreSQL":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        keep_in(monkeypatch, postgres)
    home = make_home(tmp_path, monkeypatch, profile="default")
    keys = {f"m-{seed}": MaintainerKey(seed) for seed in range(110, 118)}
    name_maintainers(home, 8, **keys)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda key: receive(home, signed_by(THIRD, key)), keys.values()))

    assert sorted(one.state for one in found) == [State.SIGNED] + [State.WAITING] * 7
    assert (publish(home), published(home)) == (1, [(WUHAN, 8)])
    assert audited(home).differences == []


def test_what_was_withdrawn_waits_for_nobody_and_takes_no_more_signatures(home: Path, tmp_path: Path) -> None:
    receive(home, signed_by(THIRD, LI), PLATFORM)

    gone = withdraw(home, asker=PLATFORM)
    assert (gone.state, gone.proposer, len(gone.signatures)) == (State.WITHDRAWN, PLATFORM, 1)
    assert withdraw(home, asker=PLATFORM) == gone
    with pytest.raises(PublicationWithdrawn):
        receive(home, signed_by(THIRD, WANG), PLATFORM)
    (tmp_path / "p.json").write_bytes(signed_by(THIRD, LI, WANG))
    by_file = tanqiao("mapping", "publish", "--publication", tmp_path / "p.json", "--home", home)

    assert (by_file.returncode, "publication-withdrawn" in by_file.stderr) == (4, True)
    assert (waiting(home), publish(home), published(home)) == ([], 0, [])
    assert kept(home) == gone
    assert audited(home).differences == []


def test_only_who_handed_a_version_in_takes_it_back(home: Path) -> None:
    """Whoever brings more signatures for it later has not proposed it."""
    other = version_three("Another title")
    receive(home, signed_by(THIRD, LI), PLATFORM)
    receive(home, signed_by(other, LI))
    receive(home, signed_by(other, LI), PLATFORM)

    for text, asker in ((THIRD, ""), (THIRD, "cn-440300/shenzhen"), (other, PLATFORM)):
        with pytest.raises(NotFound):
            withdraw(home, text, asker=asker)
    with pytest.raises(NotFound):
        withdraw(home, version_three("Nobody's"), asker=PLATFORM)
    assert (kept(home).state, kept(home, other).state) == (State.WAITING, State.WAITING)


def test_what_enough_have_signed_is_not_taken_back_and_what_was_refused_is(home: Path) -> None:
    other = version_three("Another title")
    receive(home, signed_by(THIRD, LI, WANG))
    receive(home, signed_by(other, LI, WANG))
    with pytest.raises(TooLateToWithdraw):
        withdraw(home)
    publish(home)

    with pytest.raises(TooLateToWithdraw):
        withdraw(home)
    assert (kept(home).state, kept(home, other).state) == (State.PUBLISHED, State.REFUSED)
    assert waiting(home) == [named(other)]
    assert withdraw(home, other).state is State.WITHDRAWN
    assert waiting(home) == []
    assert audited(home).differences == []


def test_what_waits_is_listed_newest_first_and_of_one_platform(home: Path) -> None:
    texts = [version_three(f"Title {number}") for number in range(3)]
    for text in texts:
        receive(home, signed_by(text, LI))
    digests = [named(text) for text in reversed(texts)]

    assert waiting(home) == waiting(home, PLATFORM) == digests
    assert waiting(home, limit=1) == digests[:1]
    assert waiting(home, before=kept(home, texts[1]).number) == digests[2:]
    assert waiting(home, "cn-420100/wuha") == waiting(home, "cn-440300/shenzhen") == []


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_of_a_last_signature_and_a_withdrawal_at_once_one_counts(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if kind == "PostgreSQL":
        keep_in(monkeypatch, request.getfixturevalue("postgres"))
    home = make_home(tmp_path, monkeypatch, profile="default")
    name_maintainers(home)
    texts = [version_three(f"Title {number}") for number in range(4)]
    for text in texts:
        receive(home, signed_by(text, LI))

    def at_once(work: Callable[[], MappingPublication]) -> State | None:
        try:
            return work().state
        except (PublicationWithdrawn, TooLateToWithdraw):
            return None

    with ThreadPoolExecutor(2) as pool:
        for text in texts:
            signing = pool.submit(at_once, partial(receive, home, signed_by(text, WANG)))
            taking = pool.submit(at_once, partial(withdraw, home, text))
            ends = signing.result(), taking.result()

            assert ends in ((State.SIGNED, None), (None, State.WITHDRAWN))
            assert kept(home, text).state is (ends[0] or ends[1])


KILLED = """
import os, sys
from pathlib import Path
from gateway.app.base.home import open_home
from gateway.app.base.mappings import Versions
from gateway.app.reviewing.publications import maintaining
from gateway.service.mappings import countersigning
from gateway.service.mappings import maintaining as steps
from gateway.store.journal.decisions import SqlJournal
from gateway.store.journal.publications import SqlPublications

def killing(owner, name, after):
    whole = getattr(owner, name)
    def stopped(*given, **named):
        if after:
            whole(*given, **named)
        os.kill(os.getpid(), 9)
    setattr(owner, name, stopped)

owner, name = {"decide": (SqlJournal, "publish_mapping"), "publish": (steps, "publish_queue"),
               "settle": (SqlPublications, "settle")}[sys.argv[2]]
with open_home(Path(sys.argv[1]), writing=True) as opened:
    parts = maintaining(opened, Versions())
    killing(owner, name, sys.argv[3] == "after")
    countersigning.publish_due(parts)
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["decide", "publish", "settle"])
def test_a_kill_between_two_steps_loses_nothing_and_publishes_once(home: Path, step: str, when: str) -> None:
    receive(home, signed_by(THIRD, LI, WANG))

    killed = subprocess.run([sys.executable, "-c", KILLED, str(home), step, when], cwd=ROOT, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    publish(home)

    assert kept(home).state is State.PUBLISHED
    assert published(home) == [(WUHAN, 2)]
    assert audited(home).differences == []


TAMPERED = {
    "a text": ["UPDATE publications SET canonical = canonical || x'20'"],
    "a number": ["UPDATE publications SET version = 4"],
    "a place": ["UPDATE publications SET position = 0"],
    "a key": ["UPDATE publication_signatures SET public = zeroblob(32) WHERE number = 1"],
    "a value": ["UPDATE publication_signatures SET value = 'AAAA' WHERE number = 2"],
    "a signature taken away": ["DELETE FROM publication_signatures WHERE number = 1"],
    "all of it taken away": ["DELETE FROM publication_signatures", "DELETE FROM publications"],
    "said to wait still": ["UPDATE publications SET position = NULL"],
}


@pytest.mark.parametrize("statements", TAMPERED.values(), ids=TAMPERED)
def test_what_is_changed_in_a_publication_is_named(home: Path, statements: list[str]) -> None:
    receive(home, signed_by(THIRD, LI, WANG))
    publish(home)
    assert audited(home).differences == []

    for statement in statements:
        change_database(home, statement)

    said = "\n".join(audited(home).differences)
    assert "publication" in said
    assert WUHAN in said


def test_what_an_earlier_build_has_published_is_in_use_too(home: Path) -> None:
    receive(home, signed_by(THIRD, LI, WANG))
    publish(home)
    before = kept(home)
    set_back(home / "tanqiao.db", "0018")

    after = kept(home)

    assert after._replace(received="") == before._replace(received="")
    assert audited(home).differences == []


def test_a_text_that_is_changed_while_it_waits_is_not_published(home: Path) -> None:
    receive(home, signed_by(THIRD, LI, WANG))
    change_database(home, "UPDATE publications SET canonical = ?", version_three("Taken over"))

    publish(home)

    assert published(home) == []
    assert json.loads(kept(home).fault)["code"] == "approval-refused"
    assert any("publication of" in one for one in audited(home).differences)
