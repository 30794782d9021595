"""What `purge` does in one partition: it forgets a record, whatever was to become of it.

Items with their payloads and ledger entries get tombstones. What is being sent is waited for;
everything else is not sent any more, and a word that comes later is a word on something unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from schemas.arguments import Person, Subject
from schemas.command import Command
from schemas.keys import Chain, chain_of
from streams.chains.changes import Erase
from streams.chains.pause import Pause
from streams.core import Core
from streams.partitions.changeset import Changeset

ITEMS: Final = "waiting"  # that were not final: they are not sent any more
ENTRIES: Final = "known"  # that the ledger knew
BUSY: Final = "busy"  # chains that were being sent all the time
_PAUSE: Final = 0.02  # seconds until a chain that is in flight is looked at again
_LOOKS: Final = 500  # until it is given up


class Purging:
    """Forgets records."""

    def __init__(self, core: Core, source: str, targets: Iterable[str]) -> None:
        """Work with the means of a worker's core; `targets` are those of the file."""
        self._core = core
        self._source = source
        self._targets = frozenset(targets)

    async def do(self, partition: int, command: Command) -> dict[str, int]:
        """Do it in a partition that is held; return what there was. Raises MalformedCommand."""
        person = Person.of(command.arguments)
        await self._core.committer.write(partition, lambda _: None, anew=True)
        with self._core.partitions.caches[partition].view() as view:
            # Of a target of the file something may be sent of which nothing is known yet.
            targets = self._targets.union(view.targets(self._source), _paused(view.pauses()))
        counts: dict[str, int] = {}
        for target in sorted(targets):
            chain = chain_of(self._source, target, person.model, person.record)
            for name, number in (await self._purge(partition, chain, person)).items():
                counts[name] = counts.get(name, 0) + number
        return {name: number for name, number in counts.items() if number}

    async def _purge(self, partition: int, chain: Chain, person: Person) -> dict[str, int]:
        """Forget a chain once nothing of it is being sent; what was counted was forgotten."""

        def step(changeset: Changeset) -> dict[str, int] | None:
            if chain in self._core.in_flight and not person.dry_run:
                return None
            known = changeset.edit.known(chain)
            items = sum(changeset.edit.item(each) is not None for each in known)
            entries = sum(changeset.edit.entry(each) is not None for each in known)
            if not person.dry_run:
                changeset.apply(Erase(each) for each in known)
                key = Subject("chain", chain).key
                if any(pause.key == key for pause in changeset.edit.pauses()):
                    changeset.pause(key, None)
            return {ITEMS: items, ENTRIES: entries}

        core = self._core
        for _ in range(_LOOKS):
            if (done := await core.committer.write(partition, step)) is not None:
                core.heed(partition)
                core.wake.set()
                return done
            await asyncio.sleep(_PAUSE)  # its chain is busy: no event says when not
        return {BUSY: 1}


def _paused(pauses: Iterable[Pause]) -> set[str]:
    """Return the targets that chains are paused of: nothing else need be known of these."""
    chains = (each.subject.name for each in pauses if each.subject.kind == "chain")
    return {chain.split("/")[1] for chain in chains}
