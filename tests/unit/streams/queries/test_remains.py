"""Which records of which topics are about one record of Odoo's."""

from __future__ import annotations

import pytest

from schemas.arguments import Person
from schemas.keys import partition_of
from schemas.topics import Topics
from streams.queries.remains import Remains

TOPICS = Topics("odoo_a")
REMAINS = Remains("odoo_a", Person("sale.order", 7))
CHAIN = b"odoo_a/webshop/sale.order/7"


def test_every_topic_that_age_alone_cleans_is_looked_through_where_the_record_may_stand() -> None:
    gone = TOPICS.deliveries("gone")
    there = {TOPICS.events("sale.order"): 8, TOPICS.events("res.partner"): 8, gone: 4}
    there |= {TOPICS.dead: 2, TOPICS.responses: 2, TOPICS.ledger: 2, TOPICS.retries: 2}
    there |= {TOPICS.commands: 2, TOPICS.schemas: 1}

    assert REMAINS.everywhere(there).keys() == {
        (TOPICS.events("sale.order"), partition_of("7", 8)),
        (gone, partition_of("odoo_a/gone/sale.order/7", 4)),
        *((topic, number) for topic in (TOPICS.dead, TOPICS.responses) for number in (0, 1)),
    }


@pytest.mark.parametrize(
    ("topic", "key", "value", "is_mine"),
    [
        (TOPICS.events("sale.order"), b"7", b"", True),
        (TOPICS.events("sale.order"), b"77", b"", False),
        (TOPICS.deliveries("webshop"), CHAIN, b"", True),
        (TOPICS.deliveries("webshop"), CHAIN + b"7", b"", False),
        (TOPICS.dead, CHAIN, b"", True),
        (TOPICS.dead, b"odoo_a/gone/sale.order/7", b"", True),
        (TOPICS.dead, b"odoo_a/gone/sale.order/17", b"", False),
        (TOPICS.dead, b"odoo_b/gone/sale.order/7", b"", False),
        (TOPICS.dead, b"odoo_a/gone/x/sale.order/7", b"", False),
        (TOPICS.dead, b"odoo_a/gone/sale.order/8", b'{"body": "/sale.order/7/"}', False),
        (TOPICS.responses, CHAIN, None, True),
        (TOPICS.responses, b"its own", b'[{"id": "%s/orders/1"}]' % CHAIN, True),
        (TOPICS.responses, b"its own", b'[{"id": "%s7/orders/1"}]' % CHAIN, False),
    ],
)
def test_a_record_is_known_by_its_key_and_words_by_what_they_are_on(
    topic: str, key: bytes, value: bytes | None, *, is_mine: bool
) -> None:
    (judge, *_) = REMAINS.everywhere({topic: 1}).values()

    assert judge(key, value) is is_mine
