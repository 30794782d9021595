"""What `check` says of sync.yaml as a text, of its sections, and of references."""

from __future__ import annotations

from functools import partial
from typing import Final

from tests.check_catalogue.rows import Case, Room, rows, whole

_source = partial(Case, "source")
_target = partial(Case, "targets")
_route = partial(Case, "routes")
_top = partial(Case, "")
_DEEP: Final = f"{'[' * 60}{']' * 60}"
_MANY: Final = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcde", "bcdef", strict=True)
)
_LONG: Final = "m" * 140

TEXT: Final = (
    whole("", "an empty file"),
    whole("- source", "a list"),
    whole("a: [", "brackets that nobody closes"),
    whole("a: \x01", "a control character"),
    _source("slot: !!binary x"),
    _route("domain: &x [*x]"),
    _route(f"domain: {_DEEP}", words="60 lists, one in the other"),
    whole("[" * 5000, "5000 lists, one in the other"),
    whole(_MANY, "aliases of aliases of aliases"),
    _route("map: {? [a] : b, name: name}", without="fields"),
    _source("lang: en_US, lang: fr_FR"),
    _source("stop_at_wal: 20 GiB"),
    _source("slott: x"),
    _source("zzz: x"),
    _top("targetz: {}"),
    _top("source: 5"),
    _source(without="name"),
    _source('name: ""'),
    _source("name: 5"),
    _source("name: [odoo]"),
    _source("name: {a: b}"),
    _top("state: true"),
)
REFERENCES: Final = (
    _source("dsn: ${SOURCE_DSN}"),
    _source("dsn: ${SOURCE DSN}"),
    _source("dsn: ${file:dsn}"),
    _source("dsn: ${file:latin1}"),
)
SOURCE: Final = (
    _source("name: Odoo"),
    _source("slot: Odoo"),
    _source(f"publication: {'p' * 64}", words="a publication of 64 characters"),
    _source("publish: column"),
    _source("publish: all"),
    _source("initial_load: yes"),
    _source("lang: French"),
    _source("company: 0"),
    _source('company: "one"'),
    _source("company_defaults: [trust]"),
    _source("company_defaults: {trust: normal}"),
    _source("company_defaults: {res.partner.trust: {first: normal}}"),
    _source("field_domains: {child_ids: []}"),
    _source("field_domains: {res.partner.child_ids: {archivd: true}}"),
    _source('field_domains: {res.partner.child_ids: ["active", "=", true]}'),
    _source('field_domains: {res.partner.child_ids: [["parent_id.name", "=", "x"]]}'),
    _source("name_fields: {Tag: [name]}"),
    _source("name_fields: {crm.tag: [partner_id.name]}"),
    _source("odoo: {url: odoo.example, database: d, user: u, api_key: k}"),
    _source('odoo: {url: "https://odoo.example/web", database: d, user: u, api_key: k}'),
)
TARGETS: Final = (
    _top('targets: {Shop: {url: "http://shop.example/in"}, webshop: {url: "http://s.example"}}'),
    _top('targets: {webshop: {url: "http://s.example"}, shop: {url: "http://s.example"}}'),
    _target("url: shop.example"),
    _target("timeout: 30"),
    _target("timeout: soon"),
    _target("timeout: 0s"),
    _target("retry: 30s"),
    _target("history: lates"),
    _target("acknowledge: never"),
    _target("window: 22:00-06:00"),
    _target("window: 22:00-22:00 Europe/Berlin"),
    _target("window: 22:00-06:00 Europe/Berlim"),
    _target("window: 22:00-06:00 Nowhere/Nowhere"),
    _target('auth: {basic: {user: "a:b", password: c}}'),
    _target("auth: {basic: {user: a, password: b}, bearer: c}"),
    _target("auth: {bearr: c}"),
    _target("auth: {bearer: a token}"),
    _target("tls: {keystore: store.p12, keystore_password: secret}"),
    _target('url: "https://shop.example/in", tls: {truststore: store.p12}'),
)
KAFKA: Final = (
    Case("kafka", without="bootstrap.servers"),
    Case("kafka", "linger.ms: [5]"),
    *(
        Case("kafka", f"{key}: x")
        for key in (
            "group.id",
            "enable.auto.commit",
            "enable.auto.offset.store",
            "enable.idempotence",
            "partitioner",
            "acks",
            "transactional.id",
        )
    ),
    Case("kafka", "security.protocol: tls"),
    Case("kafka", "security.protocol: ssl, ssl.cipher.suites: x"),
    Case("kafka", "security.protocol: ssl, ssl.ca.locaton: ca.pem"),
    Case("kafka", "ssl.ca.location: ca.pem"),
    Case("kafka", "sasl.username: odoo-cdc"),
    Case("kafka", "security.protocol: ssl, ssl.ca.location: ca.pem, ssl.ca.pem: x"),
    Case("kafka", "security.protocol: ssl, ssl.certificate.location: client.pem"),
    Case("kafka", "security.protocol: ssl, ssl.endpoint.identification.algorithm: http"),
    Case("kafka", "security.protocol: ssl, ssl.endpoint.identification.algorithm: none"),
    Case(
        "kafka",
        "security.protocol: sasl_ssl, sasl.mechanism: OAUTHBEARER, sasl.username: a,"
        " sasl.password: b",
    ),
    Case("kafka", "security.protocol: sasl_ssl, sasl.username: a, sasl.password: b"),
    Case("kafka", "security.protocol: sasl_ssl, sasl.mechanism: PLAIN, sasl.username: a"),
    Case("topics", "partitions: 0"),
    Case("topics", "retention: forever"),
)
WAY: Final = (
    Case("wso2", "url: wso2.example"),
    Case("wso2", "concurrency: many"),
    Case("wso2", "auth: {oauth2: {token_url: wso2.example, client_id: a, client_secret: b}}"),
    Case("wso2", "auth: {basic: {user: a}}"),
    Case("wso2", "tls: {cert: client.pem}"),
    Case("acks", 'listen: "0.0.0.0:8091"'),
    Case("acks", 'listen: "8091"'),
    Case("acks", 'token: "a token"'),
    Case("health", 'listen: "127.0.0.1:80920"'),
    _top("decimals: strings"),
    _top("decimals: floats"),
)
ROUTES: Final = (
    _top("routes: []"),
    _top(without="routes"),
    _top("routes: {orders: sale.order}"),
    _top(
        "routes:\n"
        "  - {name: a, model: sale.order, targets: [webshop], fields: [name]}\n"
        "  - {name: a, model: res.partner, targets: [webshop], fields: [name]}\n",
        words="two routes named `a`",
    ),
    _route("name: Orders"),
    _route("model: Sale Order"),
    _route("model: sale.ordr"),
    _route("model: x_machine"),
    _route("targets: [webshp]"),
    _route("targets: [warehouse]"),
    _route("targets: [webshop, webshop]"),
    _route("targets: []"),
    _route("targets: webshop"),
    _route("targets: [5]"),
    _route(without="targets"),
    _route("on_leave: remove"),
    _route("on_leave: delet"),
    _route("active_test: 1"),
    _route("ignore_writes_by: sync"),
    _route("ignore_writes_by: [synk@example.com]"),
    _route("ignore_writes_by: [nobody]"),
    _route("conflict: newer"),
    _route("conflict: {master: odoo_a}"),
    _route(f"model: {_LONG}", words="a model's name of 140 characters"),
    _route("feilds: [name]"),
    _route("domain: state"),
)

ROOMS: Final = (
    ("The file as a text", "What is no YAML, or none that is used here.", TEXT),
    ("References", "`${NAME}`, `${NAME:-default}`, `${file:PATH}`.", REFERENCES),
    ("`source`", "", SOURCE),
    ("`targets`", "", TARGETS),
    ("`kafka` and `topics`", "", KAFKA),
    ("`wso2`, `acks`, `health`, `decimals`", "", WAY),
    ("`routes`", "", ROUTES),
)


def rooms() -> list[Room]:
    """Return what is said of the file, in the order of its parts."""
    return [Room(title, text, rows(cases)) for title, text, cases in ROOMS]
