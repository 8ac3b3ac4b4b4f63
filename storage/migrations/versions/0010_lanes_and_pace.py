"""several workers: whose update it is, and how fast messages go out"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.add_column('inbox', sa.Column('lane', sa.BigInteger(), server_default='0', nullable=False))
    op.drop_index('ix_inbox_waiting', table_name='inbox')
    op.create_index('ix_inbox_waiting', 'inbox', ['bot_id', 'lane', 'id'], sqlite_where=WAITING, postgresql_where=WAITING)
    op.add_column('member', sa.Column('unreachable_since', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
    op.create_table('pace',
    sa.Column('key', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('due', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_pace'))
    )


def downgrade() -> None:
    op.drop_table('pace')
    op.drop_column('member', 'unreachable_since')
    op.drop_index('ix_inbox_waiting', table_name='inbox')
    op.drop_column('inbox', 'lane')
    op.create_index('ix_inbox_waiting', 'inbox', ['id'], sqlite_where=WAITING, postgresql_where=WAITING)
