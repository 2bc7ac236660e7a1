"""Webhooks: endpoints of platforms, events, and the events on their way to endpoints."""

from alembic import op
import sqlalchemy as sa

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database to this revision."""

    op.create_table('webhooks',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('events', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.Column('secret', sa.LargeBinary(), nullable=False),
    sa.Column('created', sa.String(), nullable=False),
    sa.Column('disabled', sa.String(), nullable=False),
    sa.Column('failing', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['platform'], ['platforms.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_webhooks_platform'), 'webhooks', ['platform'], unique=False)
    op.create_table('webhook_events',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('platform', sa.String(), nullable=False),
    sa.Column('type', sa.String(), nullable=False),
    sa.Column('payload', sa.String(), nullable=False),
    sa.Column('created', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['platform'], ['platforms.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index(op.f('ix_webhook_events_created'), 'webhook_events', ['created'], unique=False)
    op.create_table('webhook_deliveries',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('webhook', sa.String(), nullable=False),
    sa.Column('event', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('detail', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['event'], ['webhook_events.id'], ),
    sa.ForeignKeyConstraint(['webhook'], ['webhooks.id'], ),
    sa.PrimaryKeyConstraint('number'),
    sa.UniqueConstraint('webhook', 'event')
    )
    op.create_index('ix_webhook_deliveries_due', 'webhook_deliveries', ['state', 'webhook', 'next_at'], unique=False)
    op.create_index(op.f('ix_webhook_deliveries_event'), 'webhook_deliveries', ['event'], unique=False)
