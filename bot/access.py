"""Who may do what: one table, deny by default. Roles are read from the store at every act."""

from __future__ import annotations

from storage.members import MemberRow

EVERYONE = frozenset({"practitioner", "supervisor", "administrator"})

#: Action -> roles that may do it. Scope: what touches a conversation or record touches the person's own only.
ALLOWED: dict[str, frozenset[str]] = {
    "read_guidance": EVERYONE,
    "walk": EVERYONE,
    "read_own_records": EVERYONE,
    "amend_own_record": EVERYONE,
    "raise_emergency": EVERYONE,
    "set_local_route": frozenset({"administrator"}),
    "read_unanswered": frozenset({"supervisor", "administrator"}),
}


def may(member: MemberRow | None, action: str) -> bool:
    """Say whether this member may do this; a stranger and an unknown action never may."""
    return member is not None and member.role in ALLOWED.get(action, frozenset())
