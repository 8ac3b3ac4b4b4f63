"""why an update or a message was parked"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for mailbox in ('inbox', 'outbox'):
        op.add_column(mailbox, sa.Column('cause', sqlmodel.sql.sqltypes.AutoString(length=120), nullable=True))


def downgrade() -> None:
    for mailbox in ('inbox', 'outbox'):
        op.drop_column(mailbox, 'cause')
