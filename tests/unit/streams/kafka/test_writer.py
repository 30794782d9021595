"""A writer whose Kafka is away."""

from __future__ import annotations

import pytest

from streams.kafka.records import Record
from streams.kafka.writer import NotWritten, Writer


async def test_no_record_expires_and_is_overtaken_but_its_write_ends() -> None:
    nowhere = {"bootstrap.servers": "127.0.0.1:1", "delivery.timeout.ms": "100"}
    # librdkafka looks once a second for what expired.
    writer = Writer(nowhere, lambda: None, patience=2.5)

    with pytest.raises(NotWritten) as caught:
        await writer.write([Record("ledger", 0, b"key", b"value")])

    assert str(caught.value) == "Kafka has not taken records of ledger within 2.5 s"
    writer.close(timeout=0.1)
