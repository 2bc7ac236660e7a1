"""Which decisions on transfers stand in the log, and in which of its entries."""

from alembic import op
import sqlalchemy as sa

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at this table)."""
    op.create_table(
        "decision_batches",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("entry_digest", sa.String(), nullable=False),
        sa.Column("issued", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["queue.position"]),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("through"),
    )
