"""What is spoken with platforms that do not speak common JSON, and files carried there and back."""

from alembic import op
import sqlalchemy as sa

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision (pre: what ran before does not look at this table)."""

    op.create_table('platform_dialects',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('way', sa.String(), nullable=False),
    sa.Column('form', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('platform')
    )
    op.create_table('carried_files',
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('heading', sa.String(), nullable=False),
    sa.Column('sequence', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('moment', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('platform', 'heading', 'sequence')
    )
