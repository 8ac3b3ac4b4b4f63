"""the console as a Mini App: what opened it works once; what is shown in chats, to be taken out where asked"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('used_opening',
    sa.Column('seal_hash', sa.LargeBinary(), nullable=False),
    sa.Column('used_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('seal_hash', name=op.f('pk_used_opening'))
    )
    op.create_table('shown',
    sa.Column('chat_id', sa.BigInteger(), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('chat_id', 'message_id', name=op.f('pk_shown'))
    )
    op.create_index(op.f('ix_shown_at'), 'shown', ['at'], unique=False)


def downgrade() -> None:
    op.drop_table('shown')
    op.drop_table('used_opening')
