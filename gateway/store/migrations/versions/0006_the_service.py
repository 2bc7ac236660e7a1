"""Platforms and their keys, used nonces, operations."""

from alembic import op
import sqlalchemy as sa

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('platforms',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('suspended', sa.String(), nullable=False),
    sa.Column('created', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('invitations',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('expires', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['platform'], ['platforms.id'], ),
    sa.PrimaryKeyConstraint('platform')
    )
    op.create_table('platform_keys',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('public', sa.LargeBinary(), nullable=False),
    sa.Column('created', sa.String(), nullable=False),
    sa.Column('revoked', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['platform'], ['platforms.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('public')
    )
    op.create_index(op.f('ix_platform_keys_platform'), 'platform_keys', ['platform'], unique=False)
    op.create_table('nonces',
    sa.Column('key_id', sa.String(), nullable=False),
    sa.Column('nonce', sa.String(), nullable=False),
    sa.Column('expires', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('key_id', 'nonce')
    )
    op.create_index(op.f('ix_nonces_expires'), 'nonces', ['expires'], unique=False)
    op.create_table('operations',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('content_sha256', sa.LargeBinary(), nullable=False),
    sa.Column('mapping', sa.String(), nullable=False),
    sa.Column('adapter', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('rows', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('spool', sa.String(), nullable=True),
    sa.Column('first_row', sa.BigInteger(), nullable=False),
    sa.Column('result', sa.String(), nullable=False),
    sa.Column('created', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['platform'], ['platforms.id'], ),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('id'),
    sa.UniqueConstraint('platform', 'key')
    )
    op.create_index(op.f('ix_operations_state'), 'operations', ['state'], unique=False)
    op.create_index(op.f('ix_operations_spool'), 'operations', ['spool'], unique=False)
    op.create_table('contents',
    sa.Column('operation', sa.Integer(), nullable=False),
    sa.Column('rows', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['operation'], ['operations.number'], ),
    sa.PrimaryKeyConstraint('operation')
    )
