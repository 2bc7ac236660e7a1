"""A home that was made before there were webhooks."""

from pathlib import Path

from sqlalchemy import create_engine, text

from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.sql.database import Database
from tests.fakes.revisions import at_revision


def test_an_older_database_keeps_its_platforms_and_gets_the_tables(tmp_path: Path) -> None:
    with at_revision(create_engine(f"sqlite:///{tmp_path}/home.db"), "0007") as connection:
        older = {"id": "cn-420100/wuhan", "suspended": "", "created": "2026-11-22T05:00:00Z"}
        connection.execute(text("INSERT INTO platforms VALUES (:id, :suspended, :created)"), older)

    newer = Database(tmp_path / "home.db")
    with newer.read() as connection:
        counted = connection.execute(text("SELECT count(*) FROM webhook_deliveries")).scalar()

    assert counted == 0
    assert [one.id for one in SqlPlatforms(newer).platforms()] == ["cn-420100/wuhan"]
    newer.close()
