"""What column lists do to an application's statements, and that ours never do it.

Where Postgres refuses something, the test says so first: then what we do in its place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final

import psycopg
import pytest

from cdc.pgoutput.decoder import decode
from cdc.pgoutput.messages import Relation
from cdc.postgres import publication, publishing, slot, watch
from cdc.postgres.catalog import attributes
from cdc.postgres.connect import Session
from cdc.postgres.publication import Lists, Needs, PublicationState
from cdc.postgres.publishing import PublicationUnfit, TablesLocked
from cdc.postgres.refusals import StreamStopped
from cdc.postgres.replication import Replication
from cdc.postgres.watch import LeftOut, Watch
from tests.fix_pg_source import Source
from tests.pg_reading import messages_of, until

pytestmark = pytest.mark.integration

LISTS: Final = {"thing": ("id", "name"), "other": ("id", "name")}
NEEDS: Final = {"thing": ("id", "name", "secret"), "other": ("id", "name")}


@pytest.fixture
def things(pg_session: Session) -> Session:
    """Two tables of which some columns are published."""
    for table in ("thing", "other"):
        pg_session.execute(
            f"CREATE TABLE {table} (id int PRIMARY KEY, name varchar(20), secret text)".encode()
        )
        pg_session.execute(f"INSERT INTO {table} VALUES (1, 'a', 'hush')".encode())  # noqa: S608 - ours
    set_up(pg_session, LISTS)
    return pg_session


def set_up(session: Session, lists: Lists) -> PublicationState:
    """Make the publication what it is wanted to be, as `setup` does."""
    found = publication.look(session, "cdc")
    statements = publishing.plan(lists, found)
    publishing.apply(session, "cdc", publishing.in_full(statements, "cdc", list(found.tables)))
    return publication.look(session, "cdc")


def by_hand(session: Session, *statements: str) -> None:
    for statement in statements:
        session.execute(statement.encode())


def refused(session: Session, statement: str) -> str:
    """Return the SQLSTATE with which Postgres refuses a statement."""
    with pytest.raises(psycopg.Error) as error:
        session.connection.execute(statement.encode())
    return error.value.sqlstate or ""


def columns_of(session: Session, table: str = "thing") -> set[str]:
    return set(publication.look(session, "cdc").tables[table].attnames)


def begun(
    dsn: str,
    slot: str,
    session: Session,
    state: PublicationState,
    members: dict[str, int],
    columns: Lists = NEEDS,
) -> Watch:
    """Watch over lists of these columns, of tables that are made as they are."""
    needs = Needs(members, columns, listed=True)
    return Watch(dsn, state, slot, needs, attributes(session, columns))


CHANGES: Final = ("UPDATE thing SET name = 'b'", "DELETE FROM thing")


@pytest.mark.parametrize(
    ("identity", "columns"),
    [
        pytest.param((), ("name",), id="a list without the key"),
        pytest.param(
            ("ALTER TABLE thing REPLICA IDENTITY FULL",), ("id", "name"), id="identity full"
        ),
        pytest.param(
            (
                "ALTER TABLE thing ALTER secret SET NOT NULL",
                "CREATE UNIQUE INDEX by_secret ON thing (id, secret)",
                "ALTER TABLE thing REPLICA IDENTITY USING INDEX by_secret",
            ),
            ("id", "name"),
            id="another index with a column that is not listed",
        ),
        pytest.param(
            ("ALTER TABLE thing DROP CONSTRAINT thing_pkey",), ("id", "name"), id="no key"
        ),
        pytest.param(
            ("ALTER TABLE thing REPLICA IDENTITY NOTHING",), ("id", "name"), id="identity nothing"
        ),
        pytest.param(("ALTER TABLE thing DROP CONSTRAINT thing_pkey",), (), id="whole, no key"),
    ],
)
def test_law_6_a_list_that_would_make_the_applications_statements_fail_is_not_made(
    things: Session, identity: Sequence[str], columns: Sequence[str]
) -> None:
    by_hand(things, "ALTER PUBLICATION cdc DROP TABLE thing", *identity)
    listed = f"({', '.join(columns)})" if columns else ""
    by_hand(things, f"ALTER PUBLICATION cdc ADD TABLE thing {listed}")
    for statement in CHANGES:
        assert refused(things, statement) in {"42P10", "55000"}
    by_hand(things, "ALTER PUBLICATION cdc DROP TABLE thing")

    with pytest.raises(PublicationUnfit, match="thing") as error:
        set_up(things, {**LISTS, "thing": columns})

    assert error.value.hint
    assert "thing" not in publication.look(things, "cdc").tables
    by_hand(things, *CHANGES)


def test_law_6_a_row_filter_makes_the_applications_statements_fail_and_is_taken_away(
    things: Session,
) -> None:
    by_hand(things, "ALTER PUBLICATION cdc SET TABLE thing (id, name) WHERE (name <> 'x')")
    assert refused(things, CHANGES[0]) == "42P10"

    state = set_up(things, LISTS)

    assert not any(table.row_filter for table in state.tables.values())
    by_hand(things, *CHANGES)


def test_a_publication_beside_ours_with_another_list_does_not_reach_our_stream(
    pg_source: Source, things: Session
) -> None:
    slot.create(pg_source.dsn, pg_source.slot)
    by_hand(things, "CREATE PUBLICATION beside FOR TABLE thing (id, secret)", CHANGES[0])
    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["cdc", "beside"])
        with pytest.raises(StreamStopped, match="different column lists"):
            for _ in messages_of(replication):
                pass

    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["cdc"])

        assert shown(replication) == (["id", "name"], [b"1", b"b"])


def test_whole_schemas_and_column_lists_do_not_go_together_and_the_schemas_go(
    things: Session,
) -> None:
    by_hand(things, "DROP PUBLICATION cdc", "CREATE PUBLICATION cdc FOR TABLES IN SCHEMA public")
    assert refused(things, "ALTER PUBLICATION cdc ADD TABLE thing (id, name)") == "22023"

    state = set_up(things, LISTS)

    assert state.schemas == ()
    assert {name: set(table.attnames) for name, table in state.tables.items()} == {
        name: set(columns) for name, columns in LISTS.items()
    }


def test_law_6_a_listed_column_cannot_change_its_type_before_the_lists_are_lifted(
    pg_source: Source, things: Session
) -> None:
    """What an upgrade of modules does: size of a Char, digits, translate."""
    widened = "ALTER TABLE thing ALTER name TYPE varchar(40)"
    retyped = "ALTER TABLE thing ALTER name TYPE jsonb USING to_jsonb(name)"
    assert refused(things, retyped) == "0A000"
    slot.create(pg_source.dsn, pg_source.slot)
    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["cdc"])
        by_hand(things, CHANGES[0])
        assert shown(replication) == (["id", "name"], [b"1", b"b"])

        lifted = set_up(things, dict.fromkeys(LISTS, ()))
        by_hand(things, widened, retyped, "UPDATE thing SET secret = 'again'")

        assert lifted.lifted
        assert shown(replication) == (["id", "name", "secret"], [b"1", b'"b"', b"again"])
        back = set_up(things, LISTS)
        by_hand(things, "UPDATE thing SET name = to_jsonb('c'::text)")
        assert shown(replication) == (["id", "name"], [b"1", b'"c"'])
        assert not back.lifted


def test_law_1_changed_lists_are_no_gap_and_a_table_that_was_out_is_one(things: Session) -> None:
    former = publication.look(things, "cdc")
    members = {name: table.member for name, table in former.tables.items()}
    by_hand(things, "COMMENT ON PUBLICATION cdc IS 'Ask Ann before you touch it.'")

    for lists in (dict.fromkeys(LISTS, ()), LISTS, {**LISTS, "thing": ("id", "secret")}):
        state = set_up(things, lists)
        publication.refuse_gap(state, Needs(members, {}))
    assert state.tables["thing"].member != members["thing"]
    comment = things.one("SELECT obj_description(oid) FROM pg_publication WHERE pubname = 'cdc'")
    assert comment[0].startswith("Ask Ann before you touch it.\n")

    by_hand(
        things, "ALTER PUBLICATION cdc DROP TABLE thing", "ALTER PUBLICATION cdc ADD TABLE thing"
    )
    for lists in (LISTS, {**LISTS, "thing": ("id", "secret")}):  # which can mend nothing
        found = publication.gap(set_up(things, lists), Needs(members, {}))
        assert found.late.keys() == {"thing"}
    by_hand(things, "COMMENT ON PUBLICATION cdc IS NULL")
    assert publication.gap(publication.look(things, "cdc"), Needs(members, {})).late


TRAPS: Final = [
    pytest.param(
        ("ALTER TABLE thing DROP COLUMN name CASCADE",),
        {"id", "secret"},
        (),
        id="trap 2, a listed column is dropped",
    ),
    pytest.param(
        (
            "ALTER TABLE thing RENAME name TO name_moved0",
            "ALTER TABLE thing ADD COLUMN name varchar",
        ),
        {"id", "name", "secret"},
        ("name",),
        id="trap 3, a listed column is replaced",
    ),
]


@pytest.mark.parametrize(("statements", "mended", "hidden"), TRAPS)
def test_law_1_what_a_list_loses_is_said_and_put_back_and_read_again(
    pg_source: Source,
    things: Session,
    monkeypatch: pytest.MonkeyPatch,
    statements: Sequence[str],
    mended: set[str],
    hidden: Sequence[str],
) -> None:
    monkeypatch.setattr(watch, "_LOOK", 0.05)
    state = set_up(things, NEEDS)
    members = {name: table.member for name, table in state.tables.items()}
    if "CASCADE" in statements[0]:
        assert refused(things, statements[0].replace(" CASCADE", "")) == "2BP01"
    looking = begun(pg_source.dsn, pg_source.slot, things, state, members)
    try:
        assert looking.check() == LeftOut()

        by_hand(things, *statements)

        until(lambda: looking.check().tables == {"thing"})
        gone = publication.look(things, "cdc").tables.get("thing")
        assert gone is None or gone.lacks(NEEDS["thing"]) == list(hidden)
        looking.noted = frozenset({"thing"})
        until(lambda: "thing" in looking.check().back)
        assert columns_of(things) == mended
        assert looking.check().tables == {"thing"}, "what was written meanwhile is in no stream"
        members.update(looking.check().back)
        looking.noted = frozenset()
        until(lambda: looking.check() == LeftOut())
    finally:
        looking.close()
    assert columns_of(things, "other") == {"id", "name"}


@pytest.mark.parametrize("lists", [NEEDS, dict.fromkeys(NEEDS, ())], ids=["listed", "lifted"])
def test_a_table_is_put_back_as_the_others_are_lifted_or_listed(
    pg_source: Source, things: Session, monkeypatch: pytest.MonkeyPatch, lists: Lists
) -> None:
    monkeypatch.setattr(watch, "_LOOK", 0.05)
    state = set_up(things, lists)
    members = {name: table.member for name, table in state.tables.items()}
    looking = begun(pg_source.dsn, pg_source.slot, things, state, members)
    try:
        by_hand(things, "ALTER PUBLICATION cdc DROP TABLE other")
        until(lambda: looking.check().tables == {"other"})
        looking.noted = frozenset({"other"})
        until(lambda: "other" in looking.check().back)
    finally:
        looking.close()

    found = publication.look(things, "cdc").tables
    assert found["other"].listed == bool(lists["other"])
    assert set(found["thing"].attnames) == set(NEEDS["thing"])
    assert found["thing"].listed == bool(lists["thing"])


@pytest.mark.parametrize("owner", [True, False], ids=["who may", "who may not"])
def test_law_6_a_list_that_has_come_to_harm_odoo_is_lifted(
    pg_source: Source,
    things: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    *,
    owner: bool,
) -> None:
    monkeypatch.setattr(watch, "_LOOK", 0.05)
    state = publication.look(things, "cdc")
    members = {name: table.member for name, table in state.tables.items()}
    role = f"role_{pg_source.name}"
    by_hand(things, f"CREATE ROLE {role} LOGIN", "ALTER TABLE thing REPLICA IDENTITY FULL")
    assert refused(things, CHANGES[0]) == "42P10"
    dsn = pg_source.dsn if owner else pg_source.cluster.dsn(pg_source.name, user=role)
    looking = begun(dsn, pg_source.slot, things, state, members, LISTS)
    try:
        until(lambda: "Odoo's UPDATE and DELETE fail" in caplog.text)
        if owner:
            until(lambda: not publication.look(things, "cdc").tables["thing"].listed)
            by_hand(things, *CHANGES)
        else:
            assert "Run `odoo-cdc setup --for-upgrade` as their owner" in caplog.text
        assert columns_of(things, "other") == {"id", "name"}
        assert looking.check() == LeftOut(), "nothing was left out"
    finally:
        looking.close()
        by_hand(things, f"DROP ROLE {role}")


def test_law_8_a_list_alone_decides_what_leaves_the_database_whatever_is_granted(
    pg_source: Source, things: Session
) -> None:
    role = f"role_{pg_source.name}"
    by_hand(things, f"CREATE ROLE {role} LOGIN REPLICATION")
    slot.create(pg_source.dsn, pg_source.slot)
    try:
        with Replication.connect(
            pg_source.cluster.dsn(pg_source.name, user=role), "capture"
        ) as replication:
            replication.start(pg_source.slot, 0, ["cdc"])
            by_hand(things, "UPDATE thing SET secret = 'still hush', name = 'b'")
            assert shown(replication) == (["id", "name"], [b"1", b"b"]), "without any GRANT"
            set_up(things, dict.fromkeys(LISTS, ()))
            by_hand(things, "UPDATE thing SET secret = 'said'")
            assert shown(replication)[1][-1] == b"said", "the same, whole"
    finally:
        by_hand(things, f"DROP ROLE {role}")


LOOKED: Final = (
    "SELECT FROM pg_locks WHERE NOT granted AND mode = 'ShareUpdateExclusiveLock'"
    " AND clock_timestamp() - waitstart > interval '450ms'"
)


def test_law_6_odoo_is_not_ended_for_a_deadlock_with_us(
    pg_source: Source, things: Session
) -> None:
    """An upgrade has locked one table, and wants the other while we hold that and wait."""
    told: list[Exception] = []
    by_hand(things, f"ALTER DATABASE {pg_source.name} SET deadlock_timeout = '400ms'")

    def alter() -> None:
        with Session.connect(pg_source.dsn) as session:
            try:
                set_up(session, dict.fromkeys(LISTS, ()))
            except TablesLocked as error:
                told.append(error)

    with psycopg.connect(pg_source.dsn) as odoo:
        odoo.execute("ALTER TABLE thing ADD COLUMN more int")
        setup = threading.Thread(target=alter)
        setup.start()
        # Our own look for a deadlock has found none: the next to look is who comes to wait.
        until(lambda: bool(told) or things.row(LOOKED) is not None)
        odoo.execute("ALTER TABLE other ADD COLUMN more int")
        setup.join()
    assert [type(error) for error in told] == [TablesLocked]
    assert columns_of(things) == {"id", "name"}
    set_up(things, dict.fromkeys(LISTS, ()))


def shown(replication: Replication) -> tuple[list[str], list[bytes]]:
    """Return the columns and values of the next row that the stream shows, behind its R."""
    names: list[str] = []
    for message in messages_of(replication):
        if message[:1] == b"R":
            relation = decode(message)
            assert isinstance(relation, Relation)
            names = [column.name for column in relation.columns]
        elif message[:1] == b"U":
            assert message[5:6] == b"N"
            return names, list(cells(message[8:]))
    raise AssertionError


def cells(tuple_: bytes) -> Iterator[bytes]:
    """Yield the texts of a tuple that has nothing else."""
    while tuple_:
        size = int.from_bytes(tuple_[1:5], "big")
        yield tuple_[5 : 5 + size]
        tuple_ = tuple_[5 + size :]


def test_tables_of_other_schemas_are_none_of_ours(things: Session) -> None:
    by_hand(
        things,
        "CREATE SCHEMA other",
        "CREATE TABLE other.thing (name text)",
        "ALTER PUBLICATION cdc ADD TABLE other.thing",
    )

    assert publishing.harmed(things, "cdc") == []
