"""Mapping versions that maintainers sign one after the other, and their signatures.

Those that stand in the log with signatures are taken over from there.
"""

import base64
import json

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
    _take_over(op.get_bind())


def _take_over(connection: sa.Connection) -> None:
    published = connection.execute(sa.text(
        "SELECT m.digest, m.id, m.version, m.canonical, m.position, q.entry FROM mappings m"
        " JOIN queue q ON q.position = m.position ORDER BY m.position"
    )).all()
    for digest, name, version, canonical, position, entry in published:
        body = json.loads(bytes(entry))["body"]
        if not body.get("approvals"):
            continue
        connection.execute(
            sa.text(
                "INSERT INTO publications (digest, id, version, canonical, received, ready, fault, position)"
                " VALUES (:digest, :id, :version, :canonical, :received, :ready, '', :position)"
            ),
            {"digest": digest, "id": name, "version": version, "canonical": canonical,
             "received": body["issued"], "ready": True, "position": position},
        )
        for one in body["approvals"]:
            connection.execute(
                sa.text(
                    "INSERT INTO publication_signatures (digest, key, public, value)"
                    " VALUES (:digest, :key, :public, :value)"
                ),
                {"digest": digest, "key": one["key"], "value": one["value"],
                 "public": base64.b64decode(one["public_key"])},
            )
