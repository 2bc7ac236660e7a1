"""Where lots that have arrived by transfers are found by their persons."""

from alembic import op
import sqlalchemy as sa

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at this table)."""

    op.create_table('transfer_lots',
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('lot', sa.String(), nullable=False),
    sa.Column('transfer', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('person', 'lot', 'transfer')
    )
