"""By which versions of its mapping an operation is converted, and in which trace it came."""

from alembic import op
import sqlalchemy as sa

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before takes the defaults, which say nothing)."""
    op.add_column("operations", sa.Column("versions", sa.String(), nullable=False, server_default=""))
    op.add_column("operations", sa.Column("trace", sa.String(), nullable=False, server_default=""))
