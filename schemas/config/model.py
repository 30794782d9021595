"""What a configuration is, once read. Times are seconds; secrets never show in a repr."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from schemas import domain, mapping
from schemas.config.yaml_lines import Lines
from schemas.conflict import Policy
from schemas.document import Read
from schemas.errors import BadUsage
from schemas.finding import Finding

_SECTION: Final = re.compile(r"[^.\[]+(\[[0-9]+\])?")


class FileUnreadable(BadUsage):
    """The configuration cannot be read."""

    hint = "Name the file with `-c FILE` or ODOO_CDC_CONFIG; it is UTF-8 text."


class ConfigError(BadUsage):
    """The configuration is not valid; the message holds a line for every finding."""

    hint = "Correct the file; docs/configuration.md shows every key."

    def __init__(self, path: Path, findings: Sequence[Finding], *, hint: str = "") -> None:
        """Say all findings, in the order of the file."""
        super().__init__("\n".join(finding.text(path) for finding in findings), hint=hint)
        self.findings = list(findings)


@dataclass(frozen=True, slots=True)
class Source:
    """One Odoo database that is captured.

    `context` is how it looks at its records, `odoo` are the credentials for its RPC, or empty.
    """

    name: str
    dsn: str = field(repr=False)
    publication: str
    slot: str
    publish: str = "tables"
    initial_load: bool = True
    context: domain.Context = field(default_factory=domain.Context)
    odoo: Mapping[str, str] = field(default_factory=dict, repr=False)
    fanout_limit: int = 10_000  # documents that one transaction sends at once by lookups
    mask_key: str = field(default="", repr=False)
    load_rate: int = 0  # rows a second that capture reads of tables; 0: as fast as possible
    failover: bool = False  # the slot is synchronised to standbys
    stop_at_wal: int = 0  # bytes that the slot may hold; 0: as many as there are


@dataclass(frozen=True, slots=True)
class Health:
    """Where capture and stream tell how they are; "" is nowhere."""

    listen: str = ""


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """How `setup` makes topics; `retention` in seconds."""

    partitions: int = 8
    replication: int = 1
    retention: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Wso2:
    """Where deliveries go, and what lets us in.

    `auth` is empty or has one key: `basic` ({user, password}), `oauth2` ({token_url, client_id,
    client_secret}) or `bearer` (the token). `tls` has none, some or all of `ca`, `cert`, `key`:
    absolute paths.
    """

    url: str
    timeout: float = 10.0
    concurrency: int = 32
    auth: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acks:
    """Where acknowledgements come in; `listen` "" leaves only the topic."""

    listen: str = "127.0.0.1:8091"
    url: str = "http://127.0.0.1:8091/acks"
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver of deliveries; `retry` are the waits before the 2nd, 3rd ... attempt.

    `auth` and `tls` are between WSO2 and the target. `auth` has the form of `Wso2.auth`. `tls` has
    none, some or all of `keystore`, `truststore` (paths as WSO2 sees them) and their passwords,
    `keystore_password` and `truststore_password`.
    """

    name: str
    url: str
    timeout: float = 30.0
    window: str = ""
    acknowledge: Literal["required", "accepted"] = "required"
    ack_timeout: float = 120.0
    retry: tuple[float, ...] = (30.0, 300.0, 3600.0, 21600.0, 86400.0)
    history: Literal["latest", "all"] = "latest"
    auth: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """Model + domain + mapping + targets; `index` is its place in the file, from 0."""

    name: str
    model: str
    domain: domain.Domain
    targets: tuple[str, ...]
    target_model: str
    mapping: mapping.Mapping
    on_leave: Literal["leave", "delete", "ignore"] = "leave"
    follow_lookups: bool = True
    active_test: bool = False
    initial_load: bool = True
    ignore_writes_by: tuple[str, ...] = ()  # logins
    conflict: Policy | None = None
    index: int = 0

    def reads(self) -> list[Read]:
        """Return every path that the domain or the mapping reads.

        What its domains imply besides, who knows the database's fields adds. Which may be live is
        said as if Odoo could be asked. `follow_lookups` is about what the mapping shows.
        """
        shown = mapping.reads(self.mapping)
        if not self.follow_lookups:
            shown = [replace(read, follow=False) for read in shown]
        # What leaves by a lookup is to be told at once: no later event would show it inside.
        return [*domain.reads(self.domain), *shown]


@dataclass(frozen=True, slots=True)
class Config:
    """One sync.yaml; `fingerprint` is the file's SHA-256, its first 16 hex digits."""

    path: Path
    source: Source
    state: Path
    health: Health
    kafka: Mapping[str, str] = field(repr=False)  # librdkafka's own names; may hold passwords
    topics: TopicSettings
    wso2: Wso2
    acks: Acks
    decimals: Literal["string", "number"]
    targets: Mapping[str, Target]
    routes: tuple[Route, ...]
    fingerprint: str
    lines: Lines = field(repr=False)
    warnings: tuple[Finding, ...] = ()

    @property
    def loaded_models(self) -> frozenset[str]:
        """The models whose existing records go to a route."""
        return frozenset(route.model for route in self.routes if route.initial_load)

    def refuse(self, findings: Sequence[Finding]) -> None:
        """Raise ConfigError with the lines of what is found, where anything is."""
        if findings:
            placed = [replace(each, line=self.lines.of(each.where)) for each in findings]
            raise ConfigError(self.path, placed)

    def with_warnings(self, findings: Sequence[Finding]) -> Config:
        """Return it with those of the findings that are warnings."""
        return replace(self, warnings=tuple(f for f in findings if f.level == "warning"))


@dataclass(frozen=True, slots=True)
class Part:
    """What a file says where only some of its keys were needed; `left` are the errors elsewhere.

    What these errors are about has its default in `config`, or is empty.
    """

    config: Config
    left: tuple[Finding, ...] = ()

    def said_left(self) -> str:
        """Return a line that says where these errors are, "" where there are none."""
        if not self.left:
            return ""
        sections = (_SECTION.match(found.where) for found in self.left)
        places = ", ".join(dict.fromkeys(found[0] for found in sections if found))
        return (
            f"{self.config.path}: errors that do not matter here, in {places};"
            " `odoo-cdc check --file-only` says them"
        )
