"""how long records are kept; holds; an erased record loses its case hash with its key"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

FROZEN = (
    "id, reference, conversation_id, member_id, role, team, edition_id, edition_sha256, bot_version, flow, outcome, "
    "decision, otherwise, harm, ground, consent, started_at, finished_at, content"
)


def freeze(columns: str) -> None:
    """Let the database itself refuse to change these columns of a record."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("drop trigger decision_record_no_update")
        op.execute(
            f"create trigger decision_record_no_update before update of {columns} on decision_record "
            "begin select raise(abort, 'decision_record is never changed'); end"
        )
        return
    op.execute("drop trigger decision_record_no_update on decision_record")
    op.execute(
        f"create trigger decision_record_no_update before update of {columns} on decision_record "
        "for each row execute function refuse_change()"
    )


def upgrade() -> None:
    op.create_table('retention',
    sa.Column('record_class', sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
    sa.Column('days', sa.Integer(), nullable=True),
    sa.Column('review_days', sa.Integer(), nullable=True),
    sa.Column('set_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('record_class', name=op.f('pk_retention'))
    )
    op.create_table('hold',
    sa.Column('record_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('actor', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('reason', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['decision_record.id'], name=op.f('fk_hold_record_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_hold'))
    )
    freeze(FROZEN)


def downgrade() -> None:
    freeze(FROZEN.replace("finished_at, content", "finished_at, case_hash, content"))
    op.drop_table('hold')
    op.drop_table('retention')
