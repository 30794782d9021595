"""The name of every topic of a source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """Topic names; `source` is the prefix of them all."""

    source: str

    def events(self, model: str) -> str:
        """Return the topic of a root model: `odoo_a.sale.order`."""
        return f"{self.source}.{model}"

    def deliveries(self, target: str) -> str:
        """Return the send queue of one target."""
        return f"{self.source}.deliveries.{target}"

    @property
    def responses(self) -> str:
        """The response queue: acknowledgements."""
        return f"{self.source}.responses"

    @property
    def retries(self) -> str:
        """The retry stream: what waits for its time, its acknowledgement or its turn."""
        return f"{self.source}.retries"

    @property
    def ledger(self) -> str:
        """The latest state of every delivery."""
        return f"{self.source}.ledger"

    @property
    def dead(self) -> str:
        """Dead letters, with the reason."""
        return f"{self.source}.dead"

    @property
    def pauses(self) -> str:
        """What operators have paused, in every partition that it concerns."""
        return f"{self.source}.pauses"

    @property
    def replays(self) -> str:
        """The replays under way, in every partition that has a part of one."""
        return f"{self.source}.replays"

    @property
    def commands(self) -> str:
        """What operators ask for."""
        return f"{self.source}.commands"

    @property
    def command_results(self) -> str:
        """Progress and answers to commands."""
        return f"{self.source}.command_results"

    @property
    def holds(self) -> str:
        """What each worker holds back: its latest word, by its name."""
        return f"{self.source}.holds"

    @property
    def schemas(self) -> str:
        """Avro schemas by fingerprint."""
        return f"{self.source}.schemas"

    @property
    def group(self) -> str:
        """The consumer group of the workers."""
        return f"odoo-cdc-{self.source}"
