"""The main acceptance test: what targets hold is what the database held, commit by commit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from schemas.position import Lsn
from tests.documents_as_of import Checkpoints, dispatched, judge
from tests.fix_wso2 import Wso2StandIn
from tests.oracle import Oracle, routes_yaml
from tests.programs import Programs, sync_yaml
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

TARGETS = ("shop", "erp")


def config(source: str, dsn: str, kafka: Kafka, wso2: str) -> str:
    return sync_yaml(
        source=source,
        dsn=dsn,
        kafka=kafka.bootstrap,
        wso2=wso2,
        targets=TARGETS,
        routes=routes_yaml(),
    )


@pytest.mark.slow
def test_law_4_deliveries_up_to_a_commit_come_to_what_sql_says_of_it(
    recorded_odoo: Source, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> None:
    text = config(kafka_prefix, recorded_odoo.dsn, kafka, "http://127.0.0.1:9/cdc")
    with Programs(tmp_path, text) as programs, Oracle(recorded_odoo.dsn, kafka_prefix) as oracle:
        programs.run("setup")
        programs.caught_up()
        checkpoints = Checkpoints(oracle)
        checkpoints.take(recorded_odoo.lsn())

        played = checkpoints.follow(recorded_odoo.commits(), every=250)
        programs.caught_up(timeout=900)

        made = judge(dispatched(kafka.bootstrap, programs.config), checkpoints)
        assert len(checkpoints.found) == 1 + -(-played // 250)
        assert made > played / 2, "the workload hardly touched what the routes show"


def test_law_4_what_wso2_gets_while_odoo_works_comes_to_what_sql_says(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, wso2: Wso2StandIn, tmp_path: Path
) -> None:
    text = config(kafka_prefix, own_odoo.dsn, kafka, wso2.url)
    with Programs(tmp_path, text) as programs, Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        programs.run("setup")
        programs.caught_up()
        checkpoints = Checkpoints(oracle)
        checkpoints.take(own_odoo.lsn())
        capture = programs.start("capture")
        programs.start("stream", "--worker", "one")

        capture.until_said("following the stream")
        checkpoints.follow(own_odoo.commits(300), every=50)
        assert capture.stop() == 0
        programs.caught_up()
        bodies = dispatched(kafka.bootstrap, programs.config)
        sent = everything(wso2, len(bodies))

        assert sorted(sent) == sorted(bodies), "the worker sends other bytes than it should"
        judge(sent, checkpoints)


def test_the_database_as_it_was_before_does_not_pass_for_what_it_is(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> None:
    text = config(kafka_prefix, own_odoo.dsn, kafka, "http://127.0.0.1:9/cdc")
    with Programs(tmp_path, text) as programs, Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        programs.run("setup")
        programs.caught_up()
        checkpoints = Checkpoints(oracle)
        checkpoints.follow(own_odoo.commits(50), every=50)

        with pytest.raises(AssertionError, match="checkpoint 1 of 1"):
            judge(dispatched(kafka.bootstrap, programs.config), checkpoints)


def everything(wso2: Wso2StandIn, number: int) -> list[bytes]:
    """Wait for so many messages and return them."""
    return [request.body for request in wso2.received(number, timeout=120)]


def test_a_checkpoint_is_the_commit_it_names(own_odoo: Source) -> None:
    before = own_odoo.lsn()

    first, second = own_odoo.commits(2)

    assert before < first < second <= Lsn(own_odoo.lsn())
