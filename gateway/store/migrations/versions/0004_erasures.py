"""Erasures, and what erased records have used of caps."""

from alembic import op
import sqlalchemy as sa

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('carried_usage',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('scheme', sa.String(), nullable=False),
    sa.Column('cap', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('used', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key'),
    sqlite_with_rowid=False
    )
    op.create_table('erasures',
    sa.Column('notice', sa.String(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('records', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['position'], ['queue.position'], ),
    sa.PrimaryKeyConstraint('notice')
    )
