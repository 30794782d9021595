from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cdc.kafka_admin import PartitionsFixed, missing
from cdc.topics import TopicPlan, wanted
from schemas.config import Config, load
from tests.programs import sync_yaml

ROUTES = """
routes:
  - {name: a, model: res.partner, targets: [shop], fields: [name]}
  - {name: b, model: sale.order, targets: [shop, erp], fields: [name]}
  - {name: c, model: sale.order, targets: [erp], fields: [state]}
"""
DAY = 86_400_000


@pytest.fixture
def config(tmp_path: Path) -> Config:
    text = sync_yaml(
        source="src", dsn="postgresql:///x", kafka="k:1", targets=["shop", "erp"], routes=ROUTES
    )
    file = tmp_path / "sync.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def plans(config: Config) -> dict[str, TopicPlan]:
    return {plan.name.removeprefix("src."): plan for plan in wanted(config)}


def test_every_model_and_target_has_one_topic_beside_those_of_the_source(config: Config) -> None:
    assert list(plans(config)) == [
        "command_results",
        "commands",
        "dead",
        "deliveries.erp",
        "deliveries.shop",
        "holds",
        "ledger",
        "pauses",
        "replays",
        "res.partner",
        "responses",
        "retries",
        "sale.order",
        "schemas",
    ]


def test_law_2_all_topics_have_the_same_number_of_partitions(config: Config) -> None:
    assert {plan.partitions for plan in wanted(config)} == {config.topics.partitions}


def test_what_is_looked_up_by_key_is_compacted_and_what_is_read_once_expires(
    config: Config,
) -> None:
    policies = {name: plan.settings["cleanup.policy"] for name, plan in plans(config).items()}

    assert {name for name, policy in policies.items() if policy == "compact"} == {
        "holds",
        "pauses",
        "replays",
        "retries",
        "schemas",
    }
    assert policies["ledger"] == "compact,delete"
    by_key = {"holds", "pauses", "replays", "retries", "schemas", "ledger"}
    assert {policies[name] for name in policies.keys() - by_key} == {"delete"}


def test_dead_letters_outlive_everything_else_and_schemas_never_expire(config: Config) -> None:
    found = plans(config)

    assert int(found["sale.order"].settings["retention.ms"]) == 7 * DAY
    assert int(found["dead"].settings["retention.ms"]) > 7 * DAY
    assert "retention.ms" not in found["schemas"].settings


@pytest.mark.parametrize(("replicas", "least"), [(1, "1"), (2, "1"), (3, "2")])
def test_one_replica_may_be_away(config: Config, replicas: int, least: str) -> None:
    topics = replace(config.topics, replication=replicas)

    found = wanted(replace(config, topics=topics))

    assert {plan.settings["min.insync.replicas"] for plan in found} == {least}


def test_a_topic_with_another_partition_count_is_never_changed() -> None:
    plan = TopicPlan("src.ledger", 8, 1)

    assert missing([plan], {}) == [plan]
    assert missing([plan], {"src.ledger": 8}) == []
    with pytest.raises(PartitionsFixed, match=r"src\.ledger has 6, not 8"):
        missing([plan], {"src.ledger": 6})
