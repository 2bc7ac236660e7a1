"""A home that was made before there were webhooks."""

from pathlib import Path

from sqlalchemy import text

from gateway.store.database import Database
from gateway.store.platforms import SqlPlatforms

NOW = "2026-11-22T05:00:00Z"


def test_an_older_database_keeps_its_platforms_and_gets_the_tables(tmp_path: Path) -> None:
    older = Database(tmp_path / "home.db")
    SqlPlatforms(older).invite("cn-420100/wuhan", code_hash=b"", expires=NOW, now=NOW)
    with older.write() as connection:
        for table in ("webhook_deliveries", "webhook_events", "webhooks", "operators"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    older.close()

    newer = Database(tmp_path / "home.db")
    with newer.read() as connection:
        counted = connection.execute(text("SELECT count(*) FROM webhook_deliveries")).scalar()

    assert counted == 0
    assert [one.id for one in SqlPlatforms(newer).platforms()] == ["cn-420100/wuhan"]
    newer.close()
