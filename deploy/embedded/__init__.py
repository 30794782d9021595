"""Real services without Docker, for the demo and the tests: Postgres, Kafka, Apache Synapse.

`cdc` and `streams` never import this package; its needs are an extra, `odoo-cdc[embedded]`.
"""

from __future__ import annotations
