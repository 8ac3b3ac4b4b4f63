"""questions without an answer by team, and what was meant by them"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

KINDS = "kind in ('unanswered', 'did_not_help', 'meant', 'accepted')"
KINDS_BEFORE = "kind in ('unanswered', 'did_not_help')"
KEY = 'uq_asked_question_edition_id_kind_subject_question_hash'
KEY_WITH_TEAM = 'uq_asked_question_edition_id_team_kind_subject_question_hash'


def upgrade() -> None:
    # Questions counted before have no team: only an operator sees them.
    with op.batch_alter_table('asked_question') as table:
        table.add_column(sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), server_default='', nullable=False))
        table.drop_constraint(op.f('ck_asked_question_kind'), type_='check')
        table.create_check_constraint(op.f('ck_asked_question_kind'), KINDS)
        table.drop_constraint(op.f(KEY), type_='unique')
        table.create_unique_constraint(op.f(KEY_WITH_TEAM), ['edition_id', 'team', 'kind', 'subject', 'question_hash'])


def downgrade() -> None:
    op.execute("delete from asked_question where kind not in ('unanswered', 'did_not_help')")
    with op.batch_alter_table('asked_question') as table:
        table.drop_constraint(op.f(KEY_WITH_TEAM), type_='unique')
        table.create_unique_constraint(op.f(KEY), ['edition_id', 'kind', 'subject', 'question_hash'])
        table.drop_constraint(op.f('ck_asked_question_kind'), type_='check')
        table.create_check_constraint(op.f('ck_asked_question_kind'), KINDS_BEFORE)
        table.drop_column('team')
