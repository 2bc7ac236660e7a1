"""Who handed a mapping version in first, and when that was taken back.

Who handed in those that are there was not written down: they count as handed in by a coordinator.
"""

from alembic import op
import sqlalchemy as sa

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at these columns)."""

    for name in ("proposer", "withdrawn"):
        op.add_column("publications", sa.Column(name, sa.String(), nullable=False, server_default=""))
