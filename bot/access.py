"""Who may do what: one table, deny by default. Roles are read from the store at every act."""

from __future__ import annotations

from storage.members import MemberRow

#: Action -> roles that may do it. Scope: each of these touches the person's own conversation and records only.
ALLOWED: dict[str, frozenset[str]] = {
    action: frozenset({"practitioner", "supervisor", "administrator"})
    for action in ("read_guidance", "walk", "read_own_records", "amend_own_record", "raise_emergency")
}


def may(member: MemberRow | None, action: str) -> bool:
    """Say whether this member may do this; a stranger and an unknown action never may."""
    return member is not None and member.role in ALLOWED.get(action, frozenset())
