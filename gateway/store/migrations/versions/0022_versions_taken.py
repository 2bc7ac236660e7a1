"""By which versions of its mapping an operation that was taken is converted."""

from alembic import op
import sqlalchemy as sa

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what was taken before is converted by those of the day)."""
    op.add_column("operations", sa.Column("versions", sa.String(), nullable=False, server_default=""))
