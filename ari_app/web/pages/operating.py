"""The operator's own: the marketplace planned and applied, people, the audit log, the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.responses import RedirectResponse, Response

from ari_app.access.parties import ROLES, Party, PartyKind, Person
from ari_app.desk import audit, doctor, documents, marketplaces, people
from ari_app.desk.allowed import require_people_of
from ari_app.desk.marketplaces import Changed
from ari_app.desk.refused import Refused
from ari_app.desk.signin import party_named
from ari_app.domain.basics.clock import iso
from ari_app.domain.basics.errors import DocumentError
from ari_app.views.applied import applied_lines
from ari_app.views.audit import entry_json, entry_row
from ari_app.views.findings import finding_json
from ari_app.views.marketfile import to_yaml
from ari_app.views.people import invitation_json, person_json
from ari_app.web.pages.listings import page_of
from ari_app.web.pages.signing import Field
from ari_app.web.pages.tables import Column, table
from ari_app.web.pages.viewing import done, show
from ari_app.web.problems import of_error
from ari_app.web.state import web_of
from ari_app.web.who import Asked, by

router = APIRouter(include_in_schema=False)

NOWHERE = Path("/nonexistent")
"""A document from a page names no files of this machine but those that are in force already."""
AUDIT_LINES = 300
PEOPLE = (
    Column("person", "_name"),
    Column("email", "_email"),
    Column("party", "_party"),
    Column("role", "_role", "state"),
    Column("has_password", "_password"),
    Column("authenticator", "_authenticator"),
    Column("since", "_since", "time"),
)
AUDIT = (
    Column("at", "at", "time"),
    Column("by", "actor"),
    Column("what", "use_case"),
    Column("about", "subject"),
    Column("detail", "_facts", "text"),
)
FINDINGS = (
    Column("result", "_result", "state"),
    Column("check", "name", "text"),
    Column("detail", "detail", "text"),
    Column("remedy", "remedy", "text"),
)


# The marketplace


@router.get("/marketplace")
def marketplace(asked: Annotated[Asked, Depends(by("marketplaces.plan"))]) -> Response:
    """The marketplace in force, to be edited."""
    try:
        version, found = documents.exported(asked.site)
    except Refused:  # none is in force yet
        return _editor(asked, "", 0)
    return _editor(asked, to_yaml(found), version)


@router.post("/marketplace/plan")
def plan(
    asked: Annotated[Asked, Depends(by("marketplaces.plan"))],
    document: Field = "",
    version: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """Shows what the document would change; changes nothing."""
    try:
        planned = marketplaces.plan(asked.site, document, "marketplace", NOWHERE)
    except (DocumentError, Refused) as error:
        return _editor(asked, document, version, error=error)
    return _editor(asked, document, version, planned=planned)


@router.post("/marketplace/apply")
def apply(
    asked: Annotated[Asked, Depends(by("marketplaces.apply"))],
    document: Field = "",
    version: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """Puts the document in force, in place of the version that was edited."""
    try:
        marketplaces.apply(asked.site, asked.actor, document, "marketplace", NOWHERE, version)
    except (DocumentError, Refused) as error:
        return _editor(asked, document, version, error=error)
    return done("/marketplace", "marketplace")


def _editor(
    asked: Asked,
    document: str,
    version: int,
    *,
    planned: Changed | None = None,
    error: Exception | None = None,
) -> Response:
    problem = of_error(error) if error is not None else None
    lines = (
        applied_lines(planned.applied, planned.prompts, planned.shortages, planned.remarks) if planned else ()
    )
    return show(
        asked,
        "marketplace.html",
        problem.status if problem else 200,
        document=document,
        version=version,
        is_planned=planned is not None,
        lines=lines,
        findings=error.findings if isinstance(error, DocumentError) else (),
        problem=problem,
    )


# People


@router.get("/people")
def list_people(asked: Annotated[Asked, Depends(by("people.listed"))]) -> Response:
    """Who can sign in for the party; for the operator, everybody."""
    return _people(asked)


@router.post("/people/invite")
def invite(
    asked: Annotated[Asked, Depends(by("people.invite"))],
    email: Field = "",
    party: Field = "",
    role: Field = "",
) -> Response:
    """Makes an invitation; its link is shown this once."""
    require_people_of(asked.viewer, party_named(party))
    handed = people.invite(asked.site, asked.actor, email, party, role)
    link = f"{web_of(asked.request).settings.public_url}/join#{handed.token}"
    return _people(asked, link=link, email=handed.email, expires_at=iso(handed.expires_at))


@router.post("/people/remove")
def remove(
    asked: Annotated[Asked, Depends(by("people.remove"))], email: Field = "", party: Field = ""
) -> RedirectResponse:
    """Takes somebody out of a party."""
    require_people_of(asked.viewer, party_named(party))
    people.remove(asked.site, asked.actor, email, party)
    return done("/people", "removed")


def _people(asked: Asked, **handed: str) -> Response:
    party = asked.viewer.party if asked.viewer.own else None
    told = [row for one in people.listed(asked.site, party) for row in _rows(one, party)]
    open_ = [
        invitation_json(one.email, str(one.to.party), one.to.role, one.by, one.expires_at)
        for one in people.invited(asked.site, party)
    ]
    return page_of(
        asked,
        "people",
        table(asked.lens, "Person", "place.people", PEOPLE, told),
        "people.html",
        invitations=open_,
        handed=handed,
        parties=_parties(asked),
        roles=sorted({role for kind in _kinds(asked) for role in ROLES[kind]}),
    )


def _rows(person: Person, only: Party | None) -> list[dict[str, Any]]:
    """A row for each of the person's parties, or for one party."""
    has = person.has_password, person.has_totp
    held = [(str(one.party), one.role) for one in person.memberships if only in (None, one.party)]
    whole: Mapping[str, Any] = person_json(person.email, person.name, held, *has, person.created_at)
    kept = {
        f"_{name}": "yes" if value is True else "no" if value is False else value
        for name, value in whole.items()
    }
    return [kept | {"_party": party, "_role": role} for party, role in held]


def _parties(asked: Asked) -> list[str]:
    """Whom somebody may be invited to."""
    if asked.viewer.own:
        return [str(asked.viewer.party)]
    try:
        found = documents.exported(asked.site)[1]
    except Refused:
        return ["operator"]
    names = (
        [f"advertiser:{name}" for name in found.advertisers],
        [f"publisher:{name}" for name in found.publishers],
    )
    return ["operator", *names[0], *names[1]]


def _kinds(asked: Asked) -> list[PartyKind]:
    return [asked.viewer.party.kind] if asked.viewer.own else ["operator", "advertiser", "publisher"]


# How it does


@router.get("/audit")
def audit_log(
    asked: Annotated[Asked, Depends(by("audit.listed"))], actor: str | None = None, subject: str | None = None
) -> Response:
    """Who did what, newest first."""
    found = audit.listed(asked.site, AUDIT_LINES, actor=actor or None, subject=subject or None)
    told = [entry_json(one) | {"_facts": entry_row(one)[-1]} for one in found]
    return page_of(asked, "audit", table(asked.lens, "AuditEntry", "place.audit", AUDIT, told), "audit.html")


@router.get("/doctor")
def examine(asked: Annotated[Asked, Depends(by("doctor.examine"))]) -> Response:
    """What keeps calls from being served, in the order in which to repair it."""
    told = [
        finding_json(one.name, one.ok, one.detail, one.remedy, one.is_doubtful)
        | {"_result": "warning" if one.is_doubtful else "ok" if one.ok else "failed"}
        for one in doctor.examine(asked.site.settings)
    ]
    return page_of(asked, "doctor", table(asked.lens, "Finding", "place.doctor", FINDINGS, told))
