"""lists of many records that a second person agrees to"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('list_export',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('wanted', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('agreed_by', sa.BigInteger(), nullable=True),
    sa.Column('agreed_at', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_list_export'))
    )
    op.create_index('ix_decision_record_team', 'decision_record', ['team', 'finished_at'], unique=False)
    op.create_index(op.f('ix_list_export_team'), 'list_export', ['team'], unique=False)


def downgrade() -> None:
    op.drop_table('list_export')
    op.drop_index('ix_decision_record_team', table_name='decision_record')
