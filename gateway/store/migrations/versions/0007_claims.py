"""Links of accounts, reversals, and which days' claims are closed."""

from alembic import op
import sqlalchemy as sa

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('links',
    sa.Column('account', sa.LargeBinary(), nullable=False),
    sa.Column('person', sa.LargeBinary(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('consent', sa.String(), nullable=False),
    sa.Column('linked', sa.String(), nullable=False),
    sa.Column('shared', sa.Integer(), nullable=False),
    sa.Column('after', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('account'),
    sqlite_with_rowid=False
    )
    op.create_index(op.f('ix_links_person'), 'links', ['person'], unique=False)
    op.create_table('reversals',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('series', sa.BigInteger(), nullable=False),
    sa.Column('entry_digest', sa.String(), nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('issued', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['position'], ['queue.position'], ),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('platform', 'series')
    )
    op.create_table('closed_claims',
    sa.Column('day', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('day')
    )
