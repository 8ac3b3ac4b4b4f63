"""Exports of many records: one person asks, another agrees, then the first downloads CSV or XLSX."""

from __future__ import annotations

from starlette.responses import Response

from bot.console.pages.queue import FILTERS, wanted_of
from bot.console.refusals import ABSENT
from bot.console.visit import Visit
from bot.documents import spreadsheets
from bot.domain.access import Resource
from bot.messages import membership_cards, refusals
from bot.usecases import exports, teams, typed_text
from bot.usecases.context import whole
from bot.usecases.exports import ExportRow
from flows.screening import NotScreened

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def ask_for_list(visit: Visit) -> Response:
    """Ask for an export. Somebody else in the team must agree to it."""
    visit.must("export_list")
    chosen = {name: visit.form.get(name, "")[:80] for name in FILTERS}
    case = typed_text.read(visit.context, visit.form.get("case", ""))
    try:
        chosen["case"] = case.screened(longest=40, override=("nhs_number",)).text if case.text else ""
    except NotScreened as error:
        return lists(visit, refusals.refusal(error))
    number = exports.ask(visit.unit, visit.context, visit.as_actor(), wanted_of(chosen))
    return lists(visit, f"You asked for list {number}. A second person must agree to it.")


def lists(visit: Visit, said: str = "") -> Response:
    """Show the team's exports: those waiting for somebody to agree and those ready to download."""
    visit.must("agree_to_export")
    found = exports.open_in_team(visit.unit, visit.context, visit.member.team)
    names = {m.id: membership_cards.called(m) for m in teams.people(visit.unit, visit.member.team)}
    return visit.page("lists.html", lists=found, names=names, said=said)


def _export(visit: Visit) -> ExportRow:
    number = whole(visit.request.path_params["number"])
    found = exports.find(visit.unit, visit.context, number) if number is not None else None
    if found is None:
        raise ABSENT
    return found


def agree_to_list(visit: Visit) -> Response:
    """Agree to an export that somebody else asked for."""
    found = _export(visit)
    visit.must("agree_to_export", Resource(found.member_id, found.team))
    agreed = exports.agree(visit.unit, visit.context, visit.as_actor(), found)
    return lists(visit, "Agreed." if agreed else "This list is not waiting for you.")


def take_list(visit: Visit) -> Response:
    """Return an agreed export as CSV or XLSX. Only the person who asked for it can download it."""
    found, kind = _export(visit), visit.request.path_params["kind"]
    visit.must("export_list", Resource(found.member_id, found.team))
    if kind not in ("csv", "xlsx"):
        raise ABSENT
    rows = exports.take(visit.unit, visit.context, visit.as_actor(), found)
    if rows is None:
        raise ABSENT
    name = {"content-disposition": f'attachment; filename="records-{found.id}.{kind}"'}
    if kind == "csv":
        return Response(spreadsheets.as_csv(rows), media_type="text/csv", headers=name)
    return Response(spreadsheets.as_xlsx(rows), media_type=XLSX, headers=name)
