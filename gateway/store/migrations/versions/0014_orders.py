"""Operations of several kinds: links and withdrawals are done in the order of submissions."""

from alembic import op
import sqlalchemy as sa

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before takes the default, and means rows by it)."""
    op.add_column("operations", sa.Column("kind", sa.String(), nullable=False, server_default="rows"))
    op.execute("UPDATE operations SET kind = 'file' WHERE rows = 0")
