"""Several hosts: who may write, which store keeps nonces; numbers of operations do not end at 2^31."""

from alembic import op
import sqlalchemy as sa

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at these tables)."""
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("term", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "nonce_stores",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("server", sa.String(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("both_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    stores = sa.table("nonce_stores", *(sa.column(name) for name in ("id", "version", "server", "floor", "both_until")))
    op.bulk_insert(stores, [{"id": 1, "version": 0, "server": "", "floor": 0, "both_until": 0}])
    if op.get_bind().dialect.name == "postgresql":  # SQLite's integers have 64 bits already
        op.alter_column("operations", "number", type_=sa.BigInteger())
        op.alter_column("contents", "operation", type_=sa.BigInteger())
        op.execute("ALTER SEQUENCE operations_number_seq AS BIGINT")
