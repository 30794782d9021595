from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.config import Config, ConfigError, FileUnreadable, load
from schemas.conflict import Policy
from schemas.domain import OwnFilter, parse
from schemas.finding import Finding

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
SECRET = "s3cr3t-Wert"

MINIMAL = """\
source:
  name: odoo_a
  dsn: postgresql:///odoo
kafka:
  bootstrap.servers: localhost:9092
wso2:
  url: http://localhost:8290/cdc
targets:
  webshop:
    url: http://shop.example/in
routes:
  - name: orders
    model: sale.order
    targets: [webshop]
    fields: [name, state]
"""

Load = Callable[..., Config]
Findings = Callable[..., list[Finding]]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Load a text, the environment given as keywords."""

    def read(text: str, **env: str) -> Config:
        path = tmp_path / "sync.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, env)

    return read


@pytest.fixture
def found(loaded: Load) -> Findings:
    """Load a text that is not valid, and return what is wrong with it."""

    def read(text: str, **env: str) -> list[Finding]:
        with pytest.raises(ConfigError) as caught:
            loaded(text, **env)
        assert caught.value.hint
        assert caught.value.exit_code == 2
        assert SECRET not in str(caught.value)
        assert all(SECRET not in repr(finding) for finding in caught.value.findings)
        return caught.value.findings

    return read


def with_lines(after: str, *lines: str) -> str:
    """Return the minimal file with lines put in after the first that begins like `after`."""
    head, mark, tail = MINIMAL.partition(after)
    assert mark, after
    rest = tail.partition("\n")
    return head + mark + rest[0] + "\n" + "".join(f"{line}\n" for line in lines) + rest[2]


def instead(old: str, new: str) -> str:
    """Return the minimal file with a text replaced."""
    assert old in MINIMAL
    return MINIMAL.replace(old, new, 1)


# --- what is read


def test_a_route_says_who_stands_in_a_conflict(loaded: Load) -> None:
    later = loaded(with_lines("  - name: orders", "    conflict: later"))
    all_of_it = with_lines("  - name: orders", "    conflict: {master: odoo_b}").replace(
        "shop.example/in", "shop.example/in\n    history: all"
    )

    assert later.routes[0].conflict == Policy()
    assert loaded(all_of_it).routes[0].conflict == Policy("odoo_b")


def test_how_the_source_looks_at_its_records(loaded: Load) -> None:
    text = with_lines(
        "  dsn",
        "  company: 2",
        "  company_defaults: {res.partner.trust: normal, a.b.cost: {1: 2.5, '*': 3}}",
        '  field_domains: {a.b.c_ids: [["active", "=", true]], a.b.d_ids: {archived: true}}',
        "  name_fields: {crm.tag: name, res.partner: [complete_name, email]}",
    )

    context = loaded(text).source.context

    assert context.defaults == {
        "res.partner.trust": {"*": "normal"},
        "a.b.cost": {"1": 2.5, "*": 3},
    }
    assert context.filter_of("a.b", "c_ids") == OwnFilter(parse([["active", "=", True]]))
    assert context.filter_of("a.b", "d_ids") == OwnFilter(archived=True)
    assert (context.names_of("crm.tag"), context.names_of("res.partner")) == (
        ("name",),
        ("complete_name", "email"),
    )


def test_the_example_loads() -> None:
    config = load(EXAMPLES / "sync.yaml", {})

    assert [route.name for route in config.routes] == ["products", "customers", "sale-to-purchase"]
    assert config.warnings == ()


def test_a_short_file_has_the_contract_s_defaults(loaded: Load, tmp_path: Path) -> None:
    config = loaded(MINIMAL)

    source = config.source
    assert (source.publication, source.slot) == ("odoo_cdc_odoo_a", "odoo_cdc_odoo_a")
    assert (source.publish, source.initial_load, source.context.lang) == ("tables", True, "en_US")
    assert (source.context.company, source.fanout_limit, dict(source.odoo)) == (1, 10_000, {})
    assert (source.stop_at_wal, source.load_rate) == (0, 0)
    assert source.failover is False
    assert config.state == tmp_path / "state"
    assert config.health.listen == ""
    assert config.kafka == {"bootstrap.servers": "localhost:9092"}
    assert (config.topics.partitions, config.topics.replication) == (8, 1)
    assert config.topics.retention == 7 * 86400
    assert (config.wso2.timeout, config.wso2.concurrency) == (10, 32)
    assert (config.wso2.auth, config.wso2.tls) == ({}, {})
    assert config.acks.listen == "127.0.0.1:8091"
    assert config.acks.url == "http://127.0.0.1:8091/acks"
    assert (config.acks.token, config.decimals) == ("", "string")
    target = config.targets["webshop"]
    assert (target.timeout, target.window, target.ack_timeout) == (30, "", 120)
    assert (target.acknowledge, target.history) == ("required", "latest")
    assert target.retry == (30, 300, 3600, 21600, 86400)
    (route,) = config.routes
    assert (route.target_model, route.on_leave) == ("sale.order", "leave")
    assert (route.follow_lookups, route.active_test, route.initial_load) == (True, False, True)
    assert [read.path for read in route.reads()] == ["name", "state"]


def test_every_key_is_read(loaded: Load, tmp_path: Path) -> None:
    config = loaded("""\
source:
  name: odoo_a
  dsn: postgresql:///odoo
  publication: pub
  slot: slot_1
  publish: columns
  initial_load: false
  lang: fr_FR
  company: 2
  fanout_limit: 500
  stop_at_wal: 20GB
  load_rate: 500
  failover: true
  mask_key: key
  odoo: {url: "http://odoo:8069", database: odoo, user: cdc, api_key: key}
state: /var/lib/odoo-cdc
health: {listen: "127.0.0.1:8092"}
kafka: {bootstrap.servers: "a:1,b:2", linger.ms: 5, log.queue: true, security.protocol: SSL}
topics: {partitions: 4, replication: 3, retention: 12h}
wso2:
  url: https://wso2.example/cdc
  timeout: 500ms
  concurrency: 8
  auth: {oauth2: {token_url: "https://wso2.example/token", client_id: me, client_secret: pw}}
  tls: {ca: ca.pem, cert: /etc/cert.pem, key: /etc/key.pem}
acks: {listen: ":8091", url: "http://here:8091/acks", token: abc}
decimals: number
targets:
  shop: {url: "http://shop/in", timeout: 1m, window: "22:00-06:00 Europe/Berlin",
         acknowledge: accepted, ack_timeout: 1h, retry: [1s, 1.5s], history: all}
routes:
  - {name: a, model: res.partner, targets: [shop], target_model: customer, map: {n: name},
     domain: [["active", "=", true]], on_leave: ignore, follow_lookups: false,
     active_test: true, initial_load: true}
  - {name: b, model: res.partner, targets: [shop], fields: [name]}
""")

    assert (config.source.publication, config.source.slot) == ("pub", "slot_1")
    assert (config.source.publish, config.source.fanout_limit) == ("columns", 500)
    assert (config.source.stop_at_wal, config.source.load_rate) == (20 << 30, 500)
    assert config.source.failover is True
    assert (config.source.context.lang, config.source.context.company) == ("fr_FR", 2)
    assert config.source.odoo["database"] == "odoo"
    assert config.state == Path("/var/lib/odoo-cdc")
    assert config.kafka["linger.ms"] == "5"
    assert config.kafka["log.queue"] == "true"
    assert (config.topics.partitions, config.topics.retention) == (4, 43_200)
    assert config.wso2.timeout == 0.5
    assert config.wso2.auth["oauth2"] == {
        "token_url": "https://wso2.example/token",
        "client_id": "me",
        "client_secret": "pw",
    }
    assert config.wso2.tls["ca"] == str(tmp_path / "ca.pem")
    assert config.wso2.tls["cert"] == "/etc/cert.pem"
    assert (config.acks.listen, config.acks.token) == (":8091", "abc")
    assert config.decimals == "number"
    shop = config.targets["shop"]
    assert (shop.retry, shop.history, shop.acknowledge) == ((1, 1.5), "all", "accepted")
    assert shop.window == "22:00-06:00 Europe/Berlin"
    first, second = config.routes
    assert (first.initial_load, second.initial_load) == (True, False)
    assert (first.target_model, first.on_leave, first.index) == ("customer", "ignore", 0)
    assert [(read.path, read.follow) for read in first.reads()] == [
        ("active", True),  # of the domain
        ("name", False),
    ]
    assert second.index == 1


@pytest.mark.parametrize(
    "auth", [{"basic": {"user": "a", "password": "b c"}}, {"bearer": "token"}]
)
def test_wso2_is_told_who_we_are_in_one_way(loaded: Load, auth: dict[str, Any]) -> None:
    text = with_lines("  url: http://localhost:8290/cdc", f"  auth: {auth}")

    assert loaded(text).wso2.auth == auth


def test_the_fingerprint_changes_with_any_byte_and_with_nothing_else(loaded: Load) -> None:
    first = loaded(MINIMAL)

    assert loaded(MINIMAL, HOME="/elsewhere").fingerprint == first.fingerprint
    assert loaded(MINIMAL + "# remark\n").fingerprint != first.fingerprint
    assert len(first.fingerprint) == 16


def test_lines_of_keys_are_known_afterwards(loaded: Load) -> None:
    lines = loaded(MINIMAL).lines

    assert lines.of("routes[0].fields[1]") == 15
    assert lines.of("routes[0].domain") == 12
    assert lines.of("targets.webshop.url") == 10


def test_a_target_without_routes_is_a_warning(loaded: Load) -> None:
    config = loaded(with_lines("    url: http://shop", "  other: {url: 'http://o.example'}"))

    (warning,) = config.warnings
    assert (warning.level, warning.where, warning.line) == ("warning", "targets.other", 11)


def test_a_window_is_kept_and_nothing_is_to_be_said_of_it(loaded: Load) -> None:
    config = loaded(with_lines("    url", "    window: 22:00-06:00 Europe/Berlin"))

    assert config.warnings == ()


# --- references


def test_references_come_from_the_environment_a_default_or_a_file(
    loaded: Load, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("t0ken\n")
    text = instead("postgresql:///odoo", "${DSN}")
    text += "acks: {token: '${file:token}', url: '${ACKS:-http://here/acks}'}\n"
    text += "topics: {partitions: ${PARTITIONS}}\n"

    config = loaded(text, DSN="host=db password='a: #{b}'", PARTITIONS="16")

    assert config.source.dsn == "host=db password='a: #{b}'"
    assert config.acks.token == "t0ken"
    assert config.acks.url == "http://here/acks"
    assert config.topics.partitions == 16


def test_a_password_of_digits_is_a_text(loaded: Load) -> None:
    text = with_lines(
        "  url: http://localhost:8290/cdc", "  auth: {basic: {user: a, password: ${PASSWORD}}}"
    )

    assert loaded(text, PASSWORD="0123").wso2.auth["basic"]["password"] == "0123"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        pytest.param("${MISSING}", "the environment has no MISSING", id="not set"),
        pytest.param("${a b}", "is not a reference", id="no reference"),
        pytest.param("${file:nowhere}", "cannot be read", id="no file"),
    ],
)
def test_a_reference_that_leads_nowhere_is_said_once(
    found: Findings, reference: str, says: str
) -> None:
    (finding,) = found(instead("postgresql:///odoo", reference))

    assert (finding.where, finding.line) == ("source.dsn", 3)
    assert says in finding.message
    assert finding.remedy


# --- what is wrong: (text, key, line, part of the message, part of the remedy)

BAD = [
    pytest.param(
        with_lines("    url: http://shop", "    tls: {keystore: a.p12, keystore_password: b}"),
        "targets.webshop.tls",
        11,
        "not https",
        "https://",
        id="stores without TLS",
    ),
    pytest.param(
        instead("http://shop.example", "https://shop.example").replace(
            "routes:", "    tls: {truststore: a.p12}\nroutes:"
        ),
        "targets.webshop.tls",
        11,
        "belong together",
        "both",
        id="a store without its password",
    ),
    pytest.param(
        with_lines("    url: http://shop", "    auth: {basic: {user: 'a:b', password: secret}}"),
        "targets.webshop.auth.basic.user",
        11,
        "colon",
        "another",
        id="a user with a colon",
    ),
    pytest.param(instead("  name: odoo_a\n", ""), "source.name", 1, "missing", "", id="no name"),
    pytest.param(instead("odoo_a", "Odoo"), "source.name", 2, "valid", "small", id="bad source"),
    pytest.param(instead("odoo_a", "odoo-a"), "source.name", 2, "valid", "", id="dash in source"),
    pytest.param(
        with_lines("  dsn", "  slott: x"), "source.slott", 4, "unknown key", '"slot"', id="slott"
    ),
    pytest.param(
        with_lines("  dsn", "  slot: A"), "source.slot", 4, "valid", "Postgres", id="slot"
    ),
    pytest.param(
        with_lines("  dsn", "  publish: all"),
        "source.publish",
        4,
        "none of tables",
        "",
        id="publish",
    ),
    pytest.param(
        with_lines("  dsn", "  initial_load: yes"),
        "source.initial_load",
        4,
        "true or false",
        "",
        id="yes is a text",
    ),
    pytest.param(
        with_lines("  dsn", "  lang: French"), "source.lang", 4, "valid", "en_US", id="lang"
    ),
    pytest.param(
        with_lines("  dsn", "  company: 0"), "source.company", 4, "too small", "1", id="company"
    ),
    pytest.param(
        with_lines("  - name: orders", "    conflict: newer"),
        "routes[0].conflict",
        13,
        "no policy",
        "later",
        id="no policy of conflicts",
    ),
    pytest.param(
        with_lines("  - name: orders", "    conflict: {master: odoo_a}"),
        "routes[0].conflict",
        13,
        "a newer one may replace",
        "history: all",
        id="a master that does not get everything",
    ),
    pytest.param(
        with_lines("  dsn", "  company_defaults: {trust: normal}"),
        "source.company_defaults.trust",
        4,
        "no name here",
        "res.partner.trust",
        id="a default of no model",
    ),
    pytest.param(
        with_lines("  dsn", "  company_defaults: {res.partner.trust: {one: normal}}"),
        "source.company_defaults.res.partner.trust",
        4,
        "no default",
        "each company",
        id="a default of no company",
    ),
    pytest.param(
        with_lines("  dsn", "  company_defaults: 5"),
        "source.company_defaults",
        4,
        "names with values",
        "res.partner.trust",
        id="no defaults",
    ),
    pytest.param(
        with_lines("  dsn", "  field_domains: {res.partner.child_ids: {domian: []}}"),
        "source.field_domains.res.partner.child_ids",
        4,
        "says no domain",
        "archived",
        id="a field's domain with another key",
    ),
    pytest.param(
        with_lines("  dsn", '  field_domains: {res.partner.child_ids: [["a", "==", 1]]}'),
        "source.field_domains.res.partner.child_ids",
        4,
        "no operator",
        "=",
        id="a field's domain that is none",
    ),
    pytest.param(
        with_lines("  dsn", '  field_domains: {res.partner.child_ids: [["child_ids.a", "=", 1]]}'),
        "source.field_domains.res.partner.child_ids",
        4,
        "takes no paths",
        "themselves",
        id="a field's domain with a path",
    ),
    pytest.param(
        with_lines("  dsn", "  name_fields: {res.partner: [name.x]}"),
        "source.name_fields.res.partner",
        4,
        "no fields",
        "the model itself",
        id="a path as a name",
    ),
    pytest.param(
        with_lines("  dsn", "  stop_at_wal: 20 GiB"),
        "source.stop_at_wal",
        4,
        "is no size",
        "20GB",
        id="size",
    ),
    pytest.param(
        with_lines("  dsn", "  fanout_limit: many"),
        "source.fanout_limit",
        4,
        "whole number",
        "",
        id="limit",
    ),
    pytest.param(with_lines("  dsn", "  dsn: x"), "source.dsn", 4, "twice", "", id="given twice"),
    pytest.param(
        with_lines("  dsn", "  odoo: {url: http://o}"),
        "source.odoo.database",
        4,
        "missing",
        "",
        id="half of odoo",
    ),
    pytest.param(
        with_lines("  dsn", "  odoo: {url: 'http://o/x', database: d, user: u, api_key: k}"),
        "source.odoo.url",
        4,
        "host and port alone",
        "https://",
        id="odoo below a path",
    ),
    pytest.param(
        with_lines("  bootstrap", "  group.id: x"),
        "kafka.group.id",
        6,
        "group",
        "leave it out",
        id="ours",
    ),
    pytest.param(
        with_lines("  bootstrap", "  enable.idempotence: false"),
        "kafka.enable.idempotence",
        6,
        "lose",
        "leave",
        id="ours too",
    ),
    pytest.param(
        instead("  bootstrap.servers: localhost:9092", "  client.id: x"),
        "kafka.bootstrap.servers",
        4,
        "missing",
        "",
        id="no servers",
    ),
    pytest.param(
        with_lines("  bootstrap", "  linger.ms: [5]"),
        "kafka.linger.ms",
        6,
        "text or a number",
        "",
        id="a list",
    ),
    pytest.param(
        instead("http://localhost:8290/cdc", "localhost:8290"),
        "wso2.url",
        7,
        "no URL",
        "http://",
        id="url",
    ),
    pytest.param(
        with_lines("  url: http://loc", "  timeout: 10"),
        "wso2.timeout",
        8,
        "no duration",
        "10s|30s",
        id="no unit",
    ),
    pytest.param(
        with_lines("  url: http://loc", "  timeout: 0s"),
        "wso2.timeout",
        8,
        "above zero",
        "",
        id="zero",
    ),
    pytest.param(
        with_lines("  url: http://loc", "  auth: {basic: {user: a}}"),
        "wso2.auth.basic.password",
        8,
        "missing",
        "",
        id="no password",
    ),
    pytest.param(
        with_lines("  url: http://loc", "  auth: {bearr: a}"),
        "wso2.auth.bearr",
        8,
        "unknown",
        '"bearer"',
        id="bearr",
    ),
    pytest.param(
        with_lines("  url: http://loc", "  tls: {cert: a}"),
        "wso2.tls",
        8,
        "together",
        "both",
        id="cert without key",
    ),
    pytest.param(
        MINIMAL + "acks: {listen: nowhere}\n",
        "acks.listen",
        16,
        "no address",
        "host:port",
        id="address",
    ),
    pytest.param(
        MINIMAL + "acks: {listen: '1.2.3.4:70000'}\n",
        "acks.listen",
        16,
        "no address",
        "",
        id="port",
    ),
    pytest.param(
        MINIMAL + "acks: {listen: '0.0.0.0:8091'}\n",
        "acks.listen",
        16,
        "no token",
        "acks.token",
        id="open",
    ),
    pytest.param(
        MINIMAL + "acks: {listen: ':8091'}\n",
        "acks.listen",
        16,
        "no token",
        "127.0.0.1",
        id="every interface",
    ),
    pytest.param(
        MINIMAL + "health: {listen: '8092'}\n", "health.listen", 16, "no address", "", id="health"
    ),
    pytest.param(
        MINIMAL + "topics: {partitions: 0}\n",
        "topics.partitions",
        16,
        "too small",
        "",
        id="no partition",
    ),
    pytest.param(
        MINIMAL + "topics: {retention: 7}\n",
        "topics.retention",
        16,
        "duration",
        "1d",
        id="retention",
    ),
    pytest.param(
        MINIMAL + "decimals: text\n", "decimals", 16, "none of string, number", "", id="decimals"
    ),
    pytest.param(
        MINIMAL + "state: 5\n", "state", 16, "a text is wanted", "quotes", id="a number as text"
    ),
    pytest.param(
        MINIMAL + "targetz: {}\n", "targetz", 16, "unknown key", '"targets"', id="targetz"
    ),
    pytest.param(
        instead("  webshop:", "  Web Shop:"),
        "targets.Web Shop",
        9,
        "no name",
        "small letter",
        id="target's name",
    ),
    pytest.param(
        instead("http://shop.example/in", "ftp://x"),
        "targets.webshop.url",
        10,
        "no URL",
        "",
        id="target's url",
    ),
    pytest.param(
        with_lines("    url", "    window: late"),
        "targets.webshop.window",
        11,
        "no window",
        "22:00",
        id="window",
    ),
    pytest.param(
        with_lines("    url", "    window: 22:00-24:00 UTC"),
        "targets.webshop.window",
        11,
        "no window",
        "",
        id="24:00",
    ),
    pytest.param(
        with_lines("    url", "    window: 22:00-22:00 UTC"),
        "targets.webshop.window",
        11,
        "begins when it ends",
        "",
        id="empty window",
    ),
    pytest.param(
        with_lines("    url", "    window: 22:00-06:00 Europe/Berln"),
        "targets.webshop.window",
        11,
        "no time zone",
        '"Europe/Berlin"',
        id="zone",
    ),
    pytest.param(
        with_lines("    url", "    window: 22:00-06:00 ../UTC"),
        "targets.webshop.window",
        11,
        "no window",
        "",
        id="path as zone",
    ),
    pytest.param(
        with_lines("    url", "    window: 22:00-06:00 Europe"),
        "targets.webshop.window",
        11,
        "no time zone",
        "",
        id="folder as zone",
    ),
    pytest.param(
        with_lines("    url", "    retry: 5m"),
        "targets.webshop.retry",
        11,
        "list of durations",
        "[30s",
        id="no ladder",
    ),
    pytest.param(
        with_lines("    url", "    retry: [5m, soon]"),
        "targets.webshop.retry[1]",
        11,
        "duration",
        "",
        id="soon",
    ),
    pytest.param(
        with_lines("    url", "    history: latst"),
        "targets.webshop.history",
        11,
        "none of",
        '"latest"',
        id="history",
    ),
    pytest.param(
        instead("routes:\n", "routes: []\nrest:\n"), "routes", 11, "empty", "model", id="no routes"
    ),
    pytest.param(
        instead("    model: sale.order\n", ""), "routes[0].model", 12, "missing", "", id="no model"
    ),
    pytest.param(
        instead("sale.order", "Sale Order"),
        "routes[0].model",
        13,
        "valid",
        "Odoo's name",
        id="model",
    ),
    pytest.param(
        instead("name: orders", "name: Orders!"),
        "routes[0].name",
        12,
        "valid",
        "small letter",
        id="route's name",
    ),
    pytest.param(
        instead("[webshop]", "[webshp]"),
        "routes[0].targets[0]",
        14,
        "no target",
        '"webshop"',
        id="webshp",
    ),
    pytest.param(
        instead("[webshop]", "[webshop, webshop]"),
        "routes[0].targets[1]",
        14,
        "twice",
        "",
        id="target twice",
    ),
    pytest.param(
        instead("[webshop]", "[]"), "routes[0].targets", 14, "empty", "name one", id="no targets"
    ),
    pytest.param(
        instead("[webshop]", "webshop"),
        "routes[0].targets",
        14,
        "a list",
        "[webshop]",
        id="targets no list",
    ),
    pytest.param(
        instead("    fields: [name, state]\n", ""),
        "routes[0]",
        12,
        "missing",
        "fields:",
        id="no mapping",
    ),
    pytest.param(
        instead("fields: [name, state]", "fields: [name]\n    map: {a: name}"),
        "routes[0].map",
        16,
        "exclude",
        "",
        id="both",
    ),
    pytest.param(
        instead("[name, state]", "[name, a b]"),
        "routes[0].fields[1]",
        15,
        "no path",
        "",
        id="no path",
    ),
    pytest.param(
        instead(
            "fields: [name, state]",
            "map:\n      a:\n        each: l\n        map:\n          b: {pth: c}",
        ),
        "routes[0].map.a.map.b",
        19,
        "no kind",
        '"path"',
        id="deep in a map",
    ),
    pytest.param(
        instead("fields: [name, state]", "map:\n      a: {path: c,\n          mask: hmac}"),
        "routes[0].map.a.mask",
        17,
        "needs source.mask_key, which is missing",
        "${MASK_KEY}",
        id="mask",
    ),
    pytest.param(
        instead(
            "fields: [name, state]",
            "map:\n      a:\n        each: l\n        map:\n          b: {path: c, mask: hmac}",
        ).replace("source:", "source:\n  mask_key: fifteen bytes..", 1),
        "routes[0].map.a.map.b.mask",
        20,
        "too short",
        "16 random characters",
        id="a short key for a mask",
    ),
    pytest.param(
        with_lines("    model", "    domain: [[state, '=']]"),
        "routes[0].domain",
        14,
        "",
        "",
        id="domain",
    ),
    pytest.param(
        with_lines("    model", "    on_leave: drop"),
        "routes[0].on_leave",
        14,
        "none of leave, delete, ignore",
        "",
        id="on_leave",
    ),
    pytest.param(
        with_lines("    model", "    activ_test: true"),
        "routes[0].activ_test",
        14,
        "unknown",
        '"active_test"',
        id="activ_test",
    ),
]


@pytest.mark.parametrize(("text", "where", "line", "says", "remedy"), BAD)
def test_what_is_wrong_is_named_with_line_and_remedy(
    found: Findings, text: str, where: str, line: int, says: str, remedy: str
) -> None:
    findings = [finding for finding in found(text) if finding.where == where]

    assert len(findings) == 1, findings
    (finding,) = findings
    assert (finding.level, finding.line) == ("error", line)
    assert says in finding.message
    assert any(part in finding.remedy for part in remedy.split("|"))


def test_a_duplicate_route_names_the_first(found: Findings) -> None:
    again = MINIMAL.partition("routes:\n")[2]

    (finding,) = found(MINIMAL + again)

    assert (finding.where, finding.line) == ("routes[1].name", 16)
    assert "routes[0]" in finding.message


def test_ids_that_could_be_too_long_are_refused(found: Findings) -> None:
    name, model = "a" * 40, ".".join(["abcdefgh"] * 4)
    text = MINIMAL.replace("odoo_a", name).replace("webshop", name).replace("orders", name)

    (finding,) = found(text.replace("sale.order", model))

    assert finding.where == "routes[0].name"
    assert "209 characters" in finding.message
    assert "by 9" in finding.remedy


def test_everything_is_said_at_once_in_the_order_of_the_file(found: Findings) -> None:
    text = MINIMAL.replace("odoo_a", "Odoo").replace("9092", "9092\n  acks: 1")
    findings = found(text.replace("[webshop]", "[shop]").replace("model:", "modell:"))

    assert [finding.line for finding in findings] == sorted(f.line or 0 for f in findings)
    assert {finding.where for finding in findings} == {
        "source.name",
        "kafka.acks",
        "routes[0].targets[0]",
        "routes[0].modell",
        "routes[0].model",
    }


def test_a_line_for_each_finding_names_file_line_key_and_remedy(
    loaded: Load, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(instead("fields:", "feilds:"))

    lines = str(caught.value).splitlines()
    assert (
        f'{tmp_path}/sync.yaml:15: routes[0].feilds: unknown key; did you mean "fields"?' in lines
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "source:\n  name: odoo_a\n  dsn: postgresql:///odoo\n", "source: 5\n", id="number"
        ),
        pytest.param(
            MINIMAL.partition("routes:\n")[2],
            "  - orders\n",
            id="text in a list",
        ),
        pytest.param(
            "  webshop:\n    url: http://shop.example/in\n",
            "  webshop: http://shop\n",
            id="text for a target",
        ),
    ],
)
def test_what_is_no_section_is_said_once(found: Findings, old: str, new: str) -> None:
    (finding,) = found(instead(old, new))

    assert "keys with values are wanted" in finding.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "the file is empty", id="empty"),
        pytest.param("# nothing\n", "the file is empty", id="a comment"),
        pytest.param("- a\n", "must hold keys", id="a list"),
        pytest.param("a: [", "not YAML", id="open bracket"),
        pytest.param("a: b: c", "not YAML", id="two colons"),
        pytest.param("a: \x01", "not YAML", id="control character"),
        pytest.param("a: !!python/object:os.system x", "tag", id="tag"),
        pytest.param("a: &x [*x]", "contains itself", id="alias of itself"),
        pytest.param("[" * 5000, "nested too deeply|not YAML", id="deep"),
        pytest.param(f"a: {'[' * 70}{']' * 70}", "nested too deeply", id="seventy levels"),
        pytest.param("? [a]\n: b\n", "a key must be a word", id="a list as key"),
    ],
)
def test_what_is_no_configuration_at_all_is_said(found: Findings, text: str, says: str) -> None:
    messages = [finding.message for finding in found(text)]

    assert any(part in message for part in says.split("|") for message in messages)


def test_a_file_of_aliases_does_not_fill_the_memory(found: Findings) -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    messages = [finding.message for finding in found("\n".join(layers))]

    assert any("more than" in message for message in messages)


def test_a_file_that_is_not_there_or_is_no_text_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file") as caught:
        load(tmp_path / "nowhere.yaml", {})
    assert caught.value.hint
    (tmp_path / "bytes").write_bytes(b"a: \xff")
    with pytest.raises(FileUnreadable, match="byte 4"):
        load(tmp_path / "bytes", {})
    with pytest.raises(FileUnreadable):
        load(tmp_path, {})


# --- secrets

SECRETS = f"""\
source:
  name: odoo_a
  dsn: postgresql://u:{SECRET}@db/odoo
  mask_key: {SECRET}
  odoo: {{url: 'http://odoo', database: d, user: u, api_key: {SECRET}}}
kafka: {{bootstrap.servers: 'a:1', sasl.password: {SECRET}}}
wso2: {{url: 'http://w', auth: {{basic: {{user: u, password: {SECRET}}}}}}}
acks: {{token: {SECRET}}}
targets: {{webshop: {{url: 'http://shop'}}}}
routes: [{{name: a, model: m, targets: [webshop], fields: [name]}}]
"""


def test_secrets_never_show_in_a_repr(loaded: Load) -> None:
    config = loaded(SECRETS)

    assert config.wso2.auth["basic"]["password"] == SECRET
    assert SECRET not in repr(config)
    assert SECRET not in str(config)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("dsn: postgresql:", "dsnn: postgresql:", id="a misspelt key"),
        pytest.param(f"mask_key: {SECRET}", f"mask_key: [{SECRET}]", id="a list"),
        pytest.param(f"token: {SECRET}", f"token: '{SECRET} é'", id="not for a header"),
        pytest.param("wso2: {url: 'http://w'", f"wso2: {{url: 'htp://u:{SECRET}@w'", id="a url"),
        pytest.param("user: u, password", "user: u, pasword", id="a misspelt password"),
        pytest.param("auth: {basic", f"auth: {{bearer: '{SECRET} x', basic", id="a bearer"),
    ],
)
def test_secrets_never_show_in_a_message(found: Findings, old: str, new: str) -> None:
    assert old in SECRETS

    assert found(SECRETS.replace(old, new, 1))  # `found` looks for it in every finding
