"""The first tables."""

from alembic import op
import sqlalchemy as sa

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('cap_usage',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('used', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key'),
    sqlite_with_rowid=False
    )
    op.create_table('events',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('batch', sa.BigInteger(), nullable=False),
    sa.Column('leaf_index', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key'),
    sqlite_with_rowid=False
    )
    op.create_table('queue',
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('entry', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('position')
    )
    op.create_table('rejections',
    sa.Column('submission', sa.String(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('day', sa.String(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.Column('supplement', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('submission', 'part', 'day', 'code')
    )
    op.create_table('submissions',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('finished', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('batches',
    sa.Column('number', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('series', sa.BigInteger(), nullable=False),
    sa.Column('entry_digest', sa.String(), nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('submission', sa.String(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('issued', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['position'], ['queue.position'], ),
    sa.ForeignKeyConstraint(['submission'], ['submissions.id'], ),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('platform', 'kind', 'series')
    )
    op.create_table('days',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('day', sa.String(), nullable=False),
    sa.Column('supplement', sa.Integer(), nullable=False),
    sa.Column('after', sa.BigInteger(), nullable=False),
    sa.Column('through', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['position'], ['queue.position'], ),
    sa.PrimaryKeyConstraint('platform', 'day', 'supplement')
    )
    op.create_table('mappings',
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('canonical', sa.LargeBinary(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['position'], ['queue.position'], ),
    sa.PrimaryKeyConstraint('digest'),
    sa.UniqueConstraint('id', 'version')
    )
    op.create_table('parts',
    sa.Column('submission', sa.String(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('counts', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['submission'], ['submissions.id'], ),
    sa.PrimaryKeyConstraint('submission', 'number')
    )
    op.create_table('files',
    sa.Column('path', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('batch', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.String(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['batch'], ['batches.number'], ),
    sa.PrimaryKeyConstraint('path')
    )
    with op.batch_alter_table('files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_files_batch'), ['batch'], unique=False)


