"""Every type that a column may have, from SQL to the message, on every version that we read from.

A value is written by SQL before the first load and again behind it. What a target is sent must be
what SQL itself makes of it; what has no form in a message is a dead letter with the reason, and
never stops capture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
import pytest

from schemas.config import load
from schemas.domain.scalars import in_order
from schemas.event import Event
from schemas.shaping import Unreadable
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from tests.fix_pg_source import Source
from tests.pg_capture import CATALOG, Captured, declare
from tests.programs import sync_yaml

pytestmark = pytest.mark.integration

AGAIN: Final = 1_000  # what is added to the ids of the rows that come behind the load

TEXT: Final = "to_jsonb(format('%%s', {}))"  # as psql shows it; casts differ for a few
NUMBER: Final = "to_jsonb({})"
FLOAT: Final = "to_jsonb({}::text)"  # with all digits that tell it from others
MOMENT: Final = "to_jsonb(replace({}::text, ' ', 'T') || 'Z')"
BASE64: Final = "to_jsonb(translate(encode({}, 'base64'), E'\\n', ''))"


class Type(NamedTuple):
    """A column: its type, Odoo's, how SQL writes what is sent, and values as SQL has them."""

    sql: str
    odoo: str
    sent: str
    values: tuple[str, ...]
    unsendable: tuple[str, ...] = ()
    extension: str = ""


TYPES: Final = {
    "a_int2": Type("int2", "integer", NUMBER, ("-32768", "0", "32767")),
    "a_int4": Type("int4", "integer", NUMBER, ("-2147483648", "2147483647")),
    "a_int8": Type("int8", "integer", NUMBER, (str(-(2**63)), "2147483648", str(2**63 - 1))),
    "a_bool": Type("boolean", "boolean", NUMBER, ("true", "false")),
    "a_float4": Type("float4", "float", FLOAT, ("0.1", "'1e-45'", "3.4028235e38")),
    "a_float8": Type(
        "float8",
        "float",
        FLOAT,
        ("0.1::float8 + 0.2", "'-0'", "'5e-324'", "'1.7976931348623157e308'", "1e23"),
        ("'NaN'", "'Infinity'", "'-Infinity'"),
    ),
    "a_numeric": Type(
        "numeric",
        "monetary",
        TEXT,
        ("12.50", "0.00", "-0.10", "'1e-30'", "repeat('9', 200)::numeric", "'1e300'", "1e-16000"),
        ("'NaN'", "'Infinity'", "'-Infinity'"),
    ),
    "a_rounded": Type("numeric(5, -2)", "float", TEXT, ("12345", "-49", "150")),
    "a_date": Type(
        "date",
        "date",
        TEXT,
        ("'2026-11-23'", "'0001-01-01'", "'9999-12-31'"),
        ("'infinity'", "'-infinity'", "'0044-03-15 BC'", "'12026-11-23'", "'5874897-12-31'"),
    ),
    "a_moment": Type(
        "timestamp",
        "datetime",
        MOMENT,
        (
            "'2026-11-23 10:00:00'",
            "'2026-11-23 10:00:00.000001'",
            "'0001-01-01 00:00:00'",
            "'9999-12-31 23:59:59.999999'",
        ),
        ("'infinity'", "'-infinity'", "'0044-03-15 12:00:00 BC'", "'294276-12-31 23:59:59.5'"),
    ),
    "a_zoned": Type("timestamptz", "char", TEXT, ("'2026-11-23 10:00:00+05:45'", "'infinity'")),
    "a_time": Type("time", "char", TEXT, ("'23:59:59.999999'", "'24:00:00'")),
    "a_interval": Type("interval", "char", TEXT, ("'1 year -2 mons +3 days 04:05:06.7'", "'-1s'")),
    "a_char": Type(
        "varchar(80)",
        "char",
        TEXT,
        ("''", "' blanks '", "E'\\t\\\\ \"''\\n'", "'\u20ac\U0001f600'"),
    ),
    "a_text": Type("text", "text", TEXT, ("repeat('long ', 100000)", "E'\\x01\\x7f'")),
    "a_padded": Type("char(6)", "char", TEXT, ("'ab'", "''")),
    "a_letter": Type('"char"', "char", TEXT, ("'x'",)),
    "a_json": Type(
        "json",
        "json",
        "to_json({})",
        ('\'{"b": 1.10, "a": [1e2, 0.1000000000000000055511151231257827]}\'', "'null'", "'1'"),
    ),
    "a_jsonb": Type(
        "jsonb",
        "json",
        "{}",
        (
            '\'{"deep": [[[]], {}], "n": 12345678901234567890123456789.123456789012345678901}\'',
            "'\"text\"'",
            "'null'",
            "to_jsonb(repeat('9', 5000)::numeric)",
            '\'{"": "\\u20ac"}\'',
        ),
        ("(repeat('[', 500) || repeat(']', 500))::jsonb",),
    ),
    "a_binary": Type(
        "bytea", "binary", BASE64, (r"'\x00ff41'", "''", "decode(repeat('ab', 9000), 'hex')")
    ),
    "a_money": Type("money", "char", TEXT, ("12.5", "-1234567.89")),
    "a_uuid": Type("uuid", "char", TEXT, ("'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'",)),
    "a_xml": Type("xml", "text", TEXT, ("'<a b=\"1\">\u00e9</a>'",)),
    "a_bit": Type("bit(5)", "char", TEXT, ("B'10101'",)),
    "a_bits": Type("bit varying", "char", TEXT, ("B''", "B'101'")),
    "a_inet": Type("inet", "char", TEXT, ("'10.0.0.1'", "'2001:db8::1/64'")),
    "a_cidr": Type("cidr", "char", TEXT, ("'10.0.0.0/8'",)),
    "a_mac": Type("macaddr", "char", TEXT, ("'08:00:2b:01:02:03'",)),
    "a_words": Type("tsvector", "char", TEXT, ("to_tsvector('english', 'a fat cat''s mat')",)),
    "a_query": Type("tsquery", "char", TEXT, ("'fat & (rat | cat)'",)),
    "a_point": Type("point", "char", TEXT, ("'(1.5,-2)'",)),
    "a_path": Type("jsonpath", "char", TEXT, ("'$.a[*] ? (@ > 1)'",)),
    "a_range": Type("int4range", "char", TEXT, ("'[1,10)'", "'empty'", "'(,5]'")),
    "a_span": Type("daterange", "char", TEXT, ("'[2026-01-01,infinity)'",)),
    "a_spans": Type("int4multirange", "char", TEXT, ("'{[1,2), [5,7)}'",)),
    "a_list": Type(
        "int4[]", "char", TEXT, ("'{1,NULL,-3}'", "'{}'", "'{{1,2},{3,4}}'", "'[0:1]={7,8}'")
    ),
    "a_names": Type(
        "text[]", "char", TEXT, ("ARRAY['a b', 'q\"q', 'back\\slash', NULL, 'NULL', '', '{,}']",)
    ),
    "a_jsons": Type("jsonb[]", "char", TEXT, ('ARRAY[\'{"a": "b"}\'::jsonb]',)),
    "an_enum": Type("mood", "selection", TEXT, ("'so so'", "'h\u00e9'")),
    "a_domain": Type("amount", "integer", NUMBER, ("7", "-7")),
    "a_flag": Type("flag_of_flags", "boolean", NUMBER, ("true", "false")),
    "a_price": Type("price", "monetary", TEXT, ("9.90",), ("'NaN'",)),
    "a_mood": Type("moods", "char", TEXT, ("'so so'",)),
    "a_pair": Type("pair", "char", TEXT, ("ROW(1, 'a \"quoted\", text', NULL)",)),
    "a_name": Type("name", "char", TEXT, ("'a name'",)),
    "an_oid": Type("oid", "integer", TEXT, ("4294967295",)),
    "a_class": Type("regclass", "char", TEXT, ("'doc_kind'",)),
    "a_citext": Type("citext", "char", TEXT, ("'CaSe'",), extension="citext"),
    "a_hstore": Type(
        "hstore", "char", TEXT, ('\'a=>1, b=>NULL, "c d"=>"q\\""\'',), extension="hstore"
    ),
}

MADE: Final = """
    CREATE TYPE mood AS ENUM ('so so', 'h\u00e9');
    CREATE DOMAIN amount AS int4 CHECK (VALUE <> 0);
    CREATE DOMAIN flag AS boolean; CREATE DOMAIN flag_of_flags AS flag;
    CREATE DOMAIN price AS numeric; CREATE DOMAIN moods AS mood;
    CREATE TYPE pair AS (a int, b text, c date);
"""


@dataclass
class Kinds:
    """A table with a column of each type, a row for each value."""

    captured: Captured
    connection: psycopg.Connection
    routes: Routes
    written: list[tuple[int, str, str, bool]]  # id, column, value, whether it can be sent

    def sent(self, events: list[Event]) -> Iterator[tuple[int, str, Any]]:
        """Yield (id, column, value or why it is dead) of every delivery."""
        for event in events:
            done = dispatch(event, self.routes)
            for delivery in done.deliveries:
                fields = _read(delivery.body)["data"]["fields"]
                ((name, value),) = fields.items()
                if TYPES[name].sent is FLOAT and value is not None:
                    assert isinstance(value, int | Decimal), f"{name} is no number"
                    value = float(value)
                yield event.id, name, value
            for born in done.stillborn:
                yield event.id, born.delivery.route.replace("-", "_"), born

    def of_sql(self, name: str, row: int) -> Any:
        """Return what SQL makes of a value."""
        asked = TYPES[name].sent.format(name)
        statement = f"SELECT ({asked})::text FROM doc_kind WHERE id = %s"  # noqa: S608 - ours
        found = self.connection.execute(statement.encode(), [row]).fetchone()
        assert found is not None
        said = _read(found[0])
        return float(said) if TYPES[name].sent is FLOAT else said


def _read(text: str | bytes) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=_int)


def _int(text: str) -> int | Decimal:
    return int(text) if len(text) < 4000 else Decimal(text)


def routes_of(names: list[str]) -> str:
    """Write a route for each column: what cannot be sent of one holds up no other."""
    lines = [
        f"  - {{name: {name.replace('_', '-')}, model: doc.kind, targets: [shop],"
        f' fields: [{name}], domain: [["at", "=", "{name}"]]}}'
        for name in names
    ]
    return "routes:\n" + "\n".join(lines)


@pytest.fixture
def kinds(pg_source: Source, tmp_path: Path) -> Iterator[Kinds]:
    names = [
        name
        for name, type_ in TYPES.items()
        if not type_.extension or pg_source.cluster.has_extension(type_.extension)
    ]
    with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
        connection.execute(CATALOG)
        connection.execute(MADE)
        for extension in {TYPES[name].extension for name in names} - {""}:
            connection.execute(f"CREATE EXTENSION {extension}".encode())
        columns = ", ".join(f"{name} {TYPES[name].sql}" for name in names)
        connection.execute(
            f"CREATE TABLE doc_kind (id int8 PRIMARY KEY, at text, {columns})".encode()
        )
        fields = {name: TYPES[name].odoo for name in names}
        declare(connection, "doc.kind", at="char", **fields)
        written = []
        for name in names:
            values = [(value, True) for value in TYPES[name].values]
            values += [(value, False) for value in TYPES[name].unsendable]
            for value, fit in values:
                row = len(written) + 1
                statement = f"INSERT INTO doc_kind (id, at, {name}) VALUES (%s, %s, {value})"  # noqa: S608
                try:
                    connection.execute(statement.encode(), [row, name])
                except psycopg.errors.FeatureNotSupported:  # xml, of a server built without
                    continue
                written.append((row, name, value, fit))
        file = tmp_path / "sync.yaml"
        parts = {
            "source": "odoo_a",
            "dsn": pg_source.dsn,
            "kafka": "127.0.0.1:9",
            "targets": ["shop"],
        }
        file.write_text(sync_yaml(**parts, routes=routes_of(names)), encoding="utf-8")
        reads = {"doc.kind": ["at", *names]}
        captured = Captured(pg_source.dsn, pg_source.slot, tmp_path / "shadow", reads)
        yield Kinds(captured, connection, Routes.of_config(load(file)), written)


def test_what_is_sent_of_every_type_is_what_sql_says_of_it(kinds: Kinds) -> None:
    loaded = kinds.captured.begin()
    kinds.connection.execute(
        b"SET extra_float_digits = 1; CREATE TEMP TABLE again AS SELECT * FROM doc_kind;"
        b"UPDATE again SET id = id + 1000; INSERT INTO doc_kind SELECT * FROM again"
    )
    streamed = kinds.captured.follow()

    said = {(row, name): value for row, name, value in kinds.sent([*loaded, *streamed])}
    for row, name, value, fit in kinds.written:
        first, second = said[row, name], said[row + AGAIN, name]
        if not fit:
            for born in (first, second):
                assert born.code == "UNSENDABLE", f"{name} {value}"
                assert f'"{name}" cannot be sent' in born.why
            continue
        wanted = kinds.of_sql(name, row)
        assert first == wanted, f"{name} {value}: loaded {first!r}, not {wanted!r}"
        assert second == wanted, f"{name} {value}: streamed {second!r}, not {wanted!r}"
        assert type(first) is type(wanted), f"{name} {value}"


def test_law_7_values_that_cannot_be_sent_come_and_go_and_capture_goes_on(kinds: Kinds) -> None:
    """Each row goes from its value to the next one of its type, and back to none."""
    kinds.captured.begin()
    pairs = [
        (row, name, following)
        for (row, name, _, _), (_, next_name, following, _) in zip(
            kinds.written, kinds.written[1:], strict=False
        )
        if name == next_name
    ]
    for row, name, value in pairs:
        kinds.connection.execute(
            f"UPDATE doc_kind SET {name} = {value} WHERE id = %s".encode(),  # noqa: S608 - ours
            [row],
        )
        kinds.connection.execute(
            f"UPDATE doc_kind SET {name} = NULL WHERE id = %s".encode(),  # noqa: S608 - ours
            [row],
        )
    events = kinds.captured.follow()

    assert len(events) == 2 * len(pairs)
    emptied = {row: value for row, name, value in kinds.sent(events)}
    assert set(emptied) == {row for row, _, _ in pairs}
    for row, name, _ in pairs:
        assert emptied[row] == (False if TYPES[name].odoo == "boolean" else None)


@pytest.mark.parametrize("pg_source", [18], ids=["postgres 18"], indirect=True)
@pytest.mark.parametrize("listed", [False, True], ids=["tables", "columns"])
def test_a_stored_generated_column_is_captured_where_postgres_publishes_it(
    pg_source: Source, tmp_path: Path, *, listed: bool
) -> None:
    with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
        connection.execute(CATALOG)
        connection.execute(
            "CREATE TABLE doc_made (id int PRIMARY KEY, a int,"
            " s int GENERATED ALWAYS AS (a * 2) STORED)"
        )
        declare(connection, "doc.made", a="integer", s="integer")
        connection.execute("INSERT INTO doc_made (id, a) VALUES (1, 5)")
        captured = Captured(
            pg_source.dsn, pg_source.slot, tmp_path, {"doc.made": ["s"]}, listed=listed
        )
        assert [event.after for event in captured.begin()] == [{"id": 1, "s": 10}]
        connection.execute("UPDATE doc_made SET a = 6")
        connection.execute("INSERT INTO doc_made (id, a) VALUES (2, 7)")

        came = [(event.before, event.after) for event in captured.follow()]
    assert came == [({"id": 1, "s": 10}, {"id": 1, "s": 12}), (None, {"id": 2, "s": 14})]


def test_a_generated_column_is_refused_by_its_name(pg_source: Source, tmp_path: Path) -> None:
    with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
        connection.execute(CATALOG)
        virtual = ", v int GENERATED ALWAYS AS (a * 3) VIRTUAL" if pg_source.version >= 18 else ""
        connection.execute(
            f"CREATE TABLE doc_made (id int PRIMARY KEY, a int,"
            f" s int GENERATED ALWAYS AS (a * 2) STORED{virtual})".encode()
        )
        declare(connection, "doc.made", a="integer", s="integer", v="integer")
    name = "v" if virtual else "s"
    captured = Captured(pg_source.dsn, pg_source.slot, tmp_path / name, {"doc.made": [name]})
    with pytest.raises(Unreadable, match=rf"doc\.made\.{name} is a generated column"):
        captured.begin()
    beside = Captured(pg_source.dsn, pg_source.slot, tmp_path / "a", {"doc.made": ["a"]})
    beside.begin()
    with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO doc_made (id, a) VALUES (1, 5)")
        connection.execute("UPDATE doc_made SET a = 6")
    assert [event.after for event in beside.follow()] == [{"id": 1, "a": 5}, {"id": 1, "a": 6}]


@pytest.mark.parametrize("name", ["a_date", "a_moment"])
def test_domains_have_dates_in_the_order_of_sql(kinds: Kinds, name: str) -> None:
    statement = (
        f"SELECT {name}::text FROM doc_kind WHERE {name} IS NOT NULL ORDER BY doc_kind.{name}"  # noqa: S608
    )
    found = [
        text.replace(" ", "T", 1) if name == "a_moment" else text
        for (text,) in kinds.connection.execute(statement.encode())
    ]
    assert len(found) > 5
    assert sorted(found, key=in_order) == found
