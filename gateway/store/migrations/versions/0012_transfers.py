"""The ledger and transfers: books, their journal, the outbox, requests with ids of the caller's making."""

from typing import Any

from alembic import op
import sqlalchemy as sa

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_COUNTED = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _amounts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at these tables)."""
    _journal()
    _books()
    _transfers()


def _journal() -> None:
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        *_amounts("number"),
        *_texts("decision"),
        *_amounts("window"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "decision": "sha256:" + 64 * "0", "window": 1}])
    for name in ("reservations", "decisions"):
        op.create_table(
            name,
            *_texts("transfer"),
            *_amounts("number"),
            sa.Column("body", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("transfer"),
            sa.UniqueConstraint("number"),
        )
    op.create_table(
        "ledger_changes",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        *_texts("kind"),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "postings",
        *_amounts("number"),
        sa.Column("line", sa.Integer(), nullable=False),
        *_texts("debit", "credit"),
        *_amounts("amount"),
        sa.PrimaryKeyConstraint("number", "line"),
    )


def _books() -> None:
    op.create_table(
        "accounts",
        *_texts("platform", "kind", "asset"),
        *_amounts("balance"),
        sa.PrimaryKeyConstraint("platform", "kind", "asset"),
    )
    op.create_table(
        "positions",
        *_texts("platform", "other"),
        *_amounts("committed_out", "committed_in", "reserved_out"),
        sa.Column("cap", sa.BigInteger()),
        sa.Column("cover", sa.BigInteger()),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "other"),
    )
    uses = [f"{use}_{asset}" for use in ("transit", "moved", "retired", "returned") for asset in ("mg", "points")]
    op.create_table(
        "lots",
        *_texts("name", "platform", "record", "unit"),
        *_amounts("mg", "movable_mg", "points"),
        sa.Column("expires", sa.Integer()),
        *_amounts(*uses),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        *_texts("origin", "rates"),
        *_amounts("origin_mg"),
        sa.PrimaryKeyConstraint("name"),
    )
    arrived = sa.text("origin <> ''")
    op.create_index("ix_lots_origin", "lots", ["origin"], sqlite_where=arrived, postgresql_where=arrived)
    op.create_table("counters", *_texts("key"), *_amounts("used"), sa.PrimaryKeyConstraint("key"))
    op.create_table(
        "flows",
        *_amounts("window"),
        *_texts("source", "destination"),
        sa.Column("returned", sa.Boolean(), nullable=False),
        *_amounts("mg"),
        sa.PrimaryKeyConstraint("window", "source", "destination", "returned"),
    )
    windows = op.create_table(
        "windows",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        *_texts("state"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.bulk_insert(windows, [{"number": 1, "state": "OPEN"}])


def _transfers() -> None:
    op.create_table(
        "transfers",
        *_texts("id"),
        *_amounts("version"),
        *_texts("state"),
        sa.Column("due", sa.BigInteger()),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    waiting = sa.text("due IS NOT NULL")
    op.create_index("ix_transfers_due", "transfers", ["due"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "outbox",
        sa.Column("number", _COUNTED, nullable=False),
        *_texts("transfer", "platform", "kind"),
        *_amounts("due", "attempts"),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_due", "outbox", ["due"])
    op.create_table(
        "requests",
        *_texts("platform", "id", "digest"),
        sa.Column("body", sa.Text()),
        sa.Column("answer", sa.Text()),
        *_amounts("received"),
        sa.PrimaryKeyConstraint("platform", "id"),
    )
