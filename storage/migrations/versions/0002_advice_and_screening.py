"""questions without an answer, the local route, names said to be none"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('asked_question',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('edition_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('question_hash', sa.LargeBinary(), nullable=False),
    sa.Column('question', sa.LargeBinary(), nullable=True),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('first_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('last_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.CheckConstraint("kind in ('unanswered', 'did_not_help')", name=op.f('ck_asked_question_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_asked_question')),
    sa.UniqueConstraint('edition_id', 'kind', 'subject', 'question_hash', name=op.f('uq_asked_question_edition_id_kind_subject_question_hash'))
    )
    op.create_table('local_route',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('value', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('set_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_local_route'))
    )
    op.create_table('name_pass',
    sa.Column('chat_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('given_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('chat_id', name=op.f('pk_name_pass'))
    )


def downgrade() -> None:
    op.drop_table('name_pass')
    op.drop_table('local_route')
    op.drop_table('asked_question')
