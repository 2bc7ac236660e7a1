"""Mapping versions that maintainers sign one after the other, and their signatures."""

from alembic import op
import sqlalchemy as sa

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at these tables)."""

    op.create_table('publications',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('canonical', sa.LargeBinary(), nullable=False),
    sa.Column('received', sa.String(), nullable=False),
    sa.Column('ready', sa.Boolean(), nullable=False),
    sa.Column('fault', sa.String(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['position'], ['queue.position'], ),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('digest')
    )
    op.create_table('publication_signatures',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('public', sa.LargeBinary(), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['digest'], ['publications.digest'], ),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('digest', 'key')
    )
