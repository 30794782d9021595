"""What `check` can know of the source and of Kafka before capture starts.

`findings` looks; each module beside it says of one thing, from facts alone, what is wrong.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cdc.checks import companies, failover, kafka, languages, routes, server, stream, tables, wal
from cdc.kafka_admin import Admin
from cdc.postgres import publication, slot
from cdc.postgres.catalog import load_models
from cdc.postgres.connect import Session
from cdc.postgres.defaults import company_defaults
from cdc.postgres.facts import gather
from cdc.postgres.languages import first_days
from cdc.postgres.languages import languages as active_languages
from cdc.postgres.users import users
from cdc.selection import Selection, select
from cdc.shadow.folder import has_shadow
from schemas import folder
from schemas.config import Config
from schemas.errors import OdooCdcError
from schemas.fields import Models
from schemas.finding import Finding

DSN: Final = "source.dsn"
KAFKA: Final = "kafka"
NOT_HELD: Final = Finding(
    "warning",
    "routes",
    None,
    "sync.yaml is well formed, but its routes were not held against the database: whether models,"
    " fields, domains and mappings are right is not known",
    "see to what is said of source.dsn, then ask again",
)


def findings(config: Config) -> list[Finding]:
    """Return everything that is wrong with source and Kafka; blocking, raises nothing of ours."""
    state = folder.findings(config.state, folder.look(config.state))
    found = [*state, *_of_source(config), *_of_kafka(config)]
    return [_placed(config, each) for each in found]


def _of_source(config: Config) -> list[Finding]:
    try:
        with Session.connect(config.source.dsn, "odoo-cdc-check") as session:
            return _of_session(config, session)
    except OdooCdcError as error:
        return [_of_error(DSN, error), NOT_HELD]


def _of_session(config: Config, session: Session) -> list[Finding]:
    facts = gather(session)
    found = server.findings(facts, slot.look(session, config.source.slot))
    if any(each.where == server.VERSION for each in found):
        return [*found, NOT_HELD]  # such a server does not know what follows asks for
    models = load_models(session, config.source.context.lang)
    faults = routes.findings(config, models, users(session, routes.logins(config)))
    found += [*faults, *languages.findings(config, active_languages(session))]
    sound = _without_faults(config, faults)
    if sound.routes:
        found += routes.costs(sound, models)
        selection, more = _selected(sound, models)
        found += more
        if selection is not None:
            found += _of_selection(config, session, selection)
    return found


def _of_selection(config: Config, session: Session, selection: Selection) -> list[Finding]:
    facts = gather(session, selection.columns)
    state = slot.look(session, config.source.slot)
    published = publication.look(session, config.source.publication)
    held, lists = has_shadow(config.state / "capture"), config.source.publish == "columns"
    return [
        *tables.findings(facts, selection, published, lists=lists),
        *_of_companies(config, session, selection),
        *_of_week(config, session, selection),
        *stream.of_publication(selection, published, state, captured=held, lists=lists),
        *stream.of_slot(facts, state, captured=held),
        *(failover.findings(facts, state) if config.source.failover else ()),
        *wal.findings(config.source.stop_at_wal, facts.max_slot_wal_keep_size),
    ]


def _of_companies(config: Config, session: Session, selection: Selection) -> list[Finding]:
    asked = companies.asked(selection.shapes)
    if not asked:
        return []
    try:
        return list(companies.findings(config, asked, company_defaults(session)))
    except OdooCdcError as error:
        return [_of_error(DSN, error)]


def _of_week(config: Config, session: Session, selection: Selection) -> list[Finding]:
    if not languages.counts_days(config, selection.shapes):
        return []
    return languages.of_week(config, first_days(session))


def _selected(config: Config, models: Models) -> tuple[Selection | None, list[Finding]]:
    try:
        return select(config, models), []
    except OdooCdcError as error:
        return None, [_of_error("routes", error)]


def _without_faults(config: Config, faults: list[Finding]) -> Config:
    bad = {each.where.partition(".")[0] for each in faults if each.level == "error"}
    sound = tuple(r for r in config.routes if f"routes[{r.index}]" not in bad)
    return replace(config, routes=sound)


def _of_kafka(config: Config) -> list[Finding]:
    try:
        return kafka.findings(config, Admin(config.kafka))
    except OdooCdcError as error:
        return [_of_error(KAFKA, error)]


def _of_error(where: str, error: OdooCdcError) -> Finding:
    return Finding("error", where, None, str(error), error.hint)


def _placed(config: Config, found: Finding) -> Finding:
    """Give a finding the line of its key; what names a service has the line of its address."""
    where = DSN if found.where == server.VERSION else found.where
    return replace(found, where=where, line=found.line or config.lines.of(where))
