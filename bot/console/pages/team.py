"""The team page: what the team agreed about second opinions, and its members."""

from __future__ import annotations

from starlette.responses import Response

from bot.console.visit import Visit
from bot.messages import membership_cards, opinion_cards
from bot.usecases import teams


def team_page(visit: Visit) -> Response:
    """Show the member's team: what it agreed, its deputy and its members."""
    visit.must("list_members")
    found, deputy, people = teams.look_at(visit.unit, visit.member.team)
    return visit.page(
        "team.html", team=found, people=people,
        time=opinion_cards.duration(found.deadline_minutes), deputy=membership_cards.called(deputy) if deputy else "nobody",
        reach=membership_cards.reach,
    )  # fmt: skip
