"""Operations whose receipts wait for their witnesses, and whose platform wants to be told."""

from alembic import op
import sqlalchemy as sa

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at this table)."""
    op.create_table(
        "webhook_unwitnessed",
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["platform"], ["platforms.id"]),
        sa.PrimaryKeyConstraint("operation"),
    )
    op.create_index(op.f("ix_webhook_unwitnessed_log_size"), "webhook_unwitnessed", ["log_size"])
