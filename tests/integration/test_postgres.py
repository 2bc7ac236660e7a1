"""A home on PostgreSQL: the decisions of SQLite, one writer, no confusion of databases, a way back."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from gateway.app.base.home import create_home, open_home
from gateway.app.records.erase import erase
from gateway.cli.root import run
from gateway.errors import HomeBusy, IntegrityBroken, LocalFileError
from gateway.ports import NewOperation, OperationKind
from gateway.store.serving import lease as module
from gateway.store.serving.lease import LeaseLost, WriterLease
from gateway.store.serving.operations import SqlOperations
from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.sql import dialects
from gateway.store.sql.database import HEAD, Database
from gateway.store.sql.dialects import DatabaseUnavailable, postgres_url
from gateway.store.sql.group_commit import GroupCommit
from tests.acceptance import documents
from tests.fakes.homes import WUHAN, audited, convert, make_home, points_by_event, trips, write_trips
from tests.fakes.revisions import at_revision, set_back
from tests.fakes.servers import PostgresServer, free_port

pytestmark = pytest.mark.xdist_group("servers")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.database()


@pytest.fixture
def home(postgres: PostgresServer, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANQIAO_DATABASE", url)
    monkeypatch.setenv("TANQIAO_CHECKPOINTS", postgres.database())
    return make_home(tmp_path, monkeypatch)


def opened(url: str, folder: Path) -> Database:
    return Database(postgres_url(url, setting="test"), folder=folder)


def file_of(folder: Path, first: int) -> Path:
    return write_trips(folder / f"from-{first}.ndjson", trips(20, first=first))


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def home_log_size(home: Path) -> int:
    with open_home(home) as found:
        return found.log.size


def test_a_home_on_postgresql_decides_what_one_on_sqlite_decides(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = home.parent / "other"
    with monkeypatch.context() as patch:
        patch.delenv("TANQIAO_DATABASE")
        create_home(other, profile="test")
    for one in (home, other):
        for first in (0, 10, 100):
            convert(one, file_of(tmp_path, first))

    assert points_by_event(home) == points_by_event(other)
    assert not (home / "tanqiao.db").exists()
    for one in (home, other):
        assert run(["statements", "close", "2025-03-10", "--home", str(one)]) == 0
        assert erase(one, "user-0003", platform="cn-420100/wuhan").log_entry is not None
        assert audited(one).differences == []
    assert home_log_size(home) == home_log_size(other)


def test_the_address_is_kept_without_its_password(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    address = plain(postgres.database()).replace("tanqiao@", "tanqiao:hush@")
    with pytest.raises(LocalFileError, match="every process") as refused:
        create_home(tmp_path / "home", database=address)
    assert "PGPASSFILE" in refused.value.remedy
    monkeypatch.setenv("TANQIAO_DATABASE", address)

    create_home(tmp_path / "home")

    assert "hush" not in (tmp_path / "home" / "home.json").read_text()
    monkeypatch.delenv("TANQIAO_DATABASE")  # this server asks for no password
    with open_home(tmp_path / "home") as found:
        assert found.facts.database.startswith("postgresql+psycopg://tanqiao@")


@pytest.mark.usefixtures("home")
def test_a_database_serves_one_home(tmp_path: Path, url: str) -> None:
    with pytest.raises(LocalFileError, match="is that of the log"):
        create_home(tmp_path / "second", database=url)


def test_a_home_refuses_the_database_of_another(
    home: Path, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANQIAO_DATABASE", postgres.database())

    with pytest.raises(LocalFileError, match="no log") as refused, open_home(home):
        pass

    assert "TANQIAO_DATABASE" in refused.value.remedy


def test_a_server_that_is_gone_is_told_with_a_remedy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANQIAO_DATABASE", f"postgresql://me:hush@127.0.0.1:{free_port()}/none")

    with pytest.raises(DatabaseUnavailable, match=r"127\.0\.0\.1") as refused, open_home(home):
        pass

    assert "hush" not in str(refused.value)
    assert run(["audit", "--home", str(home)]) == 5


@pytest.mark.parametrize(
    ("made", "changed", "told"),
    [
        ("ENCODING 'SQL_ASCII'", "", "encoding SQL_ASCII"),
        ("", "SET synchronous_commit = off", "synchronous_commit"),
    ],
)
def test_a_server_that_would_break_a_promise_is_refused(
    postgres: PostgresServer, tmp_path: Path, made: str, changed: str, told: str
) -> None:
    name = f"unfit_{len(made)}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {made}".encode())
        if changed:
            connection.execute(f"ALTER DATABASE {name} {changed}".encode())

    with pytest.raises(LocalFileError, match=told):
        opened(postgres.url(name), tmp_path)


def test_a_database_of_the_revision_before_keeps_its_rows(url: str, tmp_path: Path) -> None:
    with at_revision(create_engine(url), "0007") as connection:
        for statement in (
            "INSERT INTO platforms VALUES ('cn-420100/wuhan', '', '2026-01-01T00:00:00Z')",
            "INSERT INTO operations VALUES (1, 'o', 'cn-420100/wuhan', 'k', '\\x00', 'm', 'a', 'n', 1,"
            " 'received', NULL, 0, '', '')",
            "INSERT INTO contents VALUES (1, '\\x7b7d')",
            "SELECT setval('operations_number_seq', 2147483647)",
        ):
            connection.execute(text(statement))

    with closing(opened(url, tmp_path)) as database, GroupCommit(database) as writes:
        operations = SqlOperations(database, writes)
        new = operations.receive(submission("new"))

        assert new.number == 2**31, "numbers go on where 32 bits end"
        assert [one.id for one in operations.of_platform("cn-420100/wuhan", before=None, limit=9)] == [
            "new",
            "o",
        ]
        with database.read() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_a_home_of_the_revision_before_audits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = make_home(tmp_path, monkeypatch)
    convert(home, file_of(tmp_path, 0))
    set_back(home / "tanqiao.db", "0007")

    convert(home, file_of(tmp_path, 50))

    assert audited(home).differences == []
    assert len(points_by_event(home)) == 40


def submission(name: str, key: str = "") -> NewOperation:
    return NewOperation(
        id=name, kind=OperationKind.ROWS, platform="cn-420100/wuhan", key=key or name, content_sha256=b"",
        mapping=WUHAN, adapter="common", name="", rows=1, content=b"{}", created="",
    )  # fmt: skip


def test_of_many_workers_with_one_key_all_get_the_first_operation(url: str, tmp_path: Path) -> None:
    """Writes of several workers meet in opposite order too, which PostgreSQL ends as a deadlock."""
    with ExitStack() as stack:
        databases = [stack.enter_context(closing(opened(url, tmp_path))) for _ in range(3)]
        SqlPlatforms(databases[0]).invite("cn-420100/wuhan", code_hash=b"", expires="", now="")
        kept = [SqlOperations(one, stack.enter_context(GroupCommit(one))) for one in databases]
        keys = [f"key-{number % 20}" for number in range(240)]

        def receive(number: int) -> tuple[str, str]:
            key = keys[number] if number % 2 else keys[-number - 1]
            return key, kept[number % 3].receive(submission(f"o-{number}", key)).id

        with ThreadPoolExecutor(24) as pool:
            answers = set(pool.map(receive, range(240)))

        assert len(answers) == len({key for key, _ in answers}), "each key has one operation, whoever asks"
        assert kept[0].waiting() == len(answers) >= 10


@pytest.mark.parametrize(("at_one_moment", "seen"), [(True, 0), (False, 1)])
def test_what_is_read_is_of_one_moment_where_that_is_asked_for(
    url: str, tmp_path: Path, at_one_moment: bool, seen: int
) -> None:
    with closing(opened(url, tmp_path)) as database:
        platforms = text("SELECT count(*) FROM platforms")
        with database.read(at_one_moment=at_one_moment) as connection:
            assert connection.execute(platforms).scalar() == 0
            SqlPlatforms(database).invite("cn-420100/wuhan", code_hash=b"", expires="", now="")
            assert connection.execute(platforms).scalar() == seen
        with database.read() as connection:
            assert connection.execute(platforms).scalar() == 1, "a connection that is given back is as before"


def test_one_host_writes_at_a_time(home: Path, url: str, tmp_path: Path) -> None:
    with closing(opened(url, tmp_path)) as database, open_home(home) as found:
        other = WriterLease(database, origin=found.facts.origin, holder="another host")
        with other.held(), pytest.raises(HomeBusy, match="another host"), found.writing():
            pass

        with found.writing(), pytest.raises(HomeBusy), other.held():
            pass


def test_a_holder_whose_lease_ran_out_changes_nothing_more(
    home: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first holder is silent for too long, a second one takes over, the first one wakes up."""
    convert(home, file_of(tmp_path, 0))
    before = points_by_event(home)
    monkeypatch.setattr(module, "SECONDS", 0)
    with closing(opened(url, tmp_path)) as database, open_home(home) as found:
        silent = WriterLease(database, origin=found.facts.origin, holder="silent")
        with silent.held():
            with found.writing():
                found.journal.queue(b"of the second holder")
                with pytest.raises(LeaseLost, match="is over"), database.write() as connection:
                    connection.execute(text("DELETE FROM files"))
                with pytest.raises(LeaseLost):
                    silent.require()
            assert found.journal.length() > 0
        with database.write():
            pass

    assert points_by_event(home) == before


def test_a_writer_that_was_killed_is_followed_at_once_on_the_same_host(home: Path, tmp_path: Path) -> None:
    """The home's file lock tells that the holder is gone; no lease has to run out."""
    program = "import sys,os,pathlib\nfrom gateway.app.base.home import open_home\n"
    program += "with open_home(pathlib.Path(sys.argv[1]), writing=True): os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", program, str(home)], cwd=ROOT)
    assert killed.returncode == -9

    convert(home, file_of(tmp_path, 0))

    assert audited(home).differences == []


def test_a_backup_of_home_and_database_comes_back(
    home: Path, url: str, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(home, file_of(tmp_path, 0))
    dumped = tmp_path / "tanqiao.dump"
    postgres.tool("pg_dump", "--format=custom", f"--file={dumped}", plain(url))
    shutil.copytree(home, tmp_path / "backup")
    shutil.rmtree(home)
    again = postgres.database()
    monkeypatch.setenv("TANQIAO_DATABASE", again)

    postgres.tool("pg_restore", f"--dbname={plain(again)}", str(dumped))
    shutil.copytree(tmp_path / "backup", home)

    assert audited(home).differences == []
    convert(home, file_of(tmp_path, 100))
    assert len(points_by_event(home)) == 40
    assert audited(home).differences == []


@pytest.mark.parametrize("restored", ["both", "database", "home"])
def test_an_older_backup_is_refused(
    home: Path,
    url: str,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    restored: str,
) -> None:
    convert(home, file_of(tmp_path, 0))
    dumped = tmp_path / "tanqiao.dump"
    postgres.tool("pg_dump", "--format=custom", f"--file={dumped}", plain(url))
    shutil.copytree(home, tmp_path / "backup")
    convert(home, file_of(tmp_path, 100))

    if restored != "home":
        again = postgres.database()
        postgres.tool("pg_restore", f"--dbname={plain(again)}", str(dumped))
        monkeypatch.setenv("TANQIAO_DATABASE", again)
    if restored != "database":
        shutil.rmtree(home)
        shutil.copytree(tmp_path / "backup", home)

    with pytest.raises(IntegrityBroken), open_home(home, writing=True):
        pass


def test_the_commands_of_the_page_on_production_back_up_and_restore(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    page = ROOT / "docs/howto/run-in-production.md"
    environment = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), str(postgres.tools), os.environ["PATH"])),
        "HOME": str(tmp_path),
        "TANQIAO_STATE": str(tmp_path / "state"),
        "TANQIAO_DATABASE": plain(postgres.database()),
        "TANQIAO_CHECKPOINTS": plain(postgres.database()),
        "LANG": "C.UTF-8",
    }

    printed = dict(documents.run(page, tmp_path, environment=environment))

    assert list(printed)[-1].text.endswith("tanqiao audit --home ./home\n")
    assert not (tmp_path / "state").exists(), "all is in PostgreSQL"


def _cut(url: str) -> None:
    """End every connection to a database, as a restart of its server does."""
    with psycopg.connect(plain(url).rpartition("/")[0] + "/postgres", autocommit=True) as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(query, [url.rpartition("/")[2]])


def test_a_connection_that_was_cut_while_it_was_idle_is_replaced(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "ASKED_SECONDS", 0)
    with closing(opened(url, tmp_path)) as database:
        platforms = SqlPlatforms(database)
        assert platforms.platform("cn-000000/a") is None

        _cut(url)

        assert platforms.platform("cn-000000/a") is None


def test_one_that_was_cut_right_after_its_use_fails_once(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects, "ASKED_SECONDS", 600)
    with closing(opened(url, tmp_path)) as database:
        platforms = SqlPlatforms(database)
        platforms.platform("cn-000000/a")

        _cut(url)

        with pytest.raises(DatabaseUnavailable):
            platforms.platform("cn-000000/a")
        assert platforms.platform("cn-000000/a") is None
