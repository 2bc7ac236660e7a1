"""Events and caps move from tables into sorted runs beside the database."""

import struct

import sqlalchemy as sa
from alembic import context, op

from gateway.store.files.sorted_runs import entries_of, write_run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = {
    "events": ("SELECT key, content, batch, leaf_index FROM events", "8sII"),
    "caps": ("SELECT key, used FROM cap_usage", "Q"),
}


def upgrade() -> None:
    """Bring the database to this revision."""
    runs = op.create_table(
        "runs",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("file"),
    )
    connection = op.get_bind()
    folder = context.config.attributes["folder"]
    for kind, (query, form) in TABLES.items():
        rows = connection.execute(sa.text(query)).all()
        if rows:
            keys, values = b"".join(row[0] for row in rows), b"".join(struct.pack("<" + form, *row[1:]) for row in rows)
            width = struct.calcsize("<" + form)
            entries = entries_of(keys, values, width=width)
            file = f"{kind}-000000000.run"
            written = write_run(folder / "index" / file, iter((entries,)), width=width)
            op.bulk_insert(runs, [{"kind": kind, "level": 0, "file": file, **written._asdict()}])
    op.drop_table("events")
    op.drop_table("cap_usage")
