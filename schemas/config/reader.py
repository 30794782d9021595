"""From the text of sync.yaml to a Config."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from schemas.config.access import read_auth, read_odoo, read_pem, read_stores
from schemas.config.context import read_context
from schemas.config.hidden import learn_secrets
from schemas.config.kafka import read_kafka
from schemas.config.listening import read_listen, want_token
from schemas.config.model import (
    Acks,
    Config,
    ConfigError,
    Health,
    Part,
    Source,
    Target,
    TopicSettings,
    Wso2,
)
from schemas.config.opening import open_file
from schemas.config.outline import schema_of
from schemas.config.routes import NAME, NAME_HELP, SOURCE, read_routes
from schemas.config.section import Notes, Section
from schemas.config.windows import fault_of_window
from schemas.config.yaml_lines import child
from schemas.finding import Finding

_SOURCE_HELP: Final = "a small letter, then up to 39 small letters, digits or _"
_SLOT: Final = re.compile(r"[a-z0-9_]{1,63}")
_SLOT_HELP: Final = "Postgres allows small letters, digits and _, 63 at most"
_PUBLICATION: Final = re.compile(r"[^\x00]{1,63}")
_ROUTES_HELP: Final = "say which model goes where: [{name: ..., model: ..., targets: [...]}]"
_BEGIN: Final = "begin with `source:`"
_EXAMPLE: Final = "docs/examples/sync.yaml is one"


def load(path: Path, env: Mapping[str, str] = os.environ) -> Config:
    """Read a file; `env` is where `${NAME}` comes from.

    Raises FileUnreadable, and ConfigError with everything that is wrong with the file.
    """
    config, findings = _read(path, env)
    if any(found.level == "error" for found in findings):
        raise ConfigError(path, findings)
    return config


def load_part(
    path: Path, needed: Callable[[Config], Iterable[str]], env: Mapping[str, str] = os.environ
) -> Part:
    """Read a file of which some keys are needed: `source`, `routes[0]`; errors elsewhere are left.

    `needed` gets what was read, with defaults in place of what is wrong. Raises FileUnreadable,
    and ConfigError with what is wrong with the needed keys or all that stands below them.
    """
    config, findings = _read(path, env)
    keys = tuple(needed(config))
    errors = [found for found in findings if found.level == "error"]
    here = [found for found in errors if _is_within(found.where, keys)]
    if here:
        raise ConfigError(path, here)
    return Part(config, tuple(errors))


def _is_within(where: str, keys: Iterable[str]) -> bool:
    """Whether a place is one of `keys`, below one of them, or the whole file ("")."""
    return not where or any(
        where == key or where.startswith((f"{key}.", f"{key}[")) for key in keys
    )


def _read(path: Path, env: Mapping[str, str]) -> tuple[Config, list[Finding]]:
    """Return what a file says, and the findings by line; ConfigError where it has no keys."""
    file, fingerprint = open_file(path, env, _BEGIN, _EXAMPLE)
    config = _config(path, file, fingerprint)
    learn_secrets(config)
    return config, sorted(file.notes.findings, key=lambda found: found.line or 0)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of what `load` reads, before it looks at values."""
    return schema_of(lambda file: _config(Path("sync.yaml"), file, ""))


def _config(path: Path, file: Section, fingerprint: str) -> Config:
    folder = path.absolute().parent
    source = _source(file.section("source"))
    named = file.named("targets", NAME, "a target", NAME_HELP)
    targets = {name: _target(name, each) for name, each in named.items()}
    config = Config(
        path=path,
        source=source,
        state=folder / Path(file.text("state") or "./state").expanduser(),
        health=_health(file.section("health")),
        kafka=read_kafka(file.section("kafka"), folder),
        topics=_topics(file.section("topics")),
        wso2=_wso2(file.section("wso2"), folder),
        acks=_acks(file.section("acks")),
        decimals=file.choice("decimals", "string", ["number"]),
        targets=targets,
        routes=read_routes(file.sections("routes", _ROUTES_HELP), source, targets),
        fingerprint=fingerprint,
        lines=file.notes.lines,
    )
    file.done()
    if not file.notes.findings:
        _note_idle(file.notes, config)
    return config.with_warnings(file.notes.findings)


def _note_idle(notes: Notes, config: Config) -> None:
    """Note what is valid and has no effect."""
    used = {name for route in config.routes for name in route.targets}
    for name in config.targets:
        if name not in used:
            where = child("targets", name)
            remedy = "add it to a route's `targets`, or take it out"
            notes.warning(where, "no route has this target", remedy)


def _source(section: Section) -> Source:
    name = section.matching("name", SOURCE, _SOURCE_HELP)
    source = Source(
        name=name,
        dsn=section.text("dsn", required=True),
        publication=section.matching(
            "publication", _PUBLICATION, "63 characters at most", f"odoo_cdc_{name}"
        ),
        slot=section.matching("slot", _SLOT, _SLOT_HELP, f"odoo_cdc_{name}"),
        publish=section.choice("publish", "tables", ["columns"]),
        initial_load=section.flag("initial_load", default=True),
        failover=section.flag("failover", default=False),
        context=read_context(section),
        odoo=read_odoo(section.section("odoo")),
        fanout_limit=section.number("fanout_limit", 10_000),
        mask_key=section.text("mask_key"),
        stop_at_wal=section.size("stop_at_wal"),
        load_rate=section.number("load_rate", 0, least=0),
    )
    section.done()
    return source


def _target(name: str, section: Section) -> Target:
    url = section.url("url")
    target = Target(
        name=name,
        url=url,
        timeout=section.seconds("timeout", 30.0),
        window=section.text("window"),
        acknowledge=section.choice("acknowledge", "required", ["accepted"]),
        ack_timeout=section.seconds("ack_timeout", 120.0),
        retry=section.ladder("retry", (30.0, 300.0, 3600.0, 21600.0, 86400.0)),
        history=section.choice("history", "latest", ["all"]),
        auth=read_auth(section.section("auth")),
        tls=read_stores(section.section("tls"), url),
    )
    fault = fault_of_window(target.window)
    if fault is not None:
        section.error("window", fault.message, fault.remedy)
    section.done()
    return target


def _health(section: Section) -> Health:
    health = Health(listen=read_listen(section, ""))
    section.done()
    return health


def _topics(section: Section) -> TopicSettings:
    topics = TopicSettings(
        partitions=section.number("partitions", 8),
        replication=section.number("replication", 1),
        retention=section.seconds("retention", 7 * 86400.0),
    )
    section.done()
    return topics


def _wso2(section: Section, folder: Path) -> Wso2:
    wso2 = Wso2(
        url=section.url("url"),
        timeout=section.seconds("timeout", 10.0),
        concurrency=section.number("concurrency", 32),
        auth=read_auth(section.section("auth")),
        tls=read_pem(section.section("tls"), folder),
    )
    section.done()
    return wso2


def _acks(section: Section) -> Acks:
    acks = Acks(
        listen=read_listen(section, "127.0.0.1:8091"),
        url=section.url("url", "http://127.0.0.1:8091/acks"),
        token=section.token("token"),
    )
    want_token(section, acks.listen, acks.token)
    section.done()
    return acks
