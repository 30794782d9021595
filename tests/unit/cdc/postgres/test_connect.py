from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from cdc.postgres.connect import BadDsn, DatabaseUnreachable, Session, conninfo, describe, one_line

SECRET = "hunter2"  # what must not be shown


@pytest.mark.parametrize(
    ("dsn", "text"),
    [
        (f"postgresql://cdc:{SECRET}@db.example:5433/odoo", 'database "odoo" at db.example:5433'),
        (f"host=db.example dbname=odoo password={SECRET}", 'database "odoo" at db.example'),
        ("dbname=odoo", 'database "odoo" at the local socket'),
        (f"host=x pass word={SECRET}", "the database of source.dsn"),
        (f"postgresql://cdc:x@{SECRET}@db.example/odoo", "the database of source.dsn"),
    ],
    ids=["a url", "conninfo", "a socket", "nonsense", "an ambiguous url"],
)
def test_a_database_is_named_without_its_secrets(dsn: str, text: str) -> None:
    assert describe(dsn) == text


def test_a_servers_lines_become_sentences_of_one() -> None:
    refused = "connection failed: Connection refused\n\tIs the server running?\n"
    assert one_line(refused) == "connection failed: Connection refused. Is the server running?"


def test_a_dsn_keeps_what_it_says_and_gets_what_it_lacks() -> None:
    found = conninfo_to_dict(conninfo("dbname=odoo keepalives_idle=5 user=u", "capture"))
    assert found["keepalives_idle"] == "5"
    assert found["tcp_user_timeout"] == "60000"
    assert found["application_name"] == "odoo-cdc-capture"
    assert found["user"] == "u"


@pytest.mark.parametrize(
    "dsn",
    [
        f"host=x pass word={SECRET}",
        f"postgresql://cdc:x@{SECRET}@db.example/odoo",
        f"postgresql://cdc:x/{SECRET}@db.example/odoo",
    ],
)
def test_a_bad_dsn_is_refused_without_repeating_it(dsn: str) -> None:
    with pytest.raises(BadDsn) as refused:
        conninfo(dsn, "check")
    assert SECRET not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_database_that_is_not_there_is_named_without_its_secrets() -> None:
    dsn = f"postgresql://cdc:{SECRET}@127.0.0.1:1/odoo"
    with pytest.raises(DatabaseUnreachable, match='database "odoo" at 127') as refused:
        Session.connect(dsn)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 3
