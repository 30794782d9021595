"""Tables that change under a running capture: nothing lost, nothing twice, the rest goes on."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

import psycopg
import pytest

from schemas.event import Document, Event
from schemas.position import Position
from tests import faulty
from tests.compared import NOTEBOOK, Compared
from tests.fix_services import Database
from tests.kafka_reading import events
from tests.programs import FAULTY, Program, Programs, said, sync_yaml, until
from tests.traffic import Traffic
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PATIENCE: Final = 40.0  # seconds; it comes long before
MODELS: Final = ("res.partner", "sale.order", "crm.tag", "res.country")
ROUTES: Final = """
routes:
  - {name: partners, model: res.partner, targets: [shop], fields: [name, ref, color]}
  - {name: orders, model: sale.order, targets: [shop], fields: [name, partner_id.name]}
  - {name: tags, model: crm.tag, targets: [shop], fields: [name]}
  - {name: countries, model: res.country, targets: [shop], fields: [code]}
"""
WITH_DEFAULT: Final = "map: {name: name, ref: {path: ref, default: none}, color: color}"
RENAMED: Final = "UPDATE res_partner SET name = %s WHERE id = %s"
SQL: Final = {
    "res.partner": "SELECT id, jsonb_build_object('id', id, 'name', name, 'ref', ref,"
    " 'color', color) FROM res_partner",
    "sale.order": "SELECT o.id, jsonb_build_object('id', o.id, 'name', o.name, 'partner_id',"
    " jsonb_build_object('id', p.id, 'name', p.name))"
    " FROM sale_order o JOIN res_partner p ON p.id = o.partner_id",
    "crm.tag": "SELECT id, jsonb_build_object('id', id, 'name', name) FROM crm_tag",
    "res.country": "SELECT id, jsonb_build_object('id', id, 'code', code) FROM res_country",
}


@dataclass
class Site:
    """A database whose capture runs."""

    dsn: str
    kafka: Kafka
    source: str
    programs: Programs
    capture: Program
    health: int  # its port
    killed: bool = False  # then what was published last may come again, the same

    def ask(self, *statements: str) -> None:
        """Run statements in one transaction."""
        with psycopg.connect(self.dsn) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def told(self, model: str) -> list[Event]:
        """Return the events of a model, of each record in their order.

        AssertionError for one that does not begin where the one before has ended.
        """
        came = [event for _, event in events(self.kafka.bootstrap, self.source, [model])]
        first: dict[str, Event] = {}
        assert all(first.setdefault(str(each.position), each) == each for each in came)
        found = list(first.values())
        assert self.killed or len(found) == len(came)
        last: dict[int, Event] = {}
        for each in found:
            before = last.get(each.id)
            if before is not None and each.before_known:
                assert before.position < each.position
                assert _shown(each.before, before.after) == _shown(before.after, each.before)
            last[each.id] = each
        return found

    def holds(self, model: str) -> dict[int, Document]:
        """Return what a target has of a model."""
        held = {event.id: event.after for event in self.told(model)}
        return {number: _plain(after) for number, after in held.items() if after is not None}

    def is_(self, model: str, sql: str = "") -> bool:
        """Say whether a target has what the database has."""
        return not _differences(self.holds(model), self._wanted(sql or SQL[model]))

    def judge(self, *models: str, sql: str = "") -> None:
        """Count what came of these models, or of all, and hold it against the database."""
        events_ = again = checked = lost = doubled = late = 0
        for model in models or MODELS:
            came = [event for _, event in events(self.kafka.bootstrap, self.source, [model])]
            told = list({str(each.position): each for each in came}.values())
            wanted = self._wanted(sql or SQL[model])
            events_, again = events_ + len(told), again + len(came) - len(told)
            checked += len(wanted)
            lost += _differences(self.holds(model), wanted)
            doubled += sum(each.before_known and each.before == each.after for each in told)
            last: dict[int, Position] = {}
            for each in told:
                late += each.position < last.setdefault(each.id, each.position)
                last[each.id] = max(each.position, last[each.id])
        NOTEBOOK.note(Compared(events_, again, checked, lost, doubled, late))

    def _wanted(self, sql: str) -> dict[int, Document]:
        with psycopg.connect(self.dsn) as connection:
            return {n: _plain(row) for n, row in connection.execute(sql.encode()).fetchall()}

    def comes(self, *models: str, sql: str = "") -> None:
        """Wait until targets have what the database has of these models, or of all."""
        for model in models or MODELS:
            deadline = time.monotonic() + PATIENCE
            while not self.is_(model, sql):
                assert self.capture.process.poll() is None, self.capture.tail()
                assert time.monotonic() < deadline, f"{model}: {self.capture.tail()}"
                time.sleep(0.2)  # Kafka tells nobody that something has come

    def paused(self) -> dict[str, str]:
        """Return what `status` says of models that wait."""
        paused: dict[str, str] = self._status()["paused"]
        return paused

    def left_out(self) -> list[str]:
        """Return what `status` says of tables that the stream leaves out."""
        left_out: list[str] = self._status()["left_out"]
        return left_out

    def _status(self) -> dict[str, Any]:
        report = self.programs.start("status", "--json")
        report.wait()
        found: dict[str, Any] = json.loads(report.out.read_text())["capture"]
        return found

    def published(self, table: str) -> bool:
        """Say whether a table is in the publication."""
        query = "SELECT 1 FROM pg_publication_tables WHERE tablename = %s"
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, [table]).fetchone() is not None

    def counted(self) -> str:
        """Return what capture counts."""
        with urlopen(f"http://127.0.0.1:{self.health}/metrics", timeout=LONG) as answer:
            return answer.read().decode()

    def file(self, old: str, new: str) -> None:
        """Have capture take another file."""
        text = self.programs.config.read_text(encoding="utf-8")
        assert old in text
        self.programs.config.write_text(text.replace(old, new), encoding="utf-8")
        self.capture.process.send_signal(signal.SIGHUP)


def _plain(document: Document) -> Any:
    kept = {k: v for k, v in document.items() if not k.startswith("_") and k != "write_date"}
    return {k: _plain(v) if _is_record(v) else _text(v) for k, v in kept.items()}


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and "id" in value


def _only(document: Document, like: Document) -> Document:
    """Return what of a document another one has too: files add fields, and leave them out."""
    return {name: value for name, value in document.items() if name in like}


def _differences(held: Mapping[int, Document], wanted: Mapping[int, Document]) -> int:
    """Return of how many records a target does not have what it should."""
    return len(held.keys() ^ wanted.keys()) + sum(
        _only(held[number], row) != row for number, row in wanted.items() if number in held
    )


def _text(value: Any) -> Any:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _shown(one: Document | None, other: Document | None) -> Any:
    """Return what both show: fields may have come and gone, and come as another kind."""
    if not one or not other:
        return one and other
    alike = (name for name in one.keys() & other.keys() if _alike(one[name], other[name]))
    return {name: one[name] for name in alike}


def _alike(one: Any, other: Any) -> bool:
    return one is None or other is None or type(one) is type(other)


@pytest.fixture
def site(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path, health: int
) -> Iterator[Site]:
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=("shop",),
        routes=ROUTES,
        more={"health": {"listen": f"127.0.0.1:{health}"}},
    )
    with psycopg.connect(odoo_database.dsn) as connection:
        connection.execute("UPDATE res_partner SET ref = 'R' || id, color = id % 7")
    with Programs(tmp_path, text) as programs:
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        capture.until_said("action=following")
        made = Site(odoo_database.dsn, kafka, kafka_prefix, programs, capture, health)
        yield made
        assert capture.stop() == 0, capture.tail()


@pytest.mark.fault(
    "Columns get other types of their kind, are converted and rewritten", "by itself"
)
def test_law_1_columns_that_change_within_their_kind_are_read_again(site: Site) -> None:
    site.ask(
        "ALTER TABLE res_partner ALTER color TYPE bigint",
        "UPDATE res_partner SET color = 5 WHERE id = 1",
    )
    site.comes()
    # Odoo's conversion
    site.ask(
        "ALTER TABLE res_partner RENAME ref TO ref_moved0",
        "ALTER TABLE res_partner ADD ref varchar",
        "UPDATE res_partner SET ref = upper('new ' || ref_moved0) WHERE id > 2",
    )
    site.comes()
    # rewritten, and no row is written
    site.ask("ALTER TABLE res_partner ALTER ref TYPE text USING lower(ref)")
    site.comes()
    site.ask("ALTER TABLE res_partner ALTER ref TYPE text USING ref || ' of the same type'")
    site.comes()
    before = len(site.told("res.partner"))
    site.ask(
        "ALTER TABLE res_partner DROP ref_moved0",
        "ALTER TABLE res_partner ALTER ref TYPE varchar(99)",
        "UPDATE res_partner SET name = 'last' WHERE id = 1",
    )
    site.comes()
    assert len(site.told("res.partner")) == before + 1
    assert site.paused() == {}
    site.judge()


@pytest.mark.fault(
    "ALTER TABLE ... USING gives a column other values, while capture is away", "started again"
)
def test_law_1_a_table_that_is_written_anew_while_capture_is_away_is_read_again(
    site: Site,
) -> None:
    assert site.capture.stop() == 0
    site.ask("ALTER TABLE res_partner ALTER ref TYPE varchar USING reverse(ref)")
    site.capture = site.programs.start("capture")
    site.comes()
    assert said(site.capture, "res.partner is read again") == 1

    assert site.capture.stop() == 0
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute("VACUUM FULL res_partner")
    site.ask("ALTER TABLE res_country ALTER code SET STATISTICS 10")
    site.capture = site.programs.start("capture")
    site.ask("UPDATE res_partner SET name = 'last' WHERE id = 1")
    site.comes()
    assert said(site.capture, "is read again") == 0
    site.judge()


@pytest.mark.fault("Killed (kill -9) while a changed table is read again: {}", "started again")
@pytest.mark.parametrize(
    ("point", "number"),
    [
        pytest.param(faulty.RANGE, 1, id="with a range that is not durable"),
        pytest.param(faulty.PUBLISHED, 10, id="as it publishes"),
        pytest.param(faulty.AFTER_KAFKA, 1, id="before it has noted that", marks=pytest.mark.slow),
        pytest.param(faulty.AFTER_COMMIT, 1, id="when it has", marks=pytest.mark.slow),
    ],
)
def test_law_1_a_kill_while_a_changed_table_is_read_again_loses_nothing(
    site: Site, point: str, number: int
) -> None:
    assert site.capture.stop() == 0
    site.capture = site.programs.start("capture", launcher=(*FAULTY, point, str(number)))
    site.capture.until_said("action=following")
    site.ask("ALTER TABLE res_partner ALTER ref TYPE text USING lower(ref)")  # no row is written
    assert site.capture.wait() == -signal.SIGKILL, site.capture.tail()
    site.ask("UPDATE res_partner SET ref = 'meanwhile' WHERE id < 4")

    site.killed = True
    site.capture = site.programs.start("capture")

    site.comes()
    assert site.paused() == {}
    site.judge()


@pytest.mark.fault("A selected column is dropped, and comes back", "by itself, once it is back")
def test_law_1_a_dropped_column_pauses_who_shows_it_until_it_is_back(site: Site) -> None:
    before = site.holds("res.partner")
    site.ask("ALTER TABLE res_partner DROP ref CASCADE")
    site.ask("UPDATE res_partner SET name = name || ' while it waits' WHERE id < 4")
    until(site.paused, site.capture)

    assert site.paused() == {"res.partner": "res.partner.ref is gone"}
    until(lambda: "odoo_cdc_capture_paused_models 1\n" in site.counted(), site.capture)
    site.ask(
        "UPDATE res_partner SET name = name || '!' WHERE id IN (SELECT partner_id FROM sale_order)"
    )
    site.comes("sale.order")
    assert site.holds("res.partner") == before
    assert site.capture.stop() == 0
    site.ask("INSERT INTO res_partner (name, type) VALUES ('Made while nobody looked', 'other')")
    caught_up = site.programs.start("capture", "--until-caught-up")
    assert caught_up.wait() == 4, caught_up.tail()
    assert "res.partner.ref is gone" in caught_up.tail()
    assert site.holds("res.partner") == before
    site.capture = site.programs.start("capture")
    site.capture.until_said("action=following")
    site.ask(
        "ALTER TABLE res_partner ADD ref varchar",
        "UPDATE res_partner SET ref = 'back' WHERE id = 2",
    )

    site.comes()
    assert site.paused() == {}
    site.judge()


@pytest.mark.fault(
    "A selected column is dropped, and left out of the routes",
    "by itself, once the file is changed",
)
def test_law_1_a_default_takes_the_place_of_a_dropped_column(site: Site) -> None:
    site.ask("ALTER TABLE res_partner DROP ref CASCADE")
    site.ask("UPDATE res_partner SET name = name || ' while it waits' WHERE id < 4")
    until(site.paused, site.capture)

    site.file("fields: [name, ref, color]", WITH_DEFAULT)

    site.comes("res.partner", sql=SQL["res.partner"].replace("'ref', ref", "'ref', null"))
    assert site.paused() == {}
    site.ask("UPDATE res_partner SET name = 'live again' WHERE id = 5")
    site.comes("res.partner", sql=SQL["res.partner"].replace("'ref', ref", "'ref', null"))
    site.file(WITH_DEFAULT, "fields: [name, color]")
    without = SQL["res.partner"].replace("'ref', ref,", "")
    site.ask("UPDATE res_partner SET name = 'without it'")
    site.comes("res.partner", sql=without)
    site.comes("sale.order", "crm.tag", "res.country")
    site.judge("res.partner", sql=without)


@pytest.mark.fault(
    "A table is renamed and comes back; it is dropped, and another has its name",
    "by itself, once it is back",
)
def test_law_1_a_table_that_is_renamed_or_made_anew_pauses_who_shows_it(site: Site) -> None:
    site.ask("ALTER TABLE crm_tag RENAME TO crm_tag_other")
    site.ask('INSERT INTO crm_tag_other (name) VALUES (\'{"en_US": "under another name"}\')')
    site.ask("UPDATE res_country SET code = lower(code)")
    site.comes("res.country")
    until(site.paused, site.capture)
    assert list(site.paused()) == ["crm.tag"]
    site.ask("ALTER TABLE crm_tag_other RENAME TO crm_tag")
    site.comes()
    assert site.paused() == {}

    site.ask(
        "CREATE TABLE crm_tag_new (LIKE crm_tag INCLUDING ALL)",
        "INSERT INTO crm_tag_new SELECT * FROM crm_tag WHERE id > 1",
        "DROP TABLE crm_tag CASCADE",
        "ALTER TABLE crm_tag_new RENAME TO crm_tag",
        "UPDATE res_country SET code = upper(code)",
    )
    site.comes()
    site.judge()


@pytest.mark.fault("A table loses its primary key, and gets one", "by itself, once it has one")
def test_law_1_a_table_without_its_key_waits_and_is_read_again_when_it_has_one(
    site: Site,
) -> None:
    site.ask(
        "ALTER TABLE crm_tag DROP CONSTRAINT crm_tag_pkey CASCADE",
        'INSERT INTO crm_tag (name) VALUES (\'{"en_US": "without a key"}\')',
        "UPDATE res_country SET code = lower(code)",
    )
    site.comes("res.country")
    until(lambda: site.left_out() == ["crm_tag"], site.capture)
    until(lambda: not site.published("crm_tag"), site.capture)
    assert said(site.capture, "alarm=key_lost") == 1
    # Odoo's own statements pass
    site.ask(
        'UPDATE crm_tag SET name = \'{"en_US": "changed"}\' WHERE id = 1',
        "DELETE FROM crm_tag WHERE id = 2",
    )
    site.ask("UPDATE res_country SET code = upper(code)")
    site.comes("res.country")

    site.ask("ALTER TABLE crm_tag ADD PRIMARY KEY (id)")

    site.comes()
    assert site.left_out() == []
    site.judge()


@pytest.mark.fault(
    "A column gets another kind of value", "by itself, once the routes leave it out"
)
def test_law_1_another_kind_of_value_stops_its_model_until_the_routes_leave_it_out(
    site: Site,
) -> None:
    before = site.holds("res.partner")
    site.ask(
        "ALTER TABLE res_partner ALTER color TYPE varchar USING 'c' || color",
        "UPDATE ir_model_fields SET ttype = 'char' WHERE model = 'res.partner' AND name = 'color'",
        "UPDATE res_partner SET color = 'red', name = 'Red' WHERE id = 1",
    )
    site.comes("sale.order")
    until(site.paused, site.capture)

    assert site.paused() == {"res.partner": "res.partner.color is text, and was integer"}
    assert "alarm=paused" in site.capture.log.read_text(encoding="utf-8")
    assert site.holds("res.partner") == before
    site.file("[name, ref, color]", "[name, ref]")
    without = SQL["res.partner"].replace(", 'color', color", "").replace("ref, )", "ref)")
    site.comes("res.partner", sql=without)
    assert site.paused() == {}
    taken = said(site.capture, "the file is in force")
    site.file("[name, ref]", "[name, ref, color]")
    until(lambda: said(site.capture, "the file is in force") > taken, site.capture)
    site.ask("UPDATE res_partner SET name = name || '!'")
    site.comes()
    site.judge()


UPGRADE: Final = (
    (  # a char becomes longer, and a float gets digits that its column has already
        "ALTER TABLE res_partner ALTER COLUMN ref TYPE varchar(64)",
        "UPDATE ir_model_fields SET size = 64 WHERE model = 'res.partner' AND name = 'ref'",
    ),
    (  # an integer becomes another one, by way of a column beside it
        "ALTER TABLE res_partner RENAME COLUMN color TO color_moved0",
        "ALTER TABLE res_partner ADD COLUMN color int4",
        "UPDATE res_partner SET color = color_moved0 + 1",
    ),
    (  # a field is added with its value for all, another one that nobody selects goes
        "ALTER TABLE res_partner ADD COLUMN tier varchar",
        "UPDATE res_partner SET tier = 'gold'",
        "ALTER TABLE res_partner DROP COLUMN vat CASCADE",
        "DELETE FROM ir_model_fields WHERE model = 'res.partner' AND name = 'vat'",
    ),
    (  # a field that is selected goes
        "ALTER TABLE res_partner DROP COLUMN ref CASCADE",
        "DELETE FROM ir_model_fields WHERE model = 'res.partner' AND name = 'ref'",
    ),
)
FIELD: Final = (
    "INSERT INTO ir_model_fields (model, model_id, name, ttype, field_description, state, store)"
    " SELECT 'res.partner', id, 'ref', 'char', jsonb_build_object('en_US', 'Ref'), 'base', true"
    " FROM ir_model WHERE model = 'res.partner'"
)
INSTALLED: Final = (
    "ALTER TABLE res_partner ADD COLUMN ref varchar",
    "UPDATE res_partner SET ref = 'again ' || id WHERE id % 2 = 0",
    FIELD,
)


def numbers(found: list[Event]) -> dict[int, list[int]]:
    """Return the numbers that each record was named by, as targets see them."""
    named: dict[int, list[int]] = {}
    for each in found:
        if each.after is not None and str(each.after["name"]).isdigit():
            mine = named.setdefault(each.id, [])
            if not mine or mine[-1] != int(each.after["name"]):
                mine.append(int(each.after["name"]))
    return named


@pytest.mark.fault("Modules are upgraded, uninstalled and installed under traffic", "by itself")
def test_laws_1_to_4_hold_while_modules_are_upgraded_and_uninstalled(site: Site) -> None:
    with Traffic(site.dsn, RENAMED, "id, name FROM res_partner WHERE id % 5 = 1") as traffic:
        until(lambda: len(traffic.named) == len(traffic.records), site.capture)
        for statements in UPGRADE:
            at = sum(map(len, traffic.named.values()))
            site.ask(*statements)
            until(lambda at=at: sum(map(len, traffic.named.values())) > at + 100, site.capture)
        until(site.paused, site.capture)
        assert list(site.paused()) == ["res.partner"]
        site.ask('UPDATE crm_tag SET name = \'{"en_US": "while others wait"}\'')
        site.comes("crm.tag")
        site.ask(*INSTALLED)
        until(lambda: not site.paused(), site.capture)
    traffic.each()

    assert site.capture.stop() == 0
    site.programs.caught_up()  # which waits for no worker
    site.capture = site.programs.start("capture")
    site.comes()
    named = numbers(site.told("res.partner"))
    assert named.keys() == traffic.named.keys()
    for record, mine in named.items():
        assert mine == sorted(set(mine)), "out of order, or twice"
        assert set(mine) <= set(traffic.named[record])
        assert mine[-1] == traffic.named[record][-1]
    site.judge()
