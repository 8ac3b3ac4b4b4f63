"""Runs migrations on the connection it is given, or on SHAREWISE_DATABASE_URL for the Alembic command."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import storage.core.models  # noqa: F401 (fills the metadata)
from storage.core.engine import make_engine


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(os.environ["SHAREWISE_DATABASE_URL"]).begin() as opened:
        run(opened)
