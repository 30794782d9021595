"""Kafka outside Faust; the only room that imports confluent_kafka.

`records` are what is written and taken, `clients` are librdkafka's, `writer` knows what Kafka
has. `scan` reads partitions, `changelog` those that a worker's caches are copies of,
`schema_reader` the schemas; `offsets` watches where the workers' group stands.
"""

from __future__ import annotations
