"""Finding files, and the times of acts that a rule of overlap remembers."""

from alembic import op
import sqlalchemy as sa

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('findings',
    sa.Column('batch', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['batch'], ['batches.number'], ),
    sa.PrimaryKeyConstraint('batch')
    )
    op.create_table('own_spans',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('start', sa.BigInteger(), nullable=False),
    sa.Column('end', sa.BigInteger(), nullable=False),
    sa.Column('last_day', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'start', 'end'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('own_spans', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_own_spans_last_day'), ['last_day'], unique=False)
