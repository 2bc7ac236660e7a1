"""Where the transfers of a platform are found, and where platforms are called."""

from alembic import op
import sqlalchemy as sa

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at these tables)."""

    op.create_table('transfer_ends',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('transfer', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'transfer')
    )
    op.create_table('platform_addresses',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('platform')
    )
