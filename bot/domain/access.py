"""Access control: one table of who may do what, deny by default. Every handler, button and command checks it.

The role is read from the store for every action. A scope says whose resources a role may act on: `own`, `colleagues`
(the team's but never one's own), `team` (both) or `any`. The command line has a role of its own, operator: whoever has
the store and its key.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a member may be. The values are stored."""

    PRACTITIONER = "practitioner"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Scope(StrEnum):
    """Whose resources a role may act on."""

    OWN = "own"
    COLLEAGUES = "colleagues"
    TEAM = "team"
    ANY = "any"


ROLES = tuple(Role)
OWN, COLLEAGUES, TEAM, ANY = Scope
OPERATOR = "operator"
#: The operator's name in the ledger.
COMMAND_LINE = "command line"
EVERY_ROLE = (*ROLES, OPERATOR)


def _everyone(scope: Scope) -> dict[str, Scope]:
    return dict.fromkeys(ROLES, scope)


#: Action -> role -> scope. Anything not listed is forbidden.
RULES: dict[str, dict[str, Scope]] = {
    # Guidance and one's own walk.
    "read_guidance": {**_everyone(ANY), OPERATOR: ANY},
    "walk": _everyone(OWN),
    "raise_emergency": _everyone(OWN),
    "read_record": {**_everyone(OWN), OPERATOR: ANY},
    "amend_record": _everyone(OWN),
    # Review.
    "request_sign_off": _everyone(OWN),
    "review_record": {Role.SUPERVISOR: COLLEAGUES},
    "export_list": {Role.SUPERVISOR: TEAM},
    "agree_to_export": {Role.SUPERVISOR: COLLEAGUES, Role.ADMINISTRATOR: COLLEAGUES},
    "read_retention": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "hold_record": {Role.SUPERVISOR: COLLEAGUES, Role.ADMINISTRATOR: COLLEAGUES, OPERATOR: ANY},
    "read_statistics": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM},
    "use_console": {Role.SUPERVISOR: OWN, Role.ADMINISTRATOR: OWN},
    # Second opinions.
    "ask_opinion": _everyone(OWN),
    "give_opinion": _everyone(COLLEAGUES),
    "ask_in_channel": _everyone(TEAM),
    # Members and teams.
    "leave": _everyone(OWN),
    "invite_practitioner": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "invite_supervisor": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "approve_supervisor": {Role.SUPERVISOR: TEAM},
    "make_member": {OPERATOR: ANY},
    "list_members": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "end_member": {Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "set_team": {Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "read_team": {**_everyone(TEAM), OPERATOR: ANY},
    "claim_channel": {Role.ADMINISTRATOR: TEAM},
    # The organisation's settings, and the operator's work.
    "set_local_contacts": {Role.ADMINISTRATOR: ANY, OPERATOR: ANY},
    "read_unanswered": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM, OPERATOR: ANY},
    "sort_unanswered": {Role.SUPERVISOR: TEAM, Role.ADMINISTRATOR: TEAM},
    "manage_retention": {OPERATOR: ANY},
    "pause": {OPERATOR: ANY},
    "back_up": {OPERATOR: ANY},
    "serve": {OPERATOR: ANY},
    "verify": {OPERATOR: ANY},
}
#: Actions for people who are not members: only joining, with an invite.
FOR_STRANGERS = frozenset({"join"})
#: Actions allowed in a team's channel. All others need the private chat.
IN_CHANNEL = frozenset({"give_opinion", "ask_in_channel", "claim_channel"})


@dataclass(frozen=True)
class Resource:
    """The object of an action, described by its owner (a member's id) and its team."""

    owner: int | None = None
    team: str | None = None


class HasRole(Protocol):
    """A member, as far as access control needs to know one."""

    @property
    def id(self) -> int:
        """The member's id."""

    @property
    def role(self) -> str:
        """One of `ROLES`."""

    @property
    def team(self) -> str:
        """The team's name."""


def may(member: HasRole | None, action: str, resource: Resource | None = None) -> bool:
    """Return whether a member may carry out an action, on this resource if one is given.

    Always False for strangers (None) and unknown actions.
    """
    if member is None:
        return False
    scope = RULES.get(action, {}).get(member.role)
    if scope is None or resource is None:
        return scope is not None
    own, team = resource.owner == member.id, resource.team == member.team
    return {OWN: own, COLLEAGUES: team and not own, TEAM: own or team, ANY: True}[scope]


def operator_may(action: str) -> bool:
    """Return whether the command line may carry out an action."""
    return OPERATOR in RULES.get(action, {})


def as_table() -> str:
    """Return the rules as a Markdown table: a row per action, a column per role, the scope in each cell."""
    lines = ["| action | " + " | ".join(EVERY_ROLE) + " |", "|---" * (len(EVERY_ROLE) + 1) + "|"]
    for action, rule in RULES.items():
        lines.append(
            f"| {action.replace('_', ' ')} | " + " | ".join(rule.get(role, "no") for role in EVERY_ROLE) + " |"
        )
    return "\n".join(lines) + "\n"
