"""teams, invites, timers, second opinions; cards of their own"""

from __future__ import annotations

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

#: Of an opinion only whether it counts may change, when the same member gives a later one.
FROZEN = "id, request_id, member_id, seq, role, at, content"


def upgrade() -> None:
    op.create_table('card',
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
    sa.Column('chat_id', sa.BigInteger(), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('subject', name=op.f('pk_card'))
    )
    op.create_table('invite',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code_hash', sa.LargeBinary(), nullable=False),
    sa.Column('role', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('approved_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('made_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('expires_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('used_by', sa.BigInteger(), nullable=True),
    sa.Column('known_as', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint("role in ('practitioner', 'supervisor', 'administrator')", name=op.f('ck_invite_role')),
    sa.CheckConstraint("state in ('asked', 'open', 'used', 'withdrawn')", name=op.f('ck_invite_state')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invite')),
    sa.UniqueConstraint('code_hash', name=op.f('uq_invite_code_hash'))
    )
    op.create_table('team',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
    sa.Column('channel_chat_id', sa.BigInteger(), nullable=True),
    sa.Column('channel_thread_id', sa.BigInteger(), nullable=True),
    sa.Column('quorum', sa.Integer(), nullable=False),
    sa.Column('deadline_minutes', sa.Integer(), nullable=False),
    sa.Column('deputy_id', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_team')),
    sa.UniqueConstraint('channel_chat_id', name=op.f('uq_team_channel_chat_id'))
    )
    op.create_table('text_wanted',
    sa.Column('chat_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('asked_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('chat_id', name=op.f('pk_text_wanted'))
    )
    op.create_table('timer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_timer')),
    sa.UniqueConstraint('kind', 'subject', name=op.f('uq_timer_kind_subject'))
    )
    op.create_index(op.f('ix_timer_due_at'), 'timer', ['due_at'], unique=False)
    op.create_table('wrong_code',
    sa.Column('who', sa.LargeBinary(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('since', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('who', name=op.f('pk_wrong_code'))
    )
    op.create_table('opinion_request',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('number', sqlmodel.sql.sqltypes.AutoString(length=16), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('conversation_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('record_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('team', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('about', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('quorum', sa.Integer(), nullable=False),
    sa.Column('made_at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('asked_at', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('closes_at', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('deputy_asked_at', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('ended_at', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('ended_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('wrapped_key', sa.LargeBinary(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('view', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint("state in ('draft', 'open', 'closed', 'withdrawn')", name=op.f('ck_opinion_request_state')),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_opinion_request_conversation_id')),
    sa.ForeignKeyConstraint(['record_id'], ['decision_record.id'], name=op.f('fk_opinion_request_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opinion_request')),
    sa.UniqueConstraint('number', name=op.f('uq_opinion_request_number'))
    )
    op.create_index('ix_opinion_request_conversation', 'opinion_request', ['conversation_id'], unique=False)
    op.create_index('ix_opinion_request_member', 'opinion_request', ['member_id', 'state'], unique=False)
    op.create_index('ix_opinion_request_record', 'opinion_request', ['record_id'], unique=False)
    op.create_table('opinion',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('request_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
    sa.Column('member_id', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('counts', sa.Boolean(), nullable=False),
    sa.Column('role', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('at', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['opinion_request.id'], name=op.f('fk_opinion_request_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_opinion')),
    sa.UniqueConstraint('request_id', 'member_id', 'seq', name=op.f('uq_opinion_request_id_member_id_seq'))
    )
    op.create_index('uq_opinion_counts', 'opinion', ['request_id', 'member_id'], unique=True, sqlite_where=sa.text('counts'), postgresql_where=sa.text('counts'))
    op.add_column('member', sa.Column('known_as', sa.LargeBinary(), nullable=True))
    op.execute(
        "insert into card (subject, chat_id, message_id) "
        "select id, chat_id, card_message_id from conversation where card_message_id is not null"
    )
    op.drop_column('conversation', 'card_message_id')
    op.add_column('outbox', sa.Column('card', sqlmodel.sql.sqltypes.AutoString(length=80), nullable=True))
    op.execute("update outbox set card = conversation_id where kind = 'card'")
    op.drop_column('outbox', 'conversation_id')
    op.execute(
        "insert into team (name, quorum, deadline_minutes) select distinct team, 2, 240 from member"
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"create trigger opinion_no_update before update of {FROZEN} on opinion "
            "begin select raise(abort, 'opinion is never changed'); end"
        )
        op.execute(
            "create trigger opinion_no_delete before delete on opinion "
            "begin select raise(abort, 'opinion is never changed'); end"
        )
        return
    for name, what in (("update", f"update of {FROZEN}"), ("delete", "delete")):
        op.execute(
            f"create trigger opinion_no_{name} before {what} on opinion for each row execute function refuse_change()"
        )


def downgrade() -> None:
    on = "" if op.get_bind().dialect.name == "sqlite" else " on opinion"
    for name in ("update", "delete"):
        op.execute(f"drop trigger opinion_no_{name}{on}")
    op.add_column('outbox', sa.Column('conversation_id', sqlmodel.sql.sqltypes.AutoString(length=32), nullable=True))
    op.execute("update outbox set conversation_id = card where length(card) = 32")
    op.drop_column('outbox', 'card')
    op.drop_column('member', 'known_as')
    op.add_column('conversation', sa.Column('card_message_id', sa.BigInteger(), nullable=True))
    op.execute(
        "update conversation set card_message_id = (select message_id from card where card.subject = conversation.id)"
    )
    for table in ("opinion", "opinion_request", "wrong_code", "timer", "text_wanted", "team", "invite", "card"):
        op.drop_table(table)
