"""reviews: where a supervisor's look at a record stands"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_ledger_subject', 'ledger', ['subject', 'action'], unique=False)
    op.create_table('review',
    sa.Column('record_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('rank', sa.Integer(), nullable=False),
    sa.Column('finished_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('changed_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('grade', sa.Integer(), nullable=True),
    sa.Column('follow_up_on', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint("state in ('new', 'requested', 'signed_off', 'returned', 'closed')", name=op.f('ck_review_state')),
    sa.ForeignKeyConstraint(['record_id'], ['decision_record.id'], name=op.f('fk_review_record_id')),
    sa.PrimaryKeyConstraint('record_id', name=op.f('pk_review'))
    )
    op.create_index('ix_review_queue', 'review', ['team', 'state', 'rank', 'finished_at', 'record_id', 'member_id'], unique=False)
    op.create_index('ix_review_all', 'review', ['team', 'rank', 'finished_at', 'record_id', 'state', 'member_id'], unique=False)
    op.create_table('review_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('record_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('role', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('act', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['record_id'], ['decision_record.id'], name=op.f('fk_review_event_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_event')),
    sa.UniqueConstraint('record_id', 'seq', name=op.f('uq_review_event_record_id_seq'))
    )
    # Of records from before this, the rank is told from what is clear: emergency, harm and not shared, waiting for advice.
    op.execute(
        "insert into review (record_id, team, member_id, state, rank, finished_at, changed_at) "
        "select id, team, member_id, 'new', "
        "case when outcome = 'emergency' then 0 "
        "when harm and (otherwise or coalesce(decision, '') not in ('share', 'share_part')) then 1 "
        "when decision = 'pending_advice' then 2 else 4 end, finished_at, finished_at from decision_record"
    )
    if op.get_bind().dialect.name == "sqlite":
        for what in ("update", "delete"):
            op.execute(
                f"create trigger review_event_no_{what} before {what} on review_event "
                "begin select raise(abort, 'review_event is never changed'); end"
            )
        return
    for what in ("update", "delete"):
        op.execute(
            f"create trigger review_event_no_{what} before {what} on review_event "
            "for each row execute function refuse_change()"
        )


def downgrade() -> None:
    on = "" if op.get_bind().dialect.name == "sqlite" else " on review_event"
    for what in ("update", "delete"):
        op.execute(f"drop trigger review_event_no_{what}{on}")
    op.drop_table('review_event')
    op.drop_table('review')
    op.drop_index('ix_ledger_subject', table_name='ledger')
