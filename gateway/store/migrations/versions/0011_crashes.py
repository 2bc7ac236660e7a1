"""How often the program failed, by a fault of its own, to convert an operation."""

from alembic import op
import sqlalchemy as sa

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: an operation of before has not crashed that we know of)."""
    op.add_column("operations", sa.Column("crashes", sa.Integer(), nullable=False, server_default="0"))
