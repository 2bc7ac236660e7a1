"""Tokens of operators."""

from alembic import op
import sqlalchemy as sa

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('operators',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('first_day', sa.String(), nullable=False),
    sa.Column('last_day', sa.String(), nullable=False),
    sa.Column('created', sa.String(), nullable=False),
    sa.Column('expires', sa.String(), nullable=False),
    sa.Column('revoked', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('token_hash')
    )
