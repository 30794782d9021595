"""What a worker holds of its partitions, and how a decision becomes durable.

`ports` says what a partition's topics and cache must do; `changeset` gathers the changes of
many decisions and orders them; `committer` writes them, Kafka first, then the cache; `held`
knows which partitions are open; `measure` counts what became durable.
"""

from __future__ import annotations
